"""The recording's updates as flights read them, with or without what the provider says of them."""

from __future__ import annotations

import gzip
import json
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from flights.position import Position

if TYPE_CHECKING:
    from pathlib import Path


class Recorded(NamedTuple):
    """Positions by aircraft, and the provider's take-offs and landings: addresses and milliseconds."""

    positions: dict[str, list[Position]]
    takeoffs: set[tuple[str, int]]
    landings: set[tuple[str, int]]
    until: int
    updates: list[dict[str, Any]]


_TIMES = ("timestamp", "ingestion_time")
_TAKEN = tuple(name for name in Position._fields if name not in {"time", "altitude", "takeoff_time", "landing_time"})


def recorded(path: Path, *, withheld: frozenset[str] = frozenset()) -> Recorded:
    """Read a recording; fields that are `withheld` are absent from its positions."""
    with gzip.open(path) as lines:
        updates = [json.loads(line)["target"] for line in lines]
    positions: dict[str, list[Position]] = {}
    takeoffs, landings = set(), set()
    for update in updates:
        address = update["icao_address"]
        takeoff, landing = milliseconds(update.get("takeoff_time")), milliseconds(update.get("landing_time"))
        takeoffs |= {(address, takeoff)} - {(address, None)}
        landings |= {(address, landing)} - {(address, None)}
        said = {name: value for name, value in update.items() if name not in withheld}
        position = Position(
            time=min(time for name in _TIMES if (time := milliseconds(update[name])) is not None),
            altitude=said.get("altitude_baro"),
            takeoff_time=None if "takeoff_time" in withheld else takeoff,
            landing_time=None if "landing_time" in withheld else landing,
            **{name: said.get(name) for name in _TAKEN},
        )
        positions.setdefault(address, []).append(position)
    until = max(one.time for found in positions.values() for one in found)
    return Recorded(positions, takeoffs, landings, until, updates)


def milliseconds(text: str | None) -> int | None:
    """Return milliseconds since the epoch of an RFC 3339 time."""
    return None if text is None else round(datetime.fromisoformat(text).timestamp() * 1_000)
