"""What is done by one process at a time: an hour of arrival archived again, a day's flights made."""

from __future__ import annotations

import shutil
import signal
import tempfile
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from archive.archiving import Archiving
from archive.hours import parse
from archive.report import Report
from archive.settings import MOST_UPDATES
from archive.staging import Staging
from archive.store import Store
from flights import parts
from flights.airports import Airports
from flights.days import parsed
from flights.making import Making
from flights.store import Store as FlightsStore
from local.aws.folder_bucket import FolderBucket

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from flights.parts import Part, Plan

MOST_LATE: Final = timedelta(hours=24)
"""How old an update is at the most when it arrives: batch mode, by which an outage is made up for, goes back so far."""

NO_END: Final = 1e9
"""Seconds: nothing ends a process here as Lambda does after 15 minutes."""


def begin_process() -> None:
    """Leave Ctrl-C to the process that gives out the work."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def archive_hour(folder: Path, memory_megabytes: int, hour: str) -> dict[str, Any]:
    """Archive an hour of arrival again; return the function's report."""
    bucket: Any = FolderBucket(folder)
    with tempfile.TemporaryDirectory(prefix="reprocess-") as name:
        scratch = Path(name)
        staging = Staging(scratch, memory_megabytes)
        try:
            archiving = Archiving(Store(bucket, ""), staging, scratch, MOST_UPDATES)
            archiving.run([parse(hour)], lambda: NO_END, report := Report(), again=True)
            return report.as_json()
        finally:
            staging.close()


def make_flights(folder: Path, memory_megabytes: int, day: str) -> dict[str, Any]:
    """Make a day's flights if the archive has changed since they were made; return what became of it.

    A day that is too large for one run is left, with its `plan`, to `make_part` and `join_parts`.
    """
    with _making(folder, memory_megabytes) as making:
        (made,) = making.days([parsed(day)], lambda: NO_END, only_changed=True, in_parts=True)
    return {"updates": made.updates, "flights": made.flights} | ({"plan": made.plan} if made.plan else {})


def make_part(folder: Path, memory_megabytes: int, part: Part) -> dict[str, Any]:
    """Make a part of a day's flights; return what came of it."""
    with _making(folder, memory_megabytes) as making:
        return making.part(part)._asdict()


def join_parts(folder: Path, memory_megabytes: int, plan: Plan) -> dict[str, Any]:
    """Put a day's parts together, which are then gone; return what became of it."""
    with _making(folder, memory_megabytes) as making:
        made = making.join(plan)
    shutil.rmtree((folder / plan.parts[0].key).parent.parent)
    return {"updates": made.updates, "flights": made.flights}


@contextmanager
def _making(folder: Path, memory_megabytes: int) -> Iterator[Making]:
    bucket: Any = FolderBucket(folder)
    with tempfile.TemporaryDirectory(prefix="reprocess-") as name:
        yield Making(FlightsStore(bucket, ""), Airports.shipped(), Path(name), memory_megabytes, parts.MOST_ROWS)


def hours_between(folders: Iterable[str], begin: datetime, end: datetime) -> list[str]:
    """Return the hours of arrival from `begin` on and before `end` of which there are raw objects.

    `folders` are those of the hours, as keys have them: `raw/date=2024-03-04/hour=23`.
    """
    found = []
    for folder in sorted(folders):
        _, day, hour = folder.split("/")
        try:
            arrival = parse(f"{day.removeprefix('date=')}T{hour.removeprefix('hour=')}")
        except ValueError:
            continue  # not an hour's folder
        if begin <= arrival.replace(tzinfo=None) < end:
            found.append(f"{arrival:%Y-%m-%dT%H}")
    return found


def folders(folder: Path) -> list[str]:
    """Return the folders below `raw/` of a data bucket that lies in a folder."""
    return [str(path.relative_to(folder)) for path in (folder / "raw").glob("date=*/hour=*")]


def days_between(hours: Iterable[str]) -> list[str]:
    """Return the days whose flights may follow from hours of arrival: what arrives is a day old at the most.

    A day's flights are made of the updates of the day before and of the day after it as well (`flights.days.hours`).
    """
    days = {(parse(hour) - MOST_LATE).date() + timedelta(days=ahead) for hour in hours for ahead in range(-2, 3)}
    return [str(day) for day in sorted(days)]


def days_archived(folder: Path) -> list[str]:
    """Return the days that the archive has."""
    return sorted(path.name.removeprefix("date=") for path in (folder / "archive" / "updates").glob("date=*"))
