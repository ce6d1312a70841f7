"""Flights of one aircraft, from its positions: the rules of all other modules here, put together."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count, pairwise
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any

from flights import legs, movements, plausible, waypoints
from flights.geodesy import distance_nm
from flights.legs import Leg

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from flights.airports import Airports
    from flights.movements import Movement
    from flights.position import Position

_BESIDE = 5 * legs.MINUTE
"""A position on the ground belongs to the track if it is no further from the next one in the air."""

_DAY = 86_400
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Flight:
    """One leg. Times are milliseconds since the epoch; `flights.schema` says what each field is."""

    icao_address: str
    flight_id: str | None
    callsign: str | None
    flight_number: str | None
    tail_number: str | None
    aircraft_type_icao: str | None
    airline_iata: str | None
    takeoff: Movement
    landing: Movement
    first_time: int
    last_time: int
    distance_nm: float
    great_circle_nm: float
    highest_altitude: int | None
    highest_speed: float | None
    positions: int
    positions_left_out: int
    gaps: int
    longest_gap_seconds: int
    track: Sequence[Position]
    shift: int = 0
    """Seconds by which its name differs from its beginning: in that second another flight of the aircraft began."""

    @property
    def begin(self) -> int:
        """Its take-off, or its first position: it belongs to the day of that."""
        return self.first_time if self.takeoff.time is None else self.takeoff.time

    @property
    def id(self) -> str:
        """Its name: address and second of its beginning, or the nearest that no other flight of the aircraft has."""
        return f"{self.icao_address}-{datetime.fromtimestamp(self.begin // 1_000 + self.shift, UTC):%Y%m%dT%H%M%SZ}"


def flights(icao_address: str, positions: Iterable[Position], airports: Airports, until: int) -> list[Flight]:
    """Return the flights of an aircraft, in the order in which they began; no two have one id.

    Parameters
    ----------
    icao_address
        The aircraft's address.
    positions
        Its positions, in any order, but for those of one time: they come in the order of `common.recency`. Those that
        come twice count once.
    airports
        Where flights may begin and end.
    until
        How far the updates of any aircraft go, milliseconds since the epoch: what was last seen shortly before it may
        still be in the air.
    """
    paths, left_out = plausible.separate(_sorted(positions))

    def flight(leg: Leg) -> Flight:
        return _flight(icao_address, leg, left_out, airports, until)

    cut = [leg for path in paths for leg in legs.cut(path, airports)]
    found = [flight(leg) for leg in cut]
    while others := _of_others(cut, found):
        for place, times in others.items():
            cut[place] = _without(cut[place], times)
            found[place] = flight(cut[place])
    return _named(sorted(found, key=lambda flight: (flight.begin, flight.last_time)))


def _of_others(cut: Sequence[Leg], found: Sequence[Flight]) -> dict[int, dict[str, int]]:
    """Return by leg which of the provider's times were given to it though another leg is nearer to them.

    The provider sends a flight's times with all of its updates, also those with a false position, and sometimes with
    those of the next flight.
    """
    others: dict[int, dict[str, int]] = defaultdict(dict)
    for name, edge, movement in (("takeoff_time", 0, "takeoff"), ("landing_time", -1, "landing")):
        claims: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for place, (leg, flight) in enumerate(zip(cut, found, strict=True)):
            time, known_by, *_ = getattr(flight, movement)
            if known_by == "provider":
                claims[time].append((abs(leg.positions[edge].time - time), place))
        for time, claimed in claims.items():
            for _, place in sorted(claimed)[1:]:
                others[place][name] = time
    return others


def _without(leg: Leg, times: dict[str, int]) -> Leg:
    """Return the leg without these times in its positions."""
    takeoff, landing = times.get("takeoff_time"), times.get("landing_time")

    def own(positions: Iterable[Position]) -> list[Position]:
        return [
            one._replace(
                takeoff_time=None if one.takeoff_time == takeoff else one.takeoff_time,
                landing_time=None if one.landing_time == landing else one.landing_time,
            )
            for one in positions
        ]

    return Leg(own(leg.positions), own(leg.before), own(leg.after))


def _named(found: Iterable[Flight]) -> list[Flight]:
    """Return the flights with unique names: of two that began in one second, the later gets the nearest free second.

    That second is on the same day, since a flight is looked up in the objects of the day in its name.
    """
    taken: set[int] = set()
    named: list[Flight] = []
    for flight in found:
        second = flight.begin // 1_000
        near = (shift for away in count() for shift in (away, -away))
        shift = next(one for one in near if second + one not in taken and (second + one) // _DAY == second // _DAY)
        taken.add(second + shift)
        named.append(replace(flight, shift=shift) if shift else flight)
    return named


def _sorted(positions: Iterable[Position]) -> list[Position]:
    """Return positions in the order of time, each once; those of one time in the order in which they come."""
    return sorted(dict.fromkeys(positions), key=itemgetter(0))


def _flight(icao_address: str, leg: Leg, left_out: Sequence[Position], airports: Airports, until: int) -> Flight:
    seen = leg.positions
    before, after = leg.before[-1:], leg.after[:1]
    whole = [
        *(one for one in before if seen[0].time - one.time <= _BESIDE),
        *seen,
        *(one for one in after if one.time - seen[-1].time <= _BESIDE),
    ]
    ways = [distance_nm(a.latitude, a.longitude, b.latitude, b.longitude) for a, b in pairwise(whole)]
    silences = [b.time - a.time for a, b in pairwise(whole)]
    first, last = whole[0], whole[-1]
    takeoff_time = _most(seen, "takeoff_time")
    landing_time = _most((*seen, *leg.after), "landing_time")
    return Flight(
        icao_address=icao_address,
        flight_id=_most(seen, "flight_id"),
        callsign=_most(seen, "callsign"),
        flight_number=_most(seen, "flight_number"),
        tail_number=_most(seen, "tail_number"),
        aircraft_type_icao=_most(seen, "aircraft_type_icao"),
        airline_iata=_most(seen, "airline_iata"),
        takeoff=movements.takeoff(leg, _most(seen, "departure_airport_icao"), takeoff_time, airports),
        landing=movements.landing(leg, _most(seen, "arrival_airport_icao"), landing_time, airports, until),
        first_time=first.time,
        last_time=last.time,
        distance_nm=round(sum(ways), 2),
        great_circle_nm=round(distance_nm(first.latitude, first.longitude, last.latitude, last.longitude), 2),
        highest_altitude=max((one.altitude for one in whole if one.altitude is not None), default=None),
        highest_speed=max((one.speed for one in whole if one.speed is not None), default=None),
        positions=len(whole),
        positions_left_out=sum(1 for one in left_out if first.time <= one.time <= last.time),
        gaps=sum(1 for one in silences if one >= legs.GAP),
        longest_gap_seconds=max(silences, default=0) // 1_000,
        track=waypoints.simplified(whole),
    )


def _most(positions: Iterable[Position], name: str) -> Any:
    """Return the value of a field that most positions have, None if none has one; of equals the first."""
    counted = Counter(map(attrgetter(name), positions))
    del counted[None]
    return counted.most_common(1)[0][0] if counted else None
