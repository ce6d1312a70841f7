"""The zips package.sh makes: reproducible, small, compiled, and with nothing in them that does not belong there."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import json
import marshal
import os
import re
import shutil
import subprocess
import sys
import zipfile

import pytest

pytestmark = pytest.mark.timeout(600)  # DuckDB is large: all zips are a minute's work on an idle machine

# What the libraries of src/<function>/requirements.txt come to, with all they require.
AWS = {"aws_lambda_powertools", "botocore", "dateutil", "jmespath", "six", "typing_extensions"}
LIBRARIES = AWS | {"backports", "msgspec", "pybase64", "urllib3"}
SHARED = {"common", "live"}
FOLDERS = {
    "consumer": {"consumer", "isal"} | SHARED | LIBRARIES,
    "aggregator": {"aggregator", "isal"} | SHARED | LIBRARIES,
    "alerts": {"alerts"} | SHARED | LIBRARIES,
    "api": {"api"} | SHARED | LIBRARIES,
    "archive": {"archive", "isal", "duckdb", "_duckdb", "adbc_driver_duckdb"} | SHARED | LIBRARIES,
    "flights": {"flights", "_duckdb", "adbc_driver_duckdb", "duckdb"} | SHARED | LIBRARIES,
}


def entries(path):
    """A zip's entries."""
    with zipfile.ZipFile(path) as archive:
        return archive.infolist()


def test_two_runs_in_two_places_give_the_same_bytes(checkout, zips, machine, rebuild, run_packaging):
    """A zip depends on the sources and the lock alone: not on the folder, the time, or what ran before."""
    other = rebuild(checkout, machine, ["consumer"])
    assert [path.name for path in (other / "dist").glob("*.zip")] == ["consumer.zip"]
    again = other / "dist" / "consumer.zip"
    assert hashlib.sha256(again.read_bytes()).digest() == hashlib.sha256(zips["consumer"].read_bytes()).digest()

    # DuckDB is long to compress: its zip has the same files, and what that makes of the zip is said above.
    laid_out = other / "flights"
    finished = run_packaging(other, "--architecture", machine, "--into", str(laid_out), "flights")
    assert finished.returncode == 0, finished.stderr
    with zipfile.ZipFile(zips["flights"]) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    found = [path for path in laid_out.rglob("*") if path.is_file()]
    differing = [path for path in found if files.pop(path.relative_to(laid_out).as_posix(), None) != path.read_bytes()]
    assert (differing, list(files)) == ([], [])


def test_entries_are_sorted_and_bear_no_time_or_owner(zips, name):
    """Nothing of the machine that packed it is in a zip."""
    found = entries(zips[name])
    assert [entry.filename for entry in found] == sorted(entry.filename for entry in found)
    assert {entry.date_time for entry in found} == {(1980, 1, 1, 0, 0, 0)}
    assert {entry.external_attr >> 16 for entry in found} == {0o100644}


def test_a_zip_holds_its_function_common_and_its_libraries(zips, name):
    """No other function's folder, nothing from local or tests, no library the function does not import."""
    top = {entry.filename.partition("/")[0] for entry in entries(zips[name])}
    top -= {each for each in top if each.endswith(".dist-info") or each == "__pycache__"}
    assert {each.partition(".")[0] for each in top} == FOLDERS[name]


def test_what_is_never_read_is_left_out(zips, name):
    """No type stubs, no tests, no scripts, no examples."""
    found = [entry.filename for entry in entries(zips[name])]
    assert not [each for each in found if re.search(r"\.pyi$|(^|/)tests?/|/examples-1\.json|\.data/|/RECORD$", each)]


def test_botocore_describes_the_services_in_use_alone(unzipped, checkout, name):
    """400 services are left out; what botocore reads for any client is kept."""
    data = unzipped[name] / "botocore" / "data"
    services = (checkout / "src" / name / "services.txt").read_text().split()
    assert sorted(path.name for path in data.iterdir() if path.is_dir()) == sorted(services)
    assert {"endpoints.json", "partitions.json", "sdk-default-configuration.json"} <= {
        path.name.removesuffix(".gz") for path in data.iterdir()
    }


def test_a_zip_is_small(zips, name):
    """20 MB is the bound, but for DuckDB; what is usual is written in docs/decisions/packaging.md."""
    assert zips[name].stat().st_size < (30_000_000 if name in {"archive", "flights"} else 20_000_000)


def test_the_table_names_every_zip(built):
    """package.sh says what it made, and how large."""
    for name in FOLDERS:
        assert re.search(rf"^{name}\.zip +\d+\.\d\d +\d+\.\d\d +\d+$", built.stdout, re.MULTILINE), built.stdout


def test_everything_is_compiled_and_never_checked_against_its_source(unzipped, name):
    """Each module has bytecode of this Python, by hash and unchecked, that shows Lambda's paths in a traceback."""
    sources = sorted(unzipped[name].rglob("*.py"))
    assert len(sources) > 300
    for source in sources:
        compiled = source.parent / "__pycache__" / f"{source.stem}.cpython-313.pyc"
        head = compiled.read_bytes()[:8]
        assert head == importlib.util.MAGIC_NUMBER + (0b01).to_bytes(4, "little"), compiled
    code = marshal.loads((unzipped[name] / name / "__pycache__" / "handler.cpython-313.pyc").read_bytes()[16:])
    assert code.co_filename == f"/var/task/{name}/handler.py"


def run_unpacked(folder, program, tmp_path):
    """Run a program that sees the unpacked zip and the standard library, and nothing else of this machine."""
    finished = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(folder)!r})\n{program}"],
        env={"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1", "POWERTOOLS_SERVICE_NAME": "x"}
        | {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "POWERTOOLS_METRICS_NAMESPACE": "x"}
        | {"HOME": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def test_the_handler_can_be_imported_from_the_zip_alone(unzipped, name, tmp_path):
    """Nothing the handler imports is missing, and every module comes out of the zip."""
    program = f"""
import json, {name}.handler
from_elsewhere = [m.__name__ for m in list(sys.modules.values())
                  if "site-packages" in (getattr(m, "__file__", None) or "")]
print(json.dumps([callable({name}.handler.handler), from_elsewhere]))
"""
    assert json.loads(run_unpacked(unzipped[name], program, tmp_path)) == [True, []]


def imported(source):
    """The modules that a file imports when it runs: at its top or within a function."""
    waiting = [ast.parse(source.read_text())]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        waiting += ast.iter_child_nodes(node)


def reached(folder, name):
    """All modules that a function may import, now or later, from its handler on; of the rest, the first ones alone."""
    found, waiting = set(), [f"{name}.handler"]
    while waiting:
        module = waiting.pop()
        path = folder.joinpath(*module.split("."))
        sources = [source for source in (path.with_suffix(".py"), path / "__init__.py") if source.exists()]
        if module in found or (module.partition(".")[0] in SHARED | {name} and not sources):
            continue  # what is not there is a name within a module
        if module.partition(".")[0] in SHARED | {name}:
            found.add(module)
            waiting += imported(sources[0])
        else:
            found.add(module.partition(".")[0])
    return sorted(found)


def test_what_is_imported_later_is_in_the_zip_too(unzipped, name, tmp_path):
    """A library that is loaded at its first use fails there, long after the start, if the zip does not hold it."""
    modules = reached(unzipped[name], name)
    assert len([module for module in modules if "." in module]) > 20
    program = f"""
import importlib.util, json
print(json.dumps([module for module in {modules!r} if importlib.util.find_spec(module) is None]))
"""
    assert json.loads(run_unpacked(unzipped[name], program, tmp_path)) == []


# Every operation with what it takes and gives, shape by shape; endpoints in several partitions.
CLIENTS = """
import json
import botocore.session

def shape(found, seen=()):
    if found is None or found.name in seen:
        return found and found.name
    inner = getattr(found, "members", None) or {{}}
    if found.type_name in ("list", "map"):
        inner = {{part: getattr(found, part) for part in ("member", "key", "value") if hasattr(found, part)}}
    members = {{name: shape(member, (*seen, found.name)) for name, member in sorted(inner.items())}}
    return [found.name, found.type_name, sorted(map(str, found.metadata.items())), str(found.serialization), members]

def describe(clients):
    model = clients[0].meta.service_model  # of a service, not of a region
    operations = [model.operation_model(name) for name in model.operation_names]
    return {{
        "endpoints": [client.meta.endpoint_url for client in clients],
        "operations": [[one.name, one.http, shape(one.input_shape), shape(one.output_shape)] for one in operations],
        "errors": sorted(error.name for error in model.error_shapes),
        "api": sorted(map(str, model.metadata.items())),
    }}

session = botocore.session.get_session()
regions = ["us-east-1", "cn-north-1", "us-gov-west-1", "eu-central-2"]
print(json.dumps({{
    service: describe([
        session.create_client(service, region, aws_access_key_id="x", aws_secret_access_key="x") for region in regions
    ])
    for service in {services!r}
}}))
"""


def services_of(checkout, name):
    """The AWS services that a function calls."""
    return (checkout / "src" / name / "services.txt").read_text().split()


@pytest.fixture(scope="module")
def whole(checkout):
    """What the clients of the whole of botocore are like, by service: of all services that a function calls."""
    program = CLIENTS.format(services=sorted({one for name in FOLDERS for one in services_of(checkout, name)}))
    return json.loads(subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout)


def test_every_service_has_a_client(unzipped, checkout, name, tmp_path, whole):
    """Pruning left all a client of each named service needs: it is the one that the whole of botocore makes."""
    services = services_of(checkout, name)
    found = json.loads(run_unpacked(unzipped[name], CLIENTS.format(services=services), tmp_path))
    assert found == {service: whole[service] for service in services}
    assert len(found) == len(services)
    assert found[services[0]]["endpoints"][0].startswith(f"https://{services[0]}.")
    assert all(len(one["endpoints"]) == 4 and one["operations"] for one in found.values())


def test_services_txt_is_what_the_code_calls(repository, name):
    """A client of another service would work in development and fail when deployed."""
    code = "\n".join(path.read_text() for path in (repository / "src" / name).rglob("*.py"))
    called = set(re.findall(r'(?:boto3|aws)\.(?:client|resource|endpoint)\(\s*"([\w-]+)"', code))
    assert called == set((repository / "src" / name / "services.txt").read_text().split())


def test_sam_build_gets_both_architectures(checkout, run_packaging, tmp_path):
    """SAM does not say which one the function has: the native modules of both lie side by side."""
    finished = run_packaging(checkout, "--architecture", "both", "--into", str(tmp_path / "out"), "alerts")
    assert finished.returncode == 0, finished.stderr
    native = {path.name for path in (tmp_path / "out" / "msgspec").glob("*.so")}
    assert native == {f"_core.cpython-313-{machine}-linux-gnu.so" for machine in ("aarch64", "x86_64")}
    assert (tmp_path / "out" / "alerts" / "handler.py").is_file()


def test_an_unknown_function_is_named(checkout, run_packaging, tmp_path):
    """A mistyped name says which ones there are, and makes nothing."""
    finished = run_packaging(checkout, "--into", str(tmp_path / "out"), "alert")
    assert finished.returncode == 1
    assert (
        "alert: no such function; expected one of aggregator, alerts, api, archive, consumer, flights"
        in finished.stderr
    )
    assert not (tmp_path / "out").exists()


def test_a_python_that_is_not_3_13_is_the_last_choice(checkout, tmp_path):
    """package.sh skips an older Python while a 3.13 is to be found, whatever the names they go by."""
    # Stand-ins that answer package.sh's question for the version, and say what they were asked to run.
    for name, version in {"python3.13": "3.12", "python3": "3.9", "python": "3.13"}.items():
        (tmp_path / name).write_text(f'#!/bin/sh\ncase "$1" in -c) echo {version};; *) echo "{name} $*";; esac\n')
        (tmp_path / name).chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    script = checkout / "tools" / "packaging" / "package.py"
    command = ["/bin/bash", checkout / "package.sh", "--help"]
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert finished.stdout == f"python {script} --help\n"
    (tmp_path / "python").unlink()
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert finished.stdout == f"python3.13 {script} --help\n"  # a 3.12 by that name: better than none


def test_a_checkout_that_cannot_be_written_packages_elsewhere(repository, machine, tmp_path):
    """With `--output` elsewhere nothing is written beside the sources: neither wheels nor anything else."""
    read_only = tmp_path / "checkout"
    for name in ("src", "tools"):
        shutil.copytree(repository / name, read_only / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("package.sh", "Pipfile.lock"):
        shutil.copy2(repository / name, read_only / name)
    (read_only / "dist").symlink_to("/proc/nowhere")  # not even root can write there
    cache = tmp_path / "cache" / "aircraft-stream"
    cache.mkdir(parents=True)
    (cache / "wheels").symlink_to((repository / "dist" / ".wheels").resolve())
    before = sorted(read_only.rglob("*"))
    finished = subprocess.run(
        [read_only / "package.sh", "--architecture", machine, "--output", tmp_path / "zips", "--only", "alerts"],
        env={**os.environ, "PYTHON": sys.executable, "XDG_CACHE_HOME": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    assert {path.name for path in (tmp_path / "zips").iterdir()} == {"alerts.zip"}
    assert sorted(read_only.rglob("*")) == before


@pytest.mark.parametrize("named", ["/nope", "/bin/true", "/etc/passwd"])
def test_a_python_that_was_named_and_does_not_run_is_refused(checkout, named):
    """None takes its place: whoever names one means that one."""
    command, environment = [checkout / "package.sh", "--help"], {**os.environ, "PYTHON": named}
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert finished.returncode == 1
    assert not finished.stdout
    assert finished.stderr.startswith(f"package.sh: PYTHON={named}: is not there, does not run or has no pip")
