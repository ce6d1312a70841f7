"""What the function does with a day: makes it as a whole, plans it, makes a part of it, joins its parts."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any, Final

from benchmarks.flights.hours import DAY
from flights.airports import Airports
from flights.making import Making
from flights.parts import Part, Plan
from flights.store import Counts, Store
from local.aws.folder_bucket import FolderBucket

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_FOREVER: Final = 1e9


def whole(scratch: Path, folder: Path, memory: int, updates: int) -> int:
    """Make the day at once; return how many flights it has."""
    (made,) = _making(scratch, folder, memory, updates).days([DAY], lambda: _FOREVER)
    assert made.flights is not None
    return made.flights


def planned(scratch: Path, folder: Path, memory: int, most_rows: int) -> Plan:
    """Plan the day in parts of so many rows at the most."""
    (made,) = _making(scratch, folder, memory, most_rows).days([DAY], lambda: _FOREVER, in_parts=True)
    assert made.plan is not None
    return made.plan


def part(scratch: Path, folder: Path, memory: int, given: Part) -> Counts:
    """Make a part."""
    return _making(scratch, folder, memory).part(given)


def joined(scratch: Path, folder: Path, memory: int, plan: Plan) -> int:
    """Join the parts of a day; return how many flights they have."""
    made = _making(scratch, folder, memory).join(plan)
    assert made.flights is not None
    return made.flights


def copied(folder: Path, plan: Plan, copies: int) -> Plan:
    """Return a plan with each part of this one so many times, each time with other aircraft; the parts are made."""
    found: list[Part] = []
    store = Store(_bucket(folder), "")
    path = folder / "part.gz"
    flights = [line for one in plan.parts for line in gzip.decompress((folder / one.key).read_bytes()).splitlines()]
    for copy in range(copies):
        one = Part(plan.day, "c0", copy, "", "", plan.parts[0].until)
        lines = sorted(_of_other_aircraft(flights, copy))
        with gzip.GzipFile(path, "wb", 1, mtime=0) as file:
            file.writelines(lines)
        store.put_part(one, path, Counts(0, len(lines), plan.made_of))
        found.append(one)
    path.unlink(missing_ok=True)
    return Plan(plan.day, plan.made_of, found)


def _of_other_aircraft(flights: Iterable[bytes], copy: int) -> Iterable[bytes]:
    """Yield flights, which begin with id and address, under other addresses: behind those of the copy before."""
    for line in flights:
        address = line[len(b'{"id":"') :].partition(b"-")[0]
        yield line.replace(address, b"%04X%s" % (copy, address), 2) + b"\n"


def _making(scratch: Path, folder: Path, memory: int, *most_rows: int) -> Making:
    return Making(Store(_bucket(folder), ""), Airports.shipped(), scratch, memory, *most_rows)


def _bucket(folder: Path) -> Any:
    return FolderBucket(folder)
