"""Traffic for a fault schedule: minutes of generated flights told in seconds, with alerts and malformed lines in it.

The flights, the emergencies and the malformed lines follow from the seed alone. Only the day on which it all happens
is that of the run: the consumer reckons with the time it is.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec

from local.simulator import times
from local.simulator.flights import GeneratedTraffic

if TYPE_CHECKING:
    from collections.abc import Iterator

_RATE, _AIRCRAFT = 10.0, 50
_DAY = times.parse("2024-03-04T00:00:00Z")
"""The flights are generated from here on, so that a seed gives the same ones on every day."""

_EMERGENCIES = 4
_LONGEST_EMERGENCY = 0.6
"""Of the whole: several suppression windows."""

_MALFORMED_SHARE = 0.01
_MALFORMED = (
    b'{"target":{"icao_address":%d,"timestamp":"2024-03-04T00:00:00Z"}}',
    b'{"target":{"icao_address":"BAD%03d","timestamp":"yesterday"}}',
    b'{"target":["no object",%d]}',
    b'{"target":{"icao_address":"CUT%03d","timesta',
    b"\xff\xfe\xfd no text at all %d",
    b"%d " + b"[" * 2000,
)


class _Line(msgspec.Struct):
    target: dict[str, Any]


class FaultTraffic:
    """A source for the simulator's feed: `updates` lines within `seconds` from `start` (epoch seconds) on."""

    kind = "faults"
    endless = False

    def __init__(self, *, seed: int, updates: int, seconds: float, start: float) -> None:
        self.start = start
        self.identity = f"faults seed={seed} updates={updates} seconds={seconds!r} start={start!r}"
        self._lines = list(self._generate(seed, updates, seconds))

    def __len__(self) -> int:
        return len(self._lines)

    def updates(self) -> Iterator[tuple[float, bytes]]:
        """Yield ingestion times (seconds since the epoch, never falling) and lines, from the start."""
        yield from self._lines

    def _generate(self, seed: int, updates: int, seconds: float) -> Iterator[tuple[float, bytes]]:
        rng = random.Random(f"traffic {seed}")
        flights = list(
            islice(GeneratedTraffic(rate=_RATE, aircraft=_AIRCRAFT, seed=seed, start=_DAY).updates(), updates)
        )
        last = flights[-1][0]
        pace = seconds / (last - _DAY)
        decoder = msgspec.json.Decoder(_Line)
        targets = [decoder.decode(line).target for _, line in flights]
        emergencies = _emergencies(sorted({str(target["icao_address"]) for target in targets}), rng)
        known: set[tuple[str, str, str]] = set()
        for number, ((ingested, _), seen) in enumerate(zip(flights, targets, strict=True)):
            target = dict(seen)
            moment = self.start + (ingested - _DAY) * pace
            if rng.random() < _MALFORMED_SHARE:
                yield moment, rng.choice(_MALFORMED) % number
            progress = (ingested - _DAY) / (last - _DAY)
            for address, begin, end, change in emergencies:
                if target["icao_address"] == address and begin <= progress < end:
                    target |= change
            target["timestamp"] = _text(self.start + (times.parse(target["timestamp"]) - _DAY) * pace)
            target["ingestion_time"] = _text(moment)
            key = (target["icao_address"], target["timestamp"], target["ingestion_time"])
            if key not in known:  # so fast, two sightings of one aircraft may fall into one millisecond
                known.add(key)
                yield moment, b'{"target":' + msgspec.json.encode(target) + b"}"


def _emergencies(aircraft: list[str], rng: random.Random) -> list[tuple[str, float, float, dict[str, Any]]]:
    """Choose who has which emergency, from when to when as shares of the whole."""
    found = []
    for address in rng.sample(aircraft, _EMERGENCIES):
        begin = rng.uniform(0.0, 1.0 - _LONGEST_EMERGENCY)
        change: dict[str, Any] = rng.choice(
            (
                {"squawk": rng.choice(("7500", "7600", "7700"))},
                {"vertical_rate": -6500, "on_ground": False},
                {"squawk": "7700", "vertical_rate": -7000, "on_ground": False},
            )
        )
        found.append((address, begin, begin + rng.uniform(0.1, _LONGEST_EMERGENCY), change))
    return found


def _text(seconds: float) -> str:
    return datetime.fromtimestamp(round(seconds, 3), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
