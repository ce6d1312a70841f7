"""The command line: `pipenv run reprocess`."""

from __future__ import annotations

import argparse
import sys
import time
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from local.command import run_command
from local.counted import counted
from local.output_file import NOT_WRITTEN, OutputError, OutputFile
from local.signals import ending_in_order
from local.simulator.options import count
from local.standard_output import surviving
from ops.errors import explained
from tools.query.errors import QueryError
from tools.query.span import parse
from tools.reprocess import deployed, one_machine
from tools.reprocess.errors import ReprocessError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tools.query.span import Span

_CANNOT_START: Final = 2
_MEMORY: Final = 1448
"""Megabytes that DuckDB has in the deployed function."""


def main(arguments: Sequence[str] | None = None, wait: Callable[[float], object] = time.sleep) -> int:
    """Do as the command line says; return the exit code. `wait` lets seconds pass."""
    options = _options(arguments)
    begun = False
    with surviving(), ending_in_order():
        try:
            span = parse(options.begin, options.end)
            with nullcontext() if options.report is None else OutputFile(options.report) as file:
                begun = True
                report = _reprocess(options, span, wait)
                print(_summary(report))  # noqa: T201 - a command line talks
                if file is not None:
                    file.write(report)
        except (QueryError, ReprocessError) as error:
            return _tell(str(error))
        except (BotoCoreError, ClientError) as error:
            return _tell(explained(error, deployed.NEEDS))
        except OutputError as error:
            _tell(f"--report: {error}")
            return NOT_WRITTEN if begun else _CANNOT_START
        except OSError as error:
            return _tell(f"{error.filename or options.on}: {error.strerror}. The same command goes on where it ended")
    return int(bool(report["failed"]))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="reprocess",
        description="Archives hours of arrival again, from their raw objects, and makes the flights that follow from "
        "them: those of a folder by the functions' own code on this machine, those of a stack by its state machine. "
        "What was done before an interruption is not done again.",
        epilog="Exit code: 0; 1 when something could not be done; 2 for a wrong option; 3 when no report was written.",
        allow_abbrev=False,
    )
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--on", type=Path, metavar="DIR", help="the folder of `local --out DIR`")
    where.add_argument("--stack", metavar="NAME", help="a deployed stack")
    parser.add_argument("--from", dest="begin", required=True, metavar="TIME", help="a day or an hour of arrival, UTC")
    parser.add_argument(
        "--to", dest="end", required=True, metavar="TIME", help="a day, inclusive, or an hour before which"
    )
    parser.add_argument(
        "--workers",
        type=count,
        help=f"how many at a time (default: one for each core, {deployed.WORKERS} invocations of a stack)",
    )
    parser.add_argument("--report", type=Path, metavar="FILE", help="write what was done as JSON")
    folder = parser.add_argument_group("with --on")
    folder.add_argument("--memory", type=count, metavar="MB", help=f"for DuckDB in each process (default: {_MEMORY})")
    stack = parser.add_argument_group("with --stack")
    stack.add_argument("--stop", action="store_true", help="end what is under way for this time")
    stack.add_argument("--region", help="default: as the shell or the profile says")
    stack.add_argument("--profile", help="profile of ~/.aws/config (default: as the shell says)")
    options = parser.parse_args(arguments)
    for name, belongs in (("memory", "on"), ("stop", "stack"), ("region", "stack"), ("profile", "stack")):
        if getattr(options, name) and getattr(options, belongs) is None:
            parser.error(f"--{name} is for --{belongs}")
    options.memory = options.memory or _MEMORY
    return options


def _reprocess(options: argparse.Namespace, span: Span, wait: Callable[[float], object]) -> dict[str, Any]:
    begin, end = span.begin or datetime.min, span.end or datetime.max  # noqa: DTZ901 - UTC; the options are required
    if options.stack is None:
        return one_machine.reprocess(options, begin, end)
    return deployed.reprocess(options, begin, end, wait)


def _summary(report: dict[str, Any]) -> str:
    before = f", {report['hours_done_before']} done before" if report["hours_done_before"] else ""
    done = (
        f"{counted(len(report['hours']), 'hour')} archived{before}: {counted(report['updates'], 'update')} in "
        f"{report['seconds']:g} s; flights of {counted(len(report['flights']), 'day')} made"
    )
    return "\n".join([done, *(f"{name} failed: {reason}" for name, reason in report["failed"].items())])


def _tell(text: str) -> int:
    print(f"reprocess: {text}", file=sys.stderr)  # noqa: T201 - a command line talks
    return 1


if __name__ == "__main__":
    run_command("reprocess", main)
