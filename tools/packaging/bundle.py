"""Lays out a function's zip: its folder, `common`, and its libraries without files that are never read."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from tools.packaging import service_data
from tools.packaging.errors import PackagingError
from tools.packaging.wheels import PYTHON_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tools.packaging.wheels import Wheel

# Licences and METADATA stay: the first because they ask to, the second for importlib.metadata.
NEVER_READ = re.compile(
    r"""
      \.pyi$ | (^|/)py\.typed$ | (^|/)__pycache__/
    | (^|/)tests?/
    | ^[^/]+\.dist-info/(?!METADATA$|licenses/|LICEN[CS]E|NOTICE)
    | ^[^/]+\.data/scripts/
    | ^botocore/data/.*/examples-1\.json(\.gz)?$
    | ^boto3/examples/
    | ^aws_lambda_powertools/event_handler/openapi/swagger_ui/.*\.(js|css)$
    """,
    re.VERBOSE,
)
SERVICE_DATA = re.compile(r"^(?:botocore|boto3)/data/(?P<service>[^/]+)/")
"""botocore describes 400 services, in files it reads when a client is made; what lies beside the folders is for all."""

Files = dict[str, bytes]


def library_files(wheels: Iterable[Wheel], services: set[str]) -> Files:
    """Return the wheels' files by path, without what is never read and without AWS services not in `services`.

    What botocore says of these services is written again, to be read faster (`tools/packaging/service_data.py`).

    Raises
    ------
    PackagingError
        Two wheels hold the same path with different bytes, or a service is one botocore does not describe.
    """
    files: Files = {}
    described = set()
    for wheel in wheels:
        with zipfile.ZipFile(wheel.path) as archive:
            for name in archive.namelist():
                service = SERVICE_DATA.match(name)
                if service:
                    described.add(service["service"])
                if name.endswith("/") or NEVER_READ.search(name) or (service and service["service"] not in services):
                    continue
                content = archive.read(name)
                path = re.sub(r"^[^/]+\.data/(purelib|platlib)/", "", name)
                if service_data.DATA.match(path):
                    path, content = service_data.lean(path, content, services)
                if files.setdefault(path, content) != content:
                    raise PackagingError(
                        f"{path}: {wheel.path.name} and another wheel hold different files of that name"
                    )
    if unknown := services - described:
        raise PackagingError(
            f"services.txt names {', '.join(sorted(unknown))}; expected names as `boto3.client` takes them"
        )
    return files


def source_files(source: Path, packages: Iterable[str]) -> Files:
    """Return the Python files of `packages` under `source`, and the tables that they read, by path."""
    files: Files = {}
    for package in packages:
        for path in sorted((source / package).rglob("*")):
            if path.suffix in {".py", ".csv"}:
                files[path.relative_to(source).as_posix()] = path.read_bytes()
    return files


def write(files: Files, folder: Path, compiled: Path) -> None:
    """Write `files` under `folder`, which is made, and byte-compile them if this Python is the deployed one.

    What was compiled is kept in the folder `compiled`: functions share most of their libraries' files.
    """
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    if compiles():
        # A separate process with a fixed hash seed: what a .pyc looks like depends on both.
        environment = {**os.environ, "PYTHONHASHSEED": "0"}
        command = [sys.executable, str(Path(__file__).with_name("compile.py")), str(folder), str(compiled)]
        subprocess.run(command, env=environment, check=True)  # noqa: S603 - our own interpreter and module


def compiles() -> bool:
    """Return whether the running Python makes bytecode the deployed one reads."""
    return "{}.{}".format(*sys.version_info[:2]) == PYTHON_VERSION


def write_zip(folder: Path, target: Path) -> None:
    """Write `folder` as a zip whose bytes depend on the files' names and contents alone."""
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".partial")
    with zipfile.ZipFile(partial, "w") as archive:
        for name in names:
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))  # the earliest a zip can say
            entry.create_system = 3  # Unix, whatever this machine is: the mode counts only there
            entry.external_attr = 0o100644 << 16
            # Of DuckDB, 60 MB, level 9 makes 0.5 % less in more than twice the time.
            archive.writestr(entry, (folder / name).read_bytes(), zipfile.ZIP_DEFLATED, 6)
    partial.replace(target)
