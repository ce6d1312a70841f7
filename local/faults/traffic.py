"""Traffic for a fault schedule: a minute of generated flights played in seconds, with alerts and malformed lines in it.

The flights, the emergencies and the malformed lines follow from the seed alone. Only the day on which it all happens
is that of the run: the consumer goes by the time it is.
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
    from collections.abc import Callable, Iterator

_RATE, _AIRCRAFT = 10.0, 50
_DAY = times.parse("2024-03-04T00:00:00Z")
"""The flights are generated from here on, so that a seed gives the same ones on every day."""

_EMERGENCIES = 4
_LONGEST_EMERGENCY = 0.6
"""Of the whole: several suppression windows."""

_WRONG_CLOCKS, _WRONG_TIMES = 0.25, 0.3
"""Shares of the schedules in which an aircraft has wrong times, and of its updates that have."""

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
        wrong_clock = _wrong_clock(
            seed, {str(one["icao_address"]) for one in targets} - {one[0] for one in emergencies}
        )
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
            target["ingestion_time"] = _text(moment + wrong_clock(target["icao_address"]))
            key = (target["icao_address"], target["timestamp"], target["ingestion_time"])
            if key not in known:  # so fast, two sightings of one aircraft may fall into one millisecond
                known.add(key)
                yield moment, b'{"target":' + msgspec.json.encode(target) + b"}"


def has_wrong_times(seed: int) -> bool:
    """Tell whether an aircraft of the seed's traffic has ingestion times that are not so."""
    return _draws_wrong_times(random.Random(f"wrong clock {seed}"))


def _draws_wrong_times(rng: random.Random) -> bool:
    return rng.random() < _WRONG_CLOCKS


def _wrong_clock(seed: int, aircraft: set[str]) -> Callable[[str], float]:
    """Return by how many seconds the ingestion time of an aircraft's next update is wrong.

    In some schedules one aircraft has such times now and then, as where a clock of the provider's runs ahead. It is a
    separate draw, so that it changes nothing else of a seed.
    """
    rng = random.Random(f"wrong clock {seed}")
    if not _draws_wrong_times(rng) or not aircraft:
        return lambda _address: 0.0
    whose, ahead = rng.choice(sorted(aircraft)), rng.choice((5.0, 3_600.0, 72_000.0))
    return lambda address: ahead if address == whose and rng.random() < _WRONG_TIMES else 0.0


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
