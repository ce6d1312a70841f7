"""A day of flights whose truth is known: the simulator's aircraft, as far as somebody receives them.

Nobody does far from airports, but for a satellite that passes now and then, of whose receivers every other aircraft has
none; and at every third airport nobody sees the ground, nor what flies below 3,000 feet.
"""

from __future__ import annotations

import json
import math
import random
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from flights.airports import Airport, Airports
from flights.position import Position
from local.simulator.airports import AIRPORTS
from local.simulator.fleet import build_fleet
from local.simulator.journey import Journey

if TYPE_CHECKING:
    from local.simulator.journey import Sighting

BEGIN = 1_616_198_400
"""2021-03-20T00:00:00Z, seconds since the epoch."""

HOURS, STEP = 30, 45
_RECEIVER_NM, _UNSEEN_FEET = 150.0, 3_000
_RECEIVERS = Airports(Airport(one.icao, one.latitude, one.longitude, one.elevation) for one in AIRPORTS)
_BLIND = {one.icao for one in AIRPORTS[::3]}
_PASSES = (2_400, 4_100)
"""Seconds between two passes of a satellite at least and at most."""


@dataclass(frozen=True, slots=True)
class Flown:
    """A flight that really took place; times in seconds since the epoch."""

    icao_address: str
    callsign: str | None
    origin: str
    destination: str
    lift_off: float
    touchdown: float


@dataclass(slots=True)
class SimulatedDay:
    """What was received, by aircraft, and what was flown."""

    positions: dict[str, list[Position]] = field(default_factory=dict)
    flown: list[Flown] = field(default_factory=list)

    @property
    def until(self) -> int:
        """Milliseconds since the epoch of the last position."""
        return max(one.time for found in self.positions.values() for one in found)


def simulate(aircraft: int, seed: int, *, is_told: bool, hours: int = HOURS) -> SimulatedDay:
    """Return a day; `is_told` is whether the provider says flight ids, take-off and landing times."""
    rng = random.Random(seed)
    day = SimulatedDay()
    for place, plane in enumerate(build_fleet(aircraft, rng)):
        journey = Journey(plane, BEGIN, rng)
        found: list[Position] = []
        flights: dict[str, Flown] = {}
        next_pass = math.inf if place % 2 else BEGIN + rng.uniform(0, _PASSES[1])
        for second in range(BEGIN, BEGIN + hours * 3_600, STEP):
            seen = journey.at(second, rng)
            flight = journey._flight
            by_satellite = second >= next_pass
            if by_satellite:
                next_pass = second + rng.uniform(*_PASSES)
            if not by_satellite and not _is_received(seen):
                continue
            members = json.loads(f"{{{seen.identification[1:]}{seen.itinerary}}}")
            found.append(_position(second, seen, members, is_told=is_told, rng=rng))
            if not seen.on_ground:
                flights.setdefault(
                    seen.flight_id,
                    Flown(
                        plane.icao_address,
                        members.get("callsign"),
                        flight._origin.icao,
                        flight.destination.icao,
                        flight._lift_off,
                        flight._touchdown,
                    ),
                )
        day.positions[plane.icao_address] = found
        day.flown += flights.values()
    return day


def _is_received(seen: Sighting) -> bool:
    """Return whether a receiver on the ground hears it."""
    airport = _RECEIVERS.nearest(seen.latitude, seen.longitude, _RECEIVER_NM)
    if airport is None:
        return False
    return airport.icao not in _BLIND or seen.altitude - airport.elevation >= _UNSEEN_FEET


def _position(second: int, seen: Sighting, members: dict[str, str], *, is_told: bool, rng: random.Random) -> Position:
    return Position(
        time=second * 1_000,
        latitude=round(seen.latitude, 6),
        longitude=round(seen.longitude, 6),
        altitude=round(seen.altitude / 25) * 25 if rng.random() > 0.14 else None,
        speed=round(max(0.0, seen.speed), 1),
        heading=round(seen.heading, 1),
        on_ground=seen.on_ground if rng.random() > 0.01 else None,
        callsign=members.get("callsign"),
        flight_id=seen.flight_id if is_told else None,
        departure_airport_icao=members.get("departure_airport_icao"),
        arrival_airport_icao=members.get("arrival_airport_icao"),
        takeoff_time=_milliseconds(members.get("takeoff_time")) if is_told else None,
        landing_time=_milliseconds(members.get("landing_time")) if is_told else None,
    )


def _milliseconds(text: str | None) -> int | None:
    return None if text is None else round(datetime.fromisoformat(text).timestamp() * 1_000)
