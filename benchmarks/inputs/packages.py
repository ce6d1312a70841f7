"""Function packages for the cold starts: ours by `package.sh`, the usual one by pip."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import distribution, version
from typing import TYPE_CHECKING

from benchmarks.harness.processes import BenchmarkError
from benchmarks.harness.workspace import ROOT
from local.runtime.processes import kill_session

if TYPE_CHECKING:
    from pathlib import Path

RUNTIME = ("awslambdaric", "simplejson", "snapshot-restore-py")
LIBRARIES = ("boto3", "requests", "aws-lambda-powertools")
_ARCHITECTURES = {"x86_64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


def ours(name: str, folder: Path) -> Path:
    """Return the folder that a function's zip unpacks to, as `package.sh` makes it."""
    zips, target = folder / "zips", folder / f"ours-{name}"
    if not zips.exists():
        architecture = _ARCHITECTURES[platform.machine()]
        _run([str(ROOT / "package.sh"), "--architecture", architecture, "--output", str(zips)], folder)
    if not target.exists():
        with zipfile.ZipFile(zips / f"{name}.zip") as archive:
            archive.extractall(target)
    return target


def usual(folder: Path) -> Path:
    """Return the usual function's folder: pip's, not byte-compiled, with the libraries in the versions we use."""
    target = folder / "usual"
    if not target.exists():
        pins = [f"{name}=={version(name)}" for name in LIBRARIES]
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
        _run([*pip, "--target", str(target), *pins], folder)
        for path in (ROOT / "benchmarks" / "peers" / "functions").glob("[a-z]*.py"):
            shutil.copy(path, target)
    return target


def compiled(package: Path) -> Path:
    """Return a copy of a package with everything byte-compiled."""
    target = package.with_name(f"{package.name}-compiled")
    if not target.exists():
        shutil.copytree(package, target)
        options = ["-q", "--invalidation-mode", "unchecked-hash", str(target)]
        _run([sys.executable, "-m", "compileall", *options], package.parent)
    return target


def runtime(folder: Path) -> Path:
    """Return a folder with AWS's runtime interface client and what it requires, and nothing else."""
    target = folder / "runtime"
    if not target.exists():
        target.mkdir()
        for name in RUNTIME:
            installed = distribution(name)
            for entry in {file.parts[0] for file in installed.files or () if file.parts[0] != ".."}:
                (target / entry).symlink_to(str(installed.locate_file(entry)))
    return target


def _run(command: list[str], folder: Path) -> None:
    """Run a command; what it leaves behind when it is ended is in the folder, and its processes end with it."""
    temporary = folder / "temporary"
    temporary.mkdir(parents=True, exist_ok=True)
    process = subprocess.Popen(  # noqa: S603 - our own commands
        command,
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(temporary)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with process:
        try:
            _, said = process.communicate()
        except BaseException:
            kill_session(process.pid)
            raise
    if process.returncode:
        raise BenchmarkError(f"{' '.join(command)}: ended with {process.returncode}: {said[-2000:]}")
