"""One aircraft's day: taxi, flight, turnaround and the next flight, each with its number, route and times."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from local.simulator.airports import AIRPORTS, Airport
from local.simulator.geodesy import GreatCircle, distance_nm, unit_vector
from local.simulator.profile import FlightProfile
from local.simulator.times import whole_second

if TYPE_CHECKING:
    import random

    from local.simulator.fleet import Aircraft

_TAXI_SECONDS = 600
_TURNAROUND_SECONDS = 2700
_TAXI_KNOTS = 14.0
_SHORTEST_HOP_NM = 150
_GROUND_STEP = 0.0002
"""Degrees: how far an aircraft on the ground seems to move between two updates at most."""

_NO_CALLSIGN, _NO_ROUTE, _NO_SCHEDULE = 0.003, 0.013, 0.02
_NO_DEPARTURE_ESTIMATE, _NO_ARRIVAL_ESTIMATE, _NO_MOVEMENT_TIMES = 0.54, 0.45, 0.70
"""Shares of flights about which the provider does not know this, from the real updates."""

_BY_ICAO = {airport.icao: airport for airport in AIRPORTS}
_VECTORS = {airport.icao: unit_vector(airport.latitude, airport.longitude) for airport in AIRPORTS}


@dataclass(frozen=True, slots=True)
class Sighting:
    """What there is to see of an aircraft at an instant: degrees, feet, knots, feet per minute.

    `identification` and `itinerary` are JSON members, each after a comma: callsign and registration, and the rest.
    """

    flight_id: str
    latitude: float
    longitude: float
    altitude: float
    heading: float
    speed: float
    vertical_rate: float
    squawk: str
    on_ground: bool
    identification: str
    itinerary: str


class Journey:
    """An aircraft that flies from one of its airline's hubs to somewhere in range, and back, and so on."""

    def __init__(self, aircraft: Aircraft, begin: float, rng: random.Random) -> None:
        """Place the aircraft somewhere on its first flight at `begin`, seconds since the epoch."""
        self.aircraft = aircraft
        self._hub = _BY_ICAO[rng.choice(aircraft.airline.hubs)]
        self._flight = _Flight(aircraft, self._hub, _destination(self._hub, aircraft, rng), begin, rng)
        self._flight.shift(-rng.random() * (self._flight.done - begin))

    def cruising(self, instant: float) -> bool:
        """Return whether the aircraft is in cruise."""
        return self._flight.cruising(instant)

    def airborne(self, instant: float) -> bool:
        """Return whether the aircraft is between lift-off and touchdown."""
        return self._flight.airborne(instant)

    def dive(self, instant: float) -> None:
        """Let the aircraft begin an emergency descent."""
        self._flight.dive(instant)

    def at(self, instant: float, rng: random.Random) -> Sighting:
        """Return what there is to see; instants must not fall from call to call."""
        while instant >= self._flight.done:
            here = self._flight.destination
            there = self._hub if here is not self._hub else _destination(self._hub, self.aircraft, rng)
            self._flight = _Flight(self.aircraft, here, there, self._flight.done, rng)
        return self._flight.at(instant, rng)


def _destination(hub: Airport, aircraft: Aircraft, rng: random.Random) -> Airport:
    """Return an airport in the aircraft's range."""
    return rng.choice(_reachable(hub.icao, aircraft.type.range_nm))


@cache
def _reachable(hub: str, range_nm: int) -> tuple[Airport, ...]:
    """Return the airports within a range in nautical miles, without those next door."""
    return tuple(
        airport
        for airport in AIRPORTS
        if _SHORTEST_HOP_NM < distance_nm(_VECTORS[hub], _VECTORS[airport.icao]) < range_nm
    )


class _Flight:
    """From leaving the stand to the end of the turnaround after it."""

    def __init__(
        self, aircraft: Aircraft, origin: Airport, destination: Airport, begin: float, rng: random.Random
    ) -> None:
        self.destination = destination
        self._aircraft, self._origin = aircraft, origin
        self._route = GreatCircle(_VECTORS[origin.icao], _VECTORS[destination.icao])
        self._profile = FlightProfile(
            self._route.length_nm,
            cruise_altitude=aircraft.type.cruise_altitude + 1000 * rng.randint(-3, 1),
            cruise_speed=aircraft.type.cruise_speed + rng.uniform(-15, 15),
            from_feet=origin.elevation,
            to_feet=destination.elevation,
        )
        self._id = str(uuid.UUID(int=rng.getrandbits(128), version=4))
        self._squawk = f"{rng.randrange(0o0100, 0o7477):04o}"  # octal digits, below the codes of emergencies
        self._number = rng.randint(1, 2999)
        self._known = {
            what: rng.random() >= missing
            for what, missing in (
                ("callsign", _NO_CALLSIGN),
                ("route", _NO_ROUTE),
                ("schedule", _NO_SCHEDULE),
                ("departure_estimate", _NO_DEPARTURE_ESTIMATE),
                ("arrival_estimate", _NO_ARRIVAL_ESTIMATE),
                ("movements", _NO_MOVEMENT_TIMES),
            )
        }
        self._delay = 60 * rng.randint(-5, 40)
        self._dive_at: float | None = None
        self._lift_off = begin + _TAXI_SECONDS
        self._texts: dict[str, str] = {}

    @property
    def _touchdown(self) -> float:
        return self._lift_off + self._profile.seconds

    @property
    def done(self) -> float:
        """When the next flight begins, seconds since the epoch."""
        return self._touchdown + _TURNAROUND_SECONDS

    def shift(self, seconds: float) -> None:
        """Move the whole flight in time."""
        self._lift_off += seconds

    def cruising(self, instant: float) -> bool:
        """Return whether the aircraft is in cruise."""
        return self._profile.cruising(instant - self._lift_off)

    def airborne(self, instant: float) -> bool:
        """Return whether the aircraft is between lift-off and touchdown."""
        return 0 <= instant - self._lift_off < self._profile.seconds

    def dive(self, instant: float) -> None:
        """Begin an emergency descent; a flight has at most one."""
        if self._dive_at is None:
            self._dive_at = instant - self._lift_off

    def at(self, instant: float, rng: random.Random) -> Sighting:
        """Return what there is to see."""
        elapsed = instant - self._lift_off
        if 0 <= elapsed < self._profile.seconds:
            motion = self._profile.at(elapsed, self._dive_at)
            fix = self._route.at(motion.travelled_nm)
            return Sighting(
                self._id,
                fix.latitude,
                fix.longitude,
                motion.altitude,
                fix.heading,
                motion.speed + rng.uniform(-2, 2),
                motion.vertical_rate + rng.choice((-64, 0, 0, 0, 64)),
                self._squawk,
                on_ground=False,
                identification=self._identification(),
                itinerary=self._itinerary("airborne"),
            )
        airport = self._origin if elapsed < 0 else self.destination
        taxiing = elapsed < 0 or instant < self._touchdown + _TAXI_SECONDS
        drift = _GROUND_STEP if taxiing else 0.0
        return Sighting(
            self._id,
            airport.latitude + rng.uniform(-drift, drift),
            airport.longitude + rng.uniform(-drift, drift),
            airport.elevation,
            rng.uniform(0, 359) if taxiing else 0.0,
            _TAXI_KNOTS + rng.uniform(-6, 6) if taxiing else 0.0,
            0.0,
            self._squawk,
            on_ground=True,
            identification=self._identification(),
            itinerary=self._itinerary("boarding" if elapsed < 0 else "landed"),
        )

    def _identification(self) -> str:
        if "identification" not in self._texts:
            callsign = {"callsign": f"{self._aircraft.airline.icao}{self._number}"} if self._known["callsign"] else {}
            self._texts["identification"] = _members({**callsign, "tail_number": self._aircraft.tail_number})
        return self._texts["identification"]

    def _itinerary(self, phase: str) -> str:
        """Return the members that stay the same for a phase of the flight, made once."""
        if phase in self._texts:
            return self._texts[phase]
        aircraft, known = self._aircraft, self._known
        members: dict[str, str] = {}
        if known["callsign"]:
            members["flight_number"] = f"{aircraft.airline.iata}{self._number}"
        members["aircraft_type_icao"], members["aircraft_type_name"] = aircraft.type.icao, aircraft.type.name
        if known["callsign"]:
            members["airline_iata"], members["airline_name"] = aircraft.airline.iata, aircraft.airline.name
        left = self._lift_off - _TAXI_SECONDS
        members |= self._end("departure", self._origin, left - self._delay, left)
        if phase != "boarding" and known["movements"]:
            members["takeoff_time"] = whole_second(int(self._lift_off))
        members |= self._end("arrival", self.destination, self._touchdown - self._delay, self._touchdown)
        if phase == "landed" and known["movements"]:
            members["landing_time"] = whole_second(int(self._touchdown))
        self._texts[phase] = _members(members)
        return self._texts[phase]

    def _end(self, which: str, airport: Airport, scheduled: float, estimated: float) -> dict[str, str]:
        """Return what is known of one end of the route; `which` is `departure` or `arrival`."""
        if not self._known["route"]:
            return {}
        members = {
            f"{which}_utc_offset": airport.utc_offset,
            f"{which}_airport_icao": airport.icao,
            f"{which}_airport_iata": airport.iata,
        }
        if self._known["schedule"]:
            members[f"{which}_scheduled_time"] = whole_second(int(scheduled) // 300 * 300)
        if self._known[f"{which}_estimate"]:
            members[f"{which}_estimated_time"] = whole_second(int(estimated) // 60 * 60)
        return members


def _members(values: dict[str, str]) -> str:
    """Return the members of a JSON object, each after a comma."""
    return "," + json.dumps(values, separators=(",", ":"), ensure_ascii=False)[1:-1]
