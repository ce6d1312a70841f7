"""Packaging's own rules: what is asked for is in the lock, is what the lock says, and clashes are reported."""

from __future__ import annotations

import ast
import gzip
import hashlib
import json
import zipfile
from pathlib import Path

import pytest

from tools.packaging import bundle, package, service_data, wheels
from tools.packaging.errors import PackagingError
from tools.packaging.lock import Pin, read_pins

PACKAGING = Path(package.__file__).parent


def write_wheel(path, name, requires=(), files=None):
    """Write a wheel with metadata and files."""
    with zipfile.ZipFile(path, "w") as archive:
        lines = [
            "Metadata-Version: 2.1",
            f"Name: {name}",
            "Version: 1.0",
            *(f"Requires-Dist: {each}" for each in requires),
        ]
        archive.writestr(f"{name}-1.0.dist-info/METADATA", "\n".join(lines) + "\n")
        archive.writestr(f"{name}-1.0.dist-info/RECORD", "")
        for entry, content in (files or {f"{name}/__init__.py": ""}).items():
            archive.writestr(entry, content)
    return path


@pytest.fixture
def cached(tmp_path):
    """Puts wheels where a fetch of their pins finds them; gives the pins and the cache."""

    def put(**requires):
        made = [write_wheel(tmp_path / f"{name}-1.0-py3-none-any.whl", name, needs) for name, needs in requires.items()]
        pins = [
            Pin(path.name.partition("-")[0], "==1.0", (f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}",))
            for path in made
        ]
        listing = "\n".join(pin.requirement() for pin in pins) + "\n"
        folder = tmp_path / "cache" / f"arm64-{hashlib.sha256(listing.encode()).hexdigest()[:16]}"
        folder.mkdir(parents=True)
        for path in made:
            path.rename(folder / path.name)
        return pins, tmp_path / "cache"

    return put


def names(found):
    """The wheels' names."""
    return [wheel.name for wheel in found]


def test_a_closure_follows_requirements(cached):
    """What a library requires comes with it; what nobody asks for does not."""
    pins, cache = cached(one=["two>=1"], two=["three"], three=[], four=[])
    available = wheels.fetch(pins, "arm64", cache)
    assert names(wheels.closure(["one"], available, "arm64", "test")) == ["one", "three", "two"]


def test_a_closure_goes_by_the_lambda_environment(cached):
    """Markers are judged for Linux, Python 3.13 and the function's processor; extras are taken if asked for."""
    pins, cache = cached(
        one=[
            'windows; sys_platform == "win32"',
            'old; python_version < "3.11"',
            'arm; platform_machine == "aarch64"',
            'intel; platform_machine == "x86_64"',
            'optional; extra == "more"',
        ],
        arm=[],
        optional=[],
    )
    available = wheels.fetch(pins, "arm64", cache)
    assert names(wheels.closure(["one"], available, "arm64", "test")) == ["arm", "one"]
    assert names(wheels.closure(["one[more]"], available, "arm64", "test")) == ["arm", "one", "optional"]


def test_a_circle_of_requirements_ends(cached):
    """Two libraries that require each other are both taken, once."""
    pins, cache = cached(one=["two"], two=["one"])
    assert names(wheels.closure(["one"], wheels.fetch(pins, "arm64", cache), "arm64", "test")) == ["one", "two"]


def test_a_library_the_lock_lacks_is_named(cached):
    """The error says who asks for it, and how to add it."""
    pins, cache = cached(one=["two"])
    with pytest.raises(PackagingError, match=r"two: one asks for it, .* Add it to \[packages\] in Pipfile"):
        wheels.closure(["one"], wheels.fetch(pins, "arm64", cache), "arm64", "test")
    with pytest.raises(PackagingError, match=r"three: src/x/requirements.txt asks for it"):
        wheels.closure(["three"], wheels.fetch(pins, "arm64", cache), "arm64", "src/x/requirements.txt")


def test_a_changed_wheel_is_refused(cached):
    """What lies in the cache is checked against the lock each time."""
    pins, cache = cached(one=[])
    [path] = cache.rglob("*.whl")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("one/backdoor.py", "")
    with pytest.raises(PackagingError, match=r"is not in Pipfile.lock"):
        wheels.fetch(pins, "arm64", cache)


def test_pins_come_from_the_default_section_alone(tmp_path):
    """Development packages are never deployed."""
    lock = tmp_path / "Pipfile.lock"
    entry = {"version": "==1.0", "hashes": ["sha256:b", "sha256:a"]}
    lock.write_text(json.dumps({"default": {"one": entry}, "develop": {"two": entry}}))
    assert read_pins(lock) == [Pin("one", "==1.0", ("sha256:a", "sha256:b"))]
    assert read_pins(lock)[0].requirement() == "one==1.0 --hash=sha256:a --hash=sha256:b"


@pytest.mark.parametrize("entry", [{"version": "==1.0"}, {"hashes": ["sha256:a"]}, {"git": "somewhere", "hashes": []}])
def test_a_package_without_version_or_hashes_is_refused(tmp_path, entry):
    """Nothing is deployed that the lock does not fix."""
    lock = tmp_path / "Pipfile.lock"
    lock.write_text(json.dumps({"default": {"one": entry}}))
    with pytest.raises(PackagingError, match=r"one has no version or no hashes"):
        read_pins(lock)


@pytest.mark.parametrize("content", [None, "", "[]", "{}"])
def test_a_missing_or_broken_lock_is_said_so(tmp_path, content):
    """The error names the file and the command that writes it."""
    lock = tmp_path / "Pipfile.lock"
    if content is not None:
        lock.write_text(content)
    with pytest.raises(PackagingError, match=r"Pipfile.lock: cannot be read .*`pipenv run lock`"):
        read_pins(lock)


def test_two_wheels_with_one_path_are_refused(tmp_path):
    """Neither silently wins."""
    made = [
        wheels.Wheel(name, write_wheel(tmp_path / f"{name}.whl", name, files={"shared.py": name}), ())
        for name in ("one", "two")
    ]
    with pytest.raises(PackagingError, match=r"shared.py: two.whl and another wheel hold different files"):
        bundle.library_files(made, set())


MODEL = json.dumps(
    {
        "metadata": {"protocol": "json"},
        "operations": {"Put": {"name": "Put", "documentation": "<p>Puts.</p>"}},
        "shapes": {
            "documentation": {"type": "string", "documentation": "<p>Of that name.</p>"},
            "Input": {"members": {"documentation": {"shape": "documentation", "documentation": "<p>It is read.</p>"}}},
        },
        "clientContextParams": {"Param": {"documentation": "botocore asks for this one", "type": "boolean"}},
    },
    indent=2,
)


def test_a_service_model_keeps_all_but_its_documentation():
    """What is called `documentation` and is not one stays, and so does the one that botocore asks for."""
    path, content = service_data.lean(
        "botocore/data/s3/2006-03-01/service-2.json.gz", gzip.compress(MODEL.encode()), set()
    )
    assert path == "botocore/data/s3/2006-03-01/service-2.json"
    assert json.loads(content) == {
        "metadata": {"protocol": "json"},
        "operations": {"Put": {"name": "Put"}},
        "shapes": {
            "documentation": {"type": "string"},
            "Input": {"members": {"documentation": {"shape": "documentation"}}},
        },
        "clientContextParams": {"Param": {"documentation": "botocore asks for this one", "type": "boolean"}},
    }
    assert b"\n" not in content


def test_endpoints_are_those_of_the_services_in_use():
    """Partitions and their regions stay: a region that AWS opens later is matched by them."""
    partition = {"partition": "aws", "regionRegex": "^us-", "services": {"s3": {"endpoints": {}}, "ec2": {}}}
    _, content = service_data.lean(
        "botocore/data/endpoints.json", json.dumps({"partitions": [partition]}).encode(), {"s3", "sns"}
    )
    assert json.loads(content) == {"partitions": [partition | {"services": {"s3": {"endpoints": {}}}}]}


def test_a_service_botocore_does_not_know_is_reported(tmp_path):
    """A typing error in services.txt is found when packaging, not when deployed."""
    files = {"botocore/data/kinesis/2013-12-02/service-2.json": MODEL, "botocore/data/_retry.json": "{}"}
    wheel = wheels.Wheel("botocore", write_wheel(tmp_path / "botocore.whl", "botocore", files=files), ())
    assert bundle.library_files([wheel], {"kinesis"}).keys() >= files.keys()
    assert files.keys() & bundle.library_files([wheel], set()).keys() == {"botocore/data/_retry.json"}
    with pytest.raises(PackagingError, match=r"services.txt names kinesys"):
        bundle.library_files([wheel], {"kinesys"})


def test_another_python_makes_no_zips(monkeypatch, capsys, tmp_path):
    """Without bytecode they would be other zips: the error names the Python it takes."""
    monkeypatch.setattr(bundle, "compiles", lambda: False)
    assert package.main(["--output", str(tmp_path)]) == 1
    assert "expected 3.13, for the zips are byte-compiled for it" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_the_bytes_of_a_zip_go_by_names_and_contents(tmp_path):
    """Order of writing, times and modes of the files leave no trace."""
    for folder, order in (("a", ["x/1", "y", "z"]), ("b", ["z", "y", "x/1"])):
        for name in order:
            path = tmp_path / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
            path.chmod(0o644 if folder == "a" else 0o700)
        bundle.write_zip(tmp_path / folder, tmp_path / f"{folder}.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_a_file_of_the_same_name_and_other_content_is_compiled_too(tmp_path):
    """What another function's folder had compiled is taken for the same content alone."""
    (tmp_path / "compiled").mkdir()
    for folder, content in {"one": b"VALUE = 1", "other": b"VALUE = 2", "same": b"VALUE = 1"}.items():
        bundle.write({"module.py": content}, tmp_path / folder, tmp_path / "compiled")
    found = [next((tmp_path / folder).rglob("*.pyc")).read_bytes() for folder in ("one", "other", "same")]
    assert found[0] == found[2] != found[1]


NOWHERE = Path("/proc/nowhere")
"""A folder that nobody can make, root included."""


def test_wheels_are_kept_where_files_can_be_written(tmp_path):
    """A read-only checkout has the user's cache take its place."""
    kept = package.first_writable([NOWHERE / "dist" / ".wheels", tmp_path / "cache" / "wheels"])
    assert kept == tmp_path / "cache" / "wheels"
    assert list(kept.iterdir()) == []


def test_the_checkout_comes_first_and_the_cache_is_the_user_s(tmp_path):
    """XDG's variable is followed where it is set."""
    users = {"XDG_CACHE_HOME": str(tmp_path)}
    assert package.default_caches(Path("/checkout"), users) == [
        Path("/checkout/dist/.wheels"),
        tmp_path / "aircraft-stream" / "wheels",
    ]
    assert package.default_caches(Path("/checkout"), {})[1] == Path.home() / ".cache" / "aircraft-stream" / "wheels"


def test_nowhere_to_keep_wheels_is_said(tmp_path):
    """Each place that was tried, why not, and the option that names another."""
    (tmp_path / "file").touch()
    with pytest.raises(
        PackagingError, match=r"/proc/nowhere \(.*\) or .*file/wheels \(Not a directory\); .*--cache DIR"
    ):
        package.first_writable([NOWHERE, tmp_path / "file" / "wheels"])


def test_zips_that_cannot_be_written_are_reported_in_a_sentence(monkeypatch, capsys, tmp_path):
    """No traceback: the place, the reason, and the option that names another."""
    monkeypatch.setattr(wheels, "fetch", lambda *_: {})
    monkeypatch.setattr(package, "collect", lambda *_: {})
    monkeypatch.setattr(bundle, "compiles", lambda: True)
    assert package.main(["--output", str(NOWHERE), "--cache", str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert "package.sh: /proc/nowhere: " in error
    assert "--output DIR for the zips" in error


@pytest.mark.parametrize("module", sorted(PACKAGING.glob("*.py")), ids=lambda path: path.name)
def test_an_older_python_reads_it(module):
    """`package.sh` takes any from 3.9 on where there is no 3.13, and packages without bytecode."""
    ast.parse(module.read_text(), module.name, feature_version=(3, 9))
