"""`pipenv run bench`: every comparison and measurement, or some, as a table and as JSON."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import traceback
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from benchmarks import cases, measures
from benchmarks.harness import machine
from benchmarks.harness.comparison import compare
from benchmarks.harness.processes import BenchmarkError
from benchmarks.harness.workspace import FULL, QUICK, Workspace
from benchmarks.report import table
from benchmarks.report.progress import Progress
from local.command import run_command
from local.machine import MachineError, check
from local.output_file import NOT_WRITTEN, OutputError, OutputFile
from local.shell_settings import shut_out
from local.signals import ending_in_order
from local.simulator.options import count, positive
from local.standard_output import surviving
from local.threads import ThreadWatch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.harness.workspace import Sizes

_CANNOT_START = 2
_LOG_WIDTH = 120
"""Columns where there is no terminal to ask, such as in the log of CI."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bench",
        description=__doc__,
        epilog="Exit code: 0; 1 when a benchmark failed; 2 for a wrong option; 3 when no figures could be written. "
        "All of them take about half an hour.",
        allow_abbrev=False,
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    parser.add_argument("--quick", action="store_true", help="small workloads, ratios only: under a minute")
    parser.add_argument(
        "--only",
        action="append",
        metavar="NAME",
        choices=[*cases.names(), *measures.names()],
        help=f"run this one; may be given several times: {', '.join([*cases.names(), *measures.names()])}",
    )
    parser.add_argument("--updates", type=count, metavar="N", help=f"updates generated (default {FULL.updates})")
    parser.add_argument("--runs", type=count, metavar="N", help=f"runs of each side (default {FULL.runs})")
    parser.add_argument(
        "--memory-seconds",
        type=positive,
        metavar="S",
        help=f"length of the memory run (default {FULL.memory_seconds:g})",
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; return the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    options.sizes = _sizes(options)
    for name in options.only or ():
        if name in measures.CLOCKED and not getattr(options.sizes, measures.CLOCKED[name]):
            parser.error(f"argument --only: {name} runs by the clock, for no time with --quick; leave --quick out")
    shut_out(os.environ)
    with surviving() as output, ending_in_order(), ThreadWatch(_complain) as threads:
        code = _measure(options)
        if threads.failed.is_set():
            code = code or 1
        output.flush()
        if output.lost is not None:
            _complain(f"standard output: {output.lost.strerror}; the figures could not be shown")
            code = code or NOT_WRITTEN
    return code


def _sizes(options: argparse.Namespace) -> Sizes:
    sizes = QUICK if options.quick else FULL
    given = {name: getattr(options, name) for name in ("updates", "runs", "memory_seconds")}
    return replace(sizes, **{name: value for name, value in given.items() if value is not None})


def _measure(options: argparse.Namespace) -> int:
    names = list(dict.fromkeys(options.only or _default(quick=options.quick)))
    console = Console(width=None if sys.stdout.isatty() else _LOG_WIDTH)
    done = False
    try:
        check()
        with (
            nullcontext() if options.json is None else OutputFile(options.json) as file,
            tempfile.TemporaryDirectory(prefix="bench-") as folder,
        ):
            results, failed = _run_all(names, Workspace(Path(folder), options.sizes), console)
            done = True
            table.show(results, console)
            if file is not None:
                file.write(results)
    except MachineError as error:
        _complain(str(error))
        return _CANNOT_START
    except OutputError as error:
        _complain(f"--json: {error}")
        return NOT_WRITTEN if done else _CANNOT_START
    return int(failed)


def _run_all(names: Sequence[str], workspace: Workspace, console: Console) -> tuple[dict[str, Any], bool]:
    results: dict[str, Any] = {"machine": machine.describe()}
    failed = False
    with Progress(console, names) as progress:
        for name in names:
            progress.begin(name)
            try:
                results[name] = _run(name, workspace, progress.step)
            except BenchmarkError as error:  # the others' figures are worth having all the same
                console.print(f"bench: {name}: {error}", style="red", markup=False)
                failed = True
            except Exception:  # noqa: BLE001 - so they are when a benchmark has a fault of its own
                console.print(f"bench: {name}: {traceback.format_exc()}", style="red", markup=False)
                failed = True
            progress.end()
    return results, failed


def _complain(text: str) -> None:
    sys.stderr.write(f"bench: error: {text}\n")


def _default(*, quick: bool) -> list[str]:
    return cases.names() if quick else [*cases.names(), *measures.names()]


def _run(name: str, workspace: Workspace, said: Callable[[str], None]) -> dict[str, Any]:
    said("making the workload")
    if name in cases.names():
        return compare(cases.load(name), workspace, said)
    return measures.load(name)(workspace, said)


if __name__ == "__main__":
    run_command("bench", main)
