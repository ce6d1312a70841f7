"""Packages the functions: `./package.sh` finds a Python and runs this."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tools.packaging import bundle, wheels
from tools.packaging.errors import PackagingError
from tools.packaging.lock import read_pins

if TYPE_CHECKING:
    from collections.abc import Mapping

    Fetched = dict[str, dict[str, wheels.Wheel]]

ROOT = Path(__file__).resolve().parents[2]
ARCHITECTURES = {"arm64": ["arm64"], "x86_64": ["x86_64"], "both": ["arm64", "x86_64"]}
MEGABYTE = 1_000_000

SHARED = ("common", "live")
"""Rooms of `src` that every function has."""


@dataclass(frozen=True)
class Function:
    """What a function is made of: its name, the libraries it imports, the AWS services it calls."""

    name: str
    libraries: tuple[str, ...]
    services: frozenset[str]


def read_functions(source: Path) -> dict[str, Function]:
    """Return the functions under `source`, by name: the folders that have a requirements.txt."""
    functions = {}
    for listing in sorted(source.glob("*/requirements.txt")):
        services = listing.with_name("services.txt")
        if not services.exists():
            raise PackagingError(f"{services}: not there; expected the AWS services the function calls, one a line")
        name = listing.parent.name
        functions[name] = Function(name, tuple(_lines(listing)), frozenset(_lines(services)))
    return functions


def collect(function: Function, root: Path, fetched: Fetched) -> bundle.Files:
    """Return every file of a function's zip but the compiled ones; `fetched` are the wheels of each architecture.

    For several architectures the native modules lie side by side: Python tells them apart by their file names.
    """
    files: bundle.Files = {}
    for architecture, available in fetched.items():
        asked_by = f"src/{function.name}/requirements.txt"
        needed = wheels.closure(function.libraries, available, architecture, asked_by)
        for path, content in bundle.library_files(needed, set(function.services)).items():
            if files.setdefault(path, content) != content:
                raise PackagingError(
                    f"{path}: differs between {' and '.join(fetched)}; one folder cannot serve both. "
                    "Package for one architecture: --architecture arm64 or x86_64"
                )
    own = bundle.source_files(root / "src", [*SHARED, function.name])
    if clash := own.keys() & files.keys():
        raise PackagingError(f"{', '.join(sorted(clash))}: a library has a file of that name too; rename ours")
    return {**files, **own}


def default_caches(root: Path, environment: Mapping[str, str]) -> list[Path]:
    """Return where fetched wheels are kept unless an option says otherwise: the checkout, or the user's cache."""
    users = environment.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return [root / "dist" / ".wheels", Path(users) / "aircraft-stream" / "wheels"]


def first_writable(folders: list[Path]) -> Path:
    """Return the first of `folders` that files can be put into, which is made if it is not there.

    Raises
    ------
    PackagingError
        It is not one of them.
    """
    reasons = []
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                return folder
        except OSError as error:
            reasons.append(f"{folder} ({error.strerror})")
    raise PackagingError(
        f"the wheels cannot be kept in {' or '.join(reasons)}; name a place that can be written: --cache DIR"
    )


def main(arguments: list[str] | None = None) -> int:
    """Package as the command line says; return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        return _run(options)
    except PackagingError as error:
        print(f"package.sh: {error}", file=sys.stderr)  # noqa: T201 - a command line talks
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(  # noqa: T201 - the same
            f"package.sh: {where}{error.strerror or error}; expected a place that can be written, with 100 MB free. "
            "Name another: --output DIR for the zips, --cache DIR for the fetched wheels",
            file=sys.stderr,
        )
    return 1


def _run(options: argparse.Namespace) -> int:
    functions = read_functions(ROOT / "src")
    cache = Path(options.cache) if options.cache else first_writable(default_caches(ROOT, os.environ))
    running = "{}.{}.{}".format(*sys.version_info[:3])
    if options.into is None:
        if not bundle.compiles():
            raise PackagingError(
                f"running on Python {running} ({sys.executable}); expected {wheels.PYTHON_VERSION}, for the zips are "
                f"byte-compiled for it. Install it (pyenv install {wheels.PYTHON_VERSION}), or name one: "
                "PYTHON=/path/to/python3.13 ./package.sh"
            )
        chosen = [_known(name, functions) for name in options.only or functions]
        return _zip_all(chosen, _fetch(options, cache), options.architecture, Path(options.output))
    folder, name = options.into
    _known(name, functions)
    if not bundle.compiles():
        print(  # noqa: T201 - a command line talks
            f"package.sh: WARNING: no Python {wheels.PYTHON_VERSION} was found, and {running} cannot compile for it. "
            f"{name} goes without bytecode: it works, and each cold start takes some 100 ms more.",
            file=sys.stderr,
        )
    with tempfile.TemporaryDirectory(prefix="package-compiled-") as compiled:
        bundle.write(collect(functions[name], ROOT, _fetch(options, cache)), Path(folder), Path(compiled))
    return 0


def _fetch(options: argparse.Namespace, cache: Path) -> Fetched:
    pins = read_pins(ROOT / "Pipfile.lock")
    return {each: wheels.fetch(pins, each, cache) for each in ARCHITECTURES[options.architecture]}


def _known(name: str, functions: dict[str, Function]) -> Function:
    if name not in functions:
        raise PackagingError(f"{name}: no such function; expected one of {', '.join(functions)}")
    return functions[name]


def _zip_all(functions: list[Function], fetched: Fetched, label: str, output: Path) -> int:
    rows = []
    with tempfile.TemporaryDirectory(prefix="package-compiled-") as compiled:
        for number, function in enumerate(functions, start=1):
            progress = f"{number} of {len(functions)}: {function.name}, laid out, compiled and zipped"
            print(f"package.sh: {progress} ...", file=sys.stderr)  # noqa: T201 - a command line talks
            with tempfile.TemporaryDirectory(prefix="package-") as temporary:
                folder = Path(temporary)
                bundle.write(collect(function, ROOT, fetched), folder, Path(compiled))
                target = output / f"{function.name}.zip"
                bundle.write_zip(folder, target)
                sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
            rows.append((target.name, target.stat().st_size, sum(sizes), len(sizes)))
    print(f"{output}, Python {wheels.PYTHON_VERSION}, {label}")  # noqa: T201 - a command line talks
    print(f"{'zip':<18}{'zipped MB':>10}{'unzipped MB':>13}{'files':>7}")  # noqa: T201 - a command line talks
    for name, zipped, unzipped, count in rows:
        print(f"{name:<18}{zipped / MEGABYTE:>10.2f}{unzipped / MEGABYTE:>13.2f}{count:>7}")  # noqa: T201 - the same
    return 0


def _parser() -> argparse.ArgumentParser:
    width = shutil.get_terminal_size().columns
    parser = argparse.ArgumentParser(
        prog="package.sh",
        description="Make one reproducible zip per function, from src/ and Pipfile.lock alone.",
        formatter_class=lambda prog: argparse.HelpFormatter(prog, width=width),
    )
    parser.add_argument(
        "--architecture",
        choices=list(ARCHITECTURES),
        default="arm64",
        help="Lambda architecture (default: arm64); both puts the native modules side by side, some 1 MB more",
    )
    parser.add_argument("--output", default=str(ROOT / "dist"), help="where the zips go (default: dist)")
    parser.add_argument(
        "--cache", help="where fetched wheels are kept (default: dist/.wheels, or ~/.cache where that is read-only)"
    )
    parser.add_argument("--only", action="append", metavar="NAME", help="this function; may be given several times")
    parser.add_argument(
        "--into", nargs=2, metavar=("DIR", "NAME"), help="no zip: lay out one function's files in DIR, for `sam build`"
    )
    return parser


def _lines(path: Path) -> list[str]:
    lines = (line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line]


if __name__ == "__main__":
    sys.exit(main())
