"""Hours and days of a folder, done by as many processes as there are cores."""

from __future__ import annotations

import multiprocessing
import os
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from tools.reprocess import items, progress
from tools.reprocess.errors import ReprocessError
from tools.reprocess.journal import Journal

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Sequence

    from flights.parts import Plan

_BROKEN: Final = (
    "a process ended by itself, for want of memory perhaps: try fewer --workers, or less --memory. The same command "
    "goes on where this one ended"
)


def reprocess(options: argparse.Namespace, begin: datetime, end: datetime) -> dict[str, Any]:
    """Do the hours of arrival from `begin` on and before `end`, and the flights; return the report.

    Raises
    ------
    ReprocessError
        Nothing arrived then, or a process ended by itself.
    OSError
        The folder cannot be used.
    """
    began = time.monotonic()
    workers = options.workers or os.cpu_count() or 1
    there = items.folders(options.on)
    hours = items.hours_between(there, begin, end)
    if not hours:
        arrived = items.hours_between(there, datetime.min, datetime.max)  # noqa: DTZ901 - UTC, as all of them
        of = f"; what is there arrived from {arrived[0]} to {arrived[-1]}" if arrived else ""
        raise ReprocessError(
            f"{options.on}: no raw objects from {options.begin} to {options.end}{of}; expected a folder of `pipenv run "
            "local --out DIR`, and a time in which something arrived"
        )
    journal = Journal(options.on, f"{begin:%Y%m%dT%H%M}-{end:%Y%m%dT%H%M}")
    left = [hour for hour in hours if hour not in journal.done]
    failed: dict[str, str] = {}
    archived: dict[str, dict[str, Any]] = {}
    flights: dict[str, dict[str, Any]] = {}
    for hour, result in _all(workers, partial(items.archive_hour, options.on, options.memory), left, "hours"):
        if isinstance(result, str):
            failed[hour] = result
        else:
            archived[hour] = result
            journal.add(hour)
    days = sorted({*items.days_archived(options.on), *items.days_between(hours)})
    plans: list[Plan] = []
    for day, result in _all(workers, partial(items.make_flights, options.on, options.memory), days, "days of flights"):
        if isinstance(result, str):
            failed[day] = result
        elif "plan" in result:
            plans.append(result["plan"])
        elif result["flights"] is not None:
            flights[day] = result
    _make_parts(options, workers, plans, flights, failed)
    if not failed:
        journal.finish()
    return {
        "from": options.begin,
        "to": options.end,
        "workers": workers,
        "seconds": round(time.monotonic() - began, 3),
        "hours_done_before": len(hours) - len(left),
        "updates": sum(result["updates"] for result in archived.values()),
        "hours": dict(sorted(archived.items())),
        "flights": dict(sorted(flights.items())),
        "failed": failed,
    }


def _make_parts(
    options: argparse.Namespace,
    workers: int,
    plans: Sequence[Plan],
    flights: dict[str, dict[str, Any]],
    failed: dict[str, str],
) -> None:
    """Make the days that are too large for one run, the parts of all of them side by side."""
    parts = [part for plan in plans for part in plan.parts]
    for part, result in _all(workers, partial(items.make_part, options.on, options.memory), parts, "parts of days"):
        if isinstance(result, str):
            failed[part.day] = result
    whole = [plan for plan in plans if plan.day not in failed]
    for plan, result in _all(workers, partial(items.join_parts, options.on, options.memory), whole, "days of parts"):
        if isinstance(result, str):
            failed[plan.day] = result
        else:
            flights[plan.day] = result


def _all[Item](
    workers: int, work: Callable[[Item], dict[str, Any]], names: Sequence[Item], what: str
) -> Iterator[tuple[Item, dict[str, Any] | str]]:
    """Yield what came of each, in the order in which they end: a result, or why there is none."""
    if not names:
        return
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
            progress.show(
                f"{what}: {done} of {len(names)}, {updates:,} updates, {rate:,.0f}/s", last=done == len(names)
            )
            yield futures[future], outcome
    finally:
        pool.shutdown(cancel_futures=True)
