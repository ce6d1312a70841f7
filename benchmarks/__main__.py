"""`pipenv run bench`: every comparison and measurement, or some, as a table and as JSON."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from benchmarks import cases, measures
from benchmarks.harness import machine
from benchmarks.harness.comparison import compare
from benchmarks.harness.processes import BenchmarkError
from benchmarks.harness.workspace import FULL, QUICK, Workspace
from benchmarks.report import table
from local.shell_settings import shut_out

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.status import Status


_LOG_WIDTH = 120
"""Columns where there is no terminal to ask, such as in the log of CI."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__, allow_abbrev=False)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    parser.add_argument("--quick", action="store_true", help="small workloads, ratios only: under a minute")
    parser.add_argument(
        "--only",
        action="append",
        metavar="NAME",
        choices=[*cases.names(), *measures.names()],
        help=f"run this one; may be given several times: {', '.join([*cases.names(), *measures.names()])}",
    )
    parser.add_argument("--updates", type=int, metavar="N", help=f"updates generated (default {FULL.updates})")
    parser.add_argument("--runs", type=int, metavar="N", help=f"runs of each side (default {FULL.runs})")
    parser.add_argument(
        "--memory-seconds", type=float, metavar="S", help=f"length of the memory run (default {FULL.memory_seconds:g})"
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; return the exit code."""
    options = _parser().parse_args(arguments)
    shut_out(os.environ)
    sizes = QUICK if options.quick else FULL
    for name in ("updates", "runs", "memory_seconds"):
        if (value := getattr(options, name)) is not None:
            sizes = replace(sizes, **{name: value})
    console = Console(width=None if sys.stdout.isatty() else _LOG_WIDTH)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, console.status("") as status:
        workspace = Workspace(Path(folder), sizes)
        results: dict[str, Any] = {"machine": machine.describe()}
        failed = False
        for name in options.only or _default(quick=options.quick):
            try:
                results[name] = _run(name, workspace, partial(_tell, status, name))
            except BenchmarkError as error:  # the others' figures are worth having all the same
                console.print(f"bench: {name}: {error}", style="red", markup=False)
                failed = True
    table.show(results, console)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return int(failed)


def _tell(status: Status, name: str, text: str) -> None:
    status.update(f"{name}: {text}")


def _default(*, quick: bool) -> list[str]:
    return cases.names() if quick else [*cases.names(), *measures.names()]


def _run(name: str, workspace: Workspace, said: Callable[[str], None]) -> dict[str, Any]:
    said("making the workload")
    if name in cases.names():
        return compare(cases.load(name), workspace, said)
    return measures.load(name)(workspace, said)


if __name__ == "__main__":
    sys.exit(main())
