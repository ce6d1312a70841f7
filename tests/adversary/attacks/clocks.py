"""Positions that cannot be, clocks that are wrong, and addresses written in several ways, in windows and alerts."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tests.adversary.attacks.register import kind
from tests.adversary.events import Aircraft, FunctionPlan, Given, packed, text
from tests.adversary.plan import stamp

if TYPE_CHECKING:
    from random import Random


@kind("a position that cannot be is no position, and an aircraft that is far away is not lost", weight=2)
def impossible_positions(rng: Random, now: float) -> FunctionPlan:
    """Flights north at 430 kt; one of their positions is replaced by one that nothing can have flown to."""
    aircraft = Aircraft(rng, now)
    records: list[Given] = []
    rows = []
    for _ in range(rng.randrange(1, 5)):
        address = aircraft.address()
        legs = rng.randrange(5, 12)
        wrong = rng.randrange(1, legs)
        elsewhere = rng.choice([(0.0, 0.0), (-31.0, 121.0), (31.0, -59.0), (89.9, 0.0), (31.0, 124.0), (91.0, 181.0)])
        updates = []
        for leg in range(legs):
            north, east = elsewhere if leg == wrong else (31.0 + leg / 100, 121.0)
            updates.append(aircraft.update(address, latitude=north, longitude=east))
        records += packed(rng, [text(update) for update in updates], updates)
        flown = 0.6005 * (legs - 1 - (wrong == legs - 1))
        end = 31.0 + (legs - 1 - (wrong == legs - 1)) / 100
        rows += [(address, "distance_nm", flown - 0.1, flown + 0.1), (address, "last_latitude", end - 1e-4, end + 1e-4)]
        rows += [(address, "updates", legs, legs)]
    return FunctionPlan("aggregator", _cut(rng, records), megabytes=1024, rows=tuple(rows))


@kind("newer is one rule: the table holds what the rule says, whatever the order of arrival", weight=2)
def newest_state(rng: Random, now: float) -> FunctionPlan:
    """Updates arrive in any order, some by clocks that run ahead; the table has to hold the newest by the rule."""
    aircraft = Aircraft(rng, now)
    records: list[Given] = []
    items, counted = [], []
    for _ in range(rng.randrange(1, 6)):
        address = aircraft.address()
        updates = [aircraft.update(address, squawk=f"{1000 + index}") for index in range(rng.randrange(2, 9))]
        for update in rng.sample(updates, rng.choice([0, 1])):
            update[rng.choice(["timestamp", "ingestion_time"])] = stamp(now + rng.choice([60.0, 3_600.0, 86_400.0 * 3]))
        newest = max(updates, key=_when)
        rng.shuffle(updates)
        records += packed(rng, [text(update) for update in updates], updates)
        items.append((address, "squawk", newest["squawk"]))
        counted.append((address, len(updates)))
    return FunctionPlan("aggregator", _cut(rng, records), megabytes=1024, items=tuple(items), counted=tuple(counted))


def _when(update: dict[str, Any]) -> tuple[datetime, datetime, datetime]:
    """Return an update's place by the rule: the earlier of its two times, then the two (docs/design.md)."""
    measured, ingested = (datetime.fromisoformat(update[name]) for name in ("timestamp", "ingestion_time"))
    return min(measured, ingested), measured, ingested


@kind("an address is one aircraft, however it is written", weight=1)
def spelt_addresses(rng: Random, now: float) -> FunctionPlan:
    """One aircraft in capitals, in small letters, with blanks around; its row counts all of it."""
    aircraft = Aircraft(rng, now)
    records: list[Given] = []
    counted = []
    for _ in range(rng.randrange(1, 5)):
        address = aircraft.address()
        spelling = [address, address.lower(), f" {address} ", f"{address.lower()} ", address.title()]
        updates = [aircraft.update(rng.choice(spelling)) for _ in range(rng.randrange(2, 9))]
        records += packed(rng, [text(update) for update in updates], updates)
        counted.append((address, len(updates)))
    return FunctionPlan("aggregator", _cut(rng, records), megabytes=1024, counted=tuple(counted))


@kind("a wrong clock silences no later alert", weight=2)
def wrong_clock_before_an_alert(rng: Random, now: float) -> FunctionPlan:
    """An emergency by a clock that runs ahead, then one by the right clock after the suppression time."""
    aircraft = Aircraft(rng, now)
    address = aircraft.address()
    ahead = stamp(now + rng.choice([3_600.0, 86_400.0, 86_400.0 * 400, 86_400.0 * 365 * 50]))
    wrong = rng.choice([("timestamp",), ("ingestion_time",), ("timestamp", "ingestion_time")])
    first = aircraft.update(address, squawk="7700") | dict.fromkeys(wrong, ahead)
    second = aircraft.update(address, squawk="7700")
    second |= {"timestamp": stamp(now - 12), "ingestion_time": stamp(now - 11)}
    if "timestamp" not in wrong or "ingestion_time" not in wrong:
        first |= {name: stamp(now - 3_000) for name in ("timestamp", "ingestion_time") if name not in wrong}
    early = tuple(replace(given, arrived=2_990.0) for given in packed(rng, [text(first)], [first]))
    late = tuple(packed(rng, [text(second)], [second]))
    return FunctionPlan("alerts", (early, late), alerts=((address, "emergency_squawk", 2),))


def _cut(rng: Random, records: list[Given]) -> tuple[tuple[Given, ...], ...]:
    """Cut the records into batches."""
    step = rng.choice([1, 3, len(records)])
    return tuple(tuple(records[start : start + step]) for start in range(0, len(records), step))
