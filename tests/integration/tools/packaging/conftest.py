"""Packages as package.sh makes them: built for this machine's processor, from a copy nobody else changes meanwhile."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import zipfile

import pytest

FUNCTIONS = ("consumer", "aggregator", "alerts", "api", "archive", "flights")


@pytest.fixture(scope="session", name="copy_of")
def copy_of_fixture():
    """Copies what packaging reads into a folder."""
    return copy_of


def copy_of(repository, folder):
    """Copy what packaging reads; the fetched wheels are shared with the original, so that they are fetched once."""
    for name in ("src", "tools"):
        shutil.copytree(repository / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("package.sh", "Pipfile.lock"):
        shutil.copy2(repository / name, folder / name)
    (folder / "dist").mkdir()
    wheels = (repository / "dist" / ".wheels").resolve()
    wheels.mkdir(parents=True, exist_ok=True)
    (folder / "dist" / ".wheels").symlink_to(wheels)
    return folder


def run_package(folder, *options):
    """Run package.sh of the copy in `folder`."""
    return subprocess.run(
        [folder / "package.sh", *options],
        env={**os.environ, "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="session")
def machine():
    """The architecture of this machine, in Lambda's words."""
    return {"x86_64": "x86_64", "AMD64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}[platform.machine()]


@pytest.fixture(scope="session")
def checkout(repository, tmp_path_factory):
    """A copy of the sources."""
    return copy_of(repository, tmp_path_factory.mktemp("checkout"))


@pytest.fixture(scope="session")
def built(checkout, machine):
    """What package.sh said; its zips are in the checkout's dist."""
    finished = run_package(checkout, "--architecture", machine)
    assert finished.returncode == 0, finished.stderr
    return finished


@pytest.fixture(scope="session")
def zips(checkout, built):  # noqa: ARG001 - they have to be built before they are there
    """The zips, by function."""
    return {name: checkout / "dist" / f"{name}.zip" for name in FUNCTIONS}


@pytest.fixture(scope="session")
def unzipped(zips, tmp_path_factory):
    """Each zip unpacked as Lambda does, by function."""
    folders = {}
    for name, path in zips.items():
        folders[name] = tmp_path_factory.mktemp(name)
        with zipfile.ZipFile(path) as archive:
            archive.extractall(folders[name])
    return folders


@pytest.fixture(scope="session")
def run_packaging():
    """Runs package.sh of a checkout with options."""
    return run_package


@pytest.fixture(scope="session")
def rebuild(tmp_path_factory):
    """Packages these functions of a copy of a checkout, in another folder; gives that folder."""

    def build(checkout, architecture, names):
        other = copy_of(checkout, tmp_path_factory.mktemp("rebuilt"))
        only = [option for name in names for option in ("--only", name)]
        finished = run_package(other, "--architecture", architecture, *only)
        assert finished.returncode == 0, finished.stderr
        return other

    return build


@pytest.fixture(params=FUNCTIONS)
def name(request):
    """Each function's name."""
    return request.param
