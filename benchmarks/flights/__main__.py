"""`pipenv run python -m benchmarks.flights`: a day's flights as a whole, in parts, and joined.

Parts give what the whole day gives, byte for byte, or it ends with an error. What the world's day would take
follows from the costs of an update and of a flight.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.flights import hours, runs
from benchmarks.harness import machine
from benchmarks.harness.alone import measured, say
from benchmarks.harness.processes import BenchmarkError
from common import flight_book
from flights import schema
from flights.parts import MOST_ROWS
from local.simulator.options import count

if TYPE_CHECKING:
    from collections.abc import Sequence

WORLD_RATE: Final = 4_000
"""Updates a second."""

_DAY_SECONDS: Final = 86_400
_DAYS: Final = 3
"""Whose updates a day's flights are made of."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print what came out as JSON; return the exit code."""
    parser = argparse.ArgumentParser(prog="flights", description=__doc__, allow_abbrev=False)
    parser.add_argument("--updates", type=count, default=1_000_000, help="of the day (default: %(default)s)")
    parser.add_argument("--parts", type=count, default=4, help="in which it is made (default: %(default)s)")
    parser.add_argument("--flights", type=count, default=20_000, help="that are joined (default: %(default)s)")
    parser.add_argument("--memory", type=count, default=1_024, help="MB for DuckDB (default: %(default)s)")
    options = parser.parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory(prefix="flights-") as name:
            figures = measure(Path(name), options.updates, options.parts, options.flights, options.memory)
    except BenchmarkError as error:
        say(f"flights: error: {error}")
        return 1
    print(json.dumps(figures, indent=1))  # noqa: T201 - what was asked for
    return 0


def measure(folder: Path, updates: int, parts: int, flights: int, memory: int) -> dict[str, Any]:
    """Return what a day of so many updates takes, a join of so many flights, and the world's day by it.

    Raises
    ------
    BenchmarkError
        Joined parts are not what the whole day is.
    """
    say(f"{updates:,} updates are generated")
    updates = hours.write(folder, updates, parts)
    scratch = folder / "scratch"
    made, cost = measured("as a whole", runs.whole, scratch, folder, memory, updates)
    objects = [folder / key(str(hours.DAY)) for key in (schema.key, flight_book.key)]
    of_whole = [path.read_bytes() for path in objects]
    say(f"{updates:,} updates, {made:,} flights")

    plan, planning = measured("the plan", runs.planned, scratch, folder, memory, -(-updates // parts))
    of_parts = [
        measured(f"part {one.number + 1} of {len(plan.parts)}", runs.part, scratch, folder, memory, one)[1]
        for one in plan.parts
    ]
    measured("the join", runs.joined, scratch, folder, memory, plan)
    if [path.read_bytes() for path in objects] != of_whole:
        raise BenchmarkError("the parts, joined, are not what the whole day is")
    parts_seconds = sum(one.cpu_seconds for one in of_parts)

    many = runs.copied(folder, plan, -(-flights // max(1, made)))
    joined, joining = measured("a join of many flights", runs.joined, scratch, folder, memory, many)
    book = objects[1].stat().st_size
    world = WORLD_RATE * _DAY_SECONDS
    world_flights = round(made / updates * world)
    world_parts = -(-_DAYS * world // MOST_ROWS)
    return {
        "machine": machine.describe(),
        "updates": updates,
        "flights": made,
        "memory_for_duckdb_mb": memory,
        "whole": {
            "cpu_us_per_update": _micro(cost.cpu_seconds, updates),
            "most_resident_mb": cost.most_resident_mb,
            "most_disk_mb": cost.most_disk_mb,
        },
        "in_parts": {
            "parts": len(plan.parts),
            "cpu_us_per_update": _micro(parts_seconds, updates),
            "most_resident_mb": max(one.most_resident_mb for one in of_parts),
            "plan_cpu_seconds": round(planning.cpu_seconds, 2),
        },
        "join": {
            "flights": joined,
            "cpu_us_per_flight": _micro(joining.cpu_seconds, joined),
            "most_resident_mb": joining.most_resident_mb,
            "most_disk_mb": joining.most_disk_mb,
            "book_bytes_per_flight": round(book / joined),
        },
        "world": {
            "updates": _DAYS * world,
            "parts": world_parts,
            "cpu_seconds_of_a_part": round(parts_seconds / updates * _DAYS * world / world_parts),
            "flights": world_flights,
            "cpu_seconds_of_the_join": round(joining.cpu_seconds / joined * world_flights),
            "disk_mb_of_the_join": round(joining.most_disk_mb / joined * world_flights),
            "book_mb": round(book / joined * world_flights / 1e6),
        },
    }


def _micro(seconds: float, of: int) -> float:
    return round(seconds / of * 1e6, 2)


if __name__ == "__main__":
    sys.exit(main())
