"""The command line: `pipenv run reprocess`."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import nullcontext
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from local.output_file import NOT_WRITTEN, OutputError, OutputFile
from local.signals import ending_in_order
from local.simulator.options import count
from local.standard_output import surviving
from tools.query.errors import QueryError
from tools.query.span import parse
from tools.reprocess import items
from tools.reprocess.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tools.query.span import Span

_CANNOT_START: Final = 2
_MEMORY: Final = 1448
"""Megabytes that DuckDB has in the deployed function."""

_BROKEN: Final = (
    "a process ended by itself, for want of memory perhaps: try fewer --workers, or less --memory. The same command "
    "goes on where this one ended"
)


class ReprocessError(Exception):
    """It cannot begin, or cannot go on; the message says why, and what to do."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do as the command line says; return the exit code."""
    options = _parser().parse_args(arguments)
    begun = False
    with surviving(), ending_in_order():
        try:
            span = parse(options.begin, options.end)
            with nullcontext() if options.report is None else OutputFile(options.report) as file:
                begun = True
                report = _reprocess(options, span)
                print(_summary(report))  # noqa: T201 - a command line talks
                if file is not None:
                    file.write(report)
        except (QueryError, ReprocessError) as error:
            return _tell(str(error))
        except OutputError as error:
            _tell(f"--report: {error}")
            return NOT_WRITTEN if begun else _CANNOT_START
        except OSError as error:
            return _tell(f"{error.filename or options.on}: {error.strerror}. The same command goes on where it ended")
    return int(bool(report["failed"]))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="reprocess",
        description="Archives hours of arrival again, from their raw objects, and makes the flights that follow from "
        "them, by the deployed functions' own code. What was done before an interruption is not done again.",
        epilog="Exit code: 0; 1 when something could not be done; 2 for a wrong option; 3 when no report was written.",
        allow_abbrev=False,
    )
    parser.add_argument("--on", type=Path, required=True, metavar="DIR", help="the folder of `local --out DIR`")
    parser.add_argument("--from", dest="begin", required=True, metavar="TIME", help="a day or an hour of arrival, UTC")
    parser.add_argument(
        "--to", dest="end", required=True, metavar="TIME", help="a day, inclusive, or an hour before which"
    )
    parser.add_argument("--workers", type=count, default=os.cpu_count() or 1, help="processes (default: %(default)s)")
    parser.add_argument("--memory", type=count, default=_MEMORY, help="MB for DuckDB in each (default: %(default)s)")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write what was done as JSON")
    return parser


def _reprocess(options: argparse.Namespace, span: Span) -> dict[str, Any]:
    began = time.monotonic()
    begin, end = span.begin or datetime.min, span.end or datetime.max  # noqa: DTZ901 - UTC; the options are required
    hours = items.hours_between(options.on, begin, end)
    if not hours:
        raise ReprocessError(
            f"{options.on}: no raw objects from {options.begin} to {options.end}; expected a folder of `pipenv run "
            "local --out DIR`, and a time in which something arrived"
        )
    journal = Journal(options.on, f"{begin:%Y%m%dT%H%M}-{end:%Y%m%dT%H%M}")
    left = [hour for hour in hours if hour not in journal.done]
    failed: dict[str, str] = {}
    archived: dict[str, dict[str, Any]] = {}
    flights: dict[str, dict[str, Any]] = {}
    for hour, result in _all(options.workers, partial(items.archive_hour, options.on, options.memory), left, "hours"):
        if isinstance(result, str):
            failed[hour] = result
        else:
            archived[hour] = result
            journal.add(hour)
    days, make = items.days_archived(options.on), partial(items.make_flights, options.on, options.memory)
    for day, result in _all(options.workers, make, days, "days of flights"):
        if isinstance(result, str):
            failed[day] = result
        elif result["flights"] is not None:
            flights[day] = result
    if not failed:
        journal.finish()
    return {
        "from": options.begin,
        "to": options.end,
        "workers": options.workers,
        "seconds": round(time.monotonic() - began, 3),
        "hours_done_before": len(hours) - len(left),
        "updates": sum(result["updates"] for result in archived.values()),
        "hours": dict(sorted(archived.items())),
        "flights": dict(sorted(flights.items())),
        "failed": failed,
    }


def _all(
    workers: int, work: Callable[[str], dict[str, Any]], names: Sequence[str], what: str
) -> Iterator[tuple[str, dict[str, Any] | str]]:
    """Yield what came of each, in the order in which they end: a result, or why there is none."""
    updates, began = 0, time.monotonic()
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=items.begin_process)
    try:
        futures = {pool.submit(work, name): name for name in names}
        for done, future in enumerate(as_completed(futures), 1):
            try:
                result = future.result()
                updates += result["updates"]
                outcome: dict[str, Any] | str = result
            except BrokenProcessPool as error:
                raise ReprocessError(_BROKEN) from error
            except Exception as error:  # noqa: BLE001 - one hour's failure is not the others'
                outcome = f"{type(error).__name__}: {error}"
            rate = updates / max(time.monotonic() - began, 1e-3)
            _progress(f"{what}: {done} of {len(names)}, {updates:,} updates, {rate:,.0f}/s", last=done == len(names))
            yield futures[future], outcome
    finally:
        pool.shutdown(cancel_futures=True)


def _progress(text: str, *, last: bool) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{text}\x1b[K" + "\n" * last)
    elif last:
        sys.stderr.write(text + "\n")
    sys.stderr.flush()


def _summary(report: dict[str, Any]) -> str:
    before = f", {report['hours_done_before']} done before" if report["hours_done_before"] else ""
    done = (
        f"{len(report['hours'])} hours archived{before}: {report['updates']:,} updates in {report['seconds']:g} s; "
        f"flights of {len(report['flights'])} days made"
    )
    return "\n".join([done, *(f"{name} failed: {reason}" for name, reason in report["failed"].items())])


def _tell(text: str) -> int:
    print(f"reprocess: {text}", file=sys.stderr)  # noqa: T201 - a command line talks
    return 1


if __name__ == "__main__":
    sys.exit(main())
