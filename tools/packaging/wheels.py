"""Fetches the locked wheels for a Lambda architecture, and finds out which of them a function needs."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path
from typing import TYPE_CHECKING

# pip is there whenever this runs, and its own copy of `packaging` is the one thing that reads metadata as pip does.
from pip._vendor.packaging.requirements import Requirement
from pip._vendor.packaging.utils import canonicalize_name

from tools.packaging.errors import PackagingError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tools.packaging.lock import Pin

PYTHON_VERSION = "3.13"
MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}
"""Lambda's names of its architectures, and Python's."""

# Lambda's Python 3.13 runs on Amazon Linux 2023, whose glibc is 2.34: any manylinux up to that works.
GLIBC_TAGS = ["manylinux_2_34", "manylinux_2_28", "manylinux_2_17", "manylinux2014"]


@dataclass(frozen=True)
class Wheel:
    """A fetched wheel: its canonical name, its file, and what it requires."""

    name: str
    path: Path
    requires: tuple[Requirement, ...]


def fetch(pins: list[Pin], architecture: str, cache: Path) -> dict[str, Wheel]:
    """Return the pinned packages' wheels for `architecture`, by canonical name; a second call finds them in `cache`.

    Raises
    ------
    PackagingError
        pip could not get one, or what the cache holds is not what the lock says.
    """
    requirements = "\n".join(pin.requirement() for pin in pins) + "\n"
    folder = cache / f"{architecture}-{hashlib.sha256(requirements.encode()).hexdigest()[:16]}"
    if not folder.is_dir():
        print(f"package.sh: fetching {len(pins)} wheels for {architecture} ...", file=sys.stderr)  # noqa: T201 - it takes long
        _download(requirements, architecture, folder)
    allowed = {digest for pin in pins for digest in pin.hashes}
    wheels = [_read(path, allowed) for path in sorted(folder.glob("*.whl"))]
    return {wheel.name: wheel for wheel in wheels}


def closure(names: Iterable[str], wheels: dict[str, Wheel], architecture: str, asked_by: str) -> list[Wheel]:
    """Return `names` and all they require at run time on `architecture`, sorted by name.

    Raises
    ------
    PackagingError
        The lock holds no such package.
    """
    machine = {
        "implementation_name": "cpython",
        "os_name": "posix",
        "platform_machine": MACHINES[architecture],
        "platform_python_implementation": "CPython",
        "platform_system": "Linux",
        "python_full_version": f"{PYTHON_VERSION}.0",
        "python_version": PYTHON_VERSION,
        "sys_platform": "linux",
    }
    found: dict[str, Wheel] = {}
    wanted = [(canonicalize_name(requirement.name), requirement, asked_by) for requirement in map(Requirement, names)]
    while wanted:
        name, requirement, asker = wanted.pop()
        if name not in wheels:
            raise PackagingError(
                f"{name}: {asker} asks for it, and Pipfile.lock's default section does not hold it. "
                f"Add it to [packages] in Pipfile, then `pipenv run lock`; it has: {', '.join(sorted(wheels))}"
            )
        extras = {"", *requirement.extras}
        for needed in wheels[name].requires:
            if needed.marker is None or any(needed.marker.evaluate({**machine, "extra": extra}) for extra in extras):
                needed_name = canonicalize_name(needed.name)
                if needed_name not in found or needed.extras:
                    wanted.append((needed_name, needed, name))
        found[name] = wheels[name]
    return [found[name] for name in sorted(found)]


def _download(requirements: str, architecture: str, folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="fetching-") as temporary:
        listing = Path(temporary) / "requirements.txt"
        listing.write_text(requirements, encoding="utf-8")
        target = Path(temporary) / "wheels"
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        command += ["--no-deps", "--require-hashes", "--only-binary=:all:", "--dest", str(target)]
        command += ["--implementation", "cp", "--python-version", PYTHON_VERSION]
        command += [f"--platform={tag}_{MACHINES[architecture]}" for tag in GLIBC_TAGS]
        command += ["--requirement", str(listing)]
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        finished = subprocess.run(command, env=environment, check=False)  # noqa: S603 - our own interpreter and options
        if finished.returncode:
            raise PackagingError(
                f"pip download for {architecture} ended with {finished.returncode}; its own words stand above. "
                "Expected a wheel for every package in Pipfile.lock's default section, with a hash the lock knows"
            )
        try:
            target.rename(folder)  # in one step, so that a folder that is there is whole
        except OSError:
            if not folder.is_dir():  # otherwise a build beside this one was first, with the same files
                raise


def _read(path: Path, allowed: set[str]) -> Wheel:
    digest = f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
    if digest not in allowed:
        raise PackagingError(
            f"{path}: its {digest} is not in Pipfile.lock; expected the file as it was fetched. "
            f"Remove the folder {path.parent} and package again"
        )
    with zipfile.ZipFile(path) as archive:
        name = next(entry for entry in archive.namelist() if entry.endswith(".dist-info/METADATA"))
        metadata = HeaderParser().parsestr(archive.read(name).decode("utf-8"))
    requires = tuple(Requirement(line) for line in metadata.get_all("Requires-Dist") or [])
    return Wheel(canonicalize_name(metadata["Name"]), path, requires)
