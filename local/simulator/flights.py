"""Generated traffic: aircraft that fly between real airports, and what a tracking provider sees of them.

Rates, latencies and missing fields follow the 10,300 real updates of one airport that the provider has published.
The same settings give the same bytes.
"""

from __future__ import annotations

import heapq
import math
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local.simulator.fleet import build_fleet
from local.simulator.journey import Journey
from local.simulator.times import whole_second, with_milliseconds

if TYPE_CHECKING:
    from collections.abc import Iterator

UPDATE_INTERVAL = 5
"""Seconds: the provider sends at most one update per aircraft in each of these."""

SHORTEST_INTERVAL = 1
"""Seconds between two updates of an aircraft at the least. The whole world sends some 4,000 updates a second from some
12,000 aircraft in the air, which is more than one in five seconds of each."""

_WARM_UP_SECONDS = 6
"""Traffic runs this long before the feed's start, so that the first second is as busy as any other."""

_LATENCY_MEDIAN, _LATENCY_SPREAD = 2.8, 0.85
_LATENCY_LEAST, _LATENCY_MOST = 0.8, 5.1
_LATE_SHARE = 0.004
_LATE_LEAST, _LATE_MOST = 10.0, 10_620.0
"""ingestion_time - timestamp in seconds: median 2.8, 99 % under 5.2, the largest 2 h 57 min (satellite)."""

_SECOND_SIGHTING = 0.2
"""Share of the late satellite updates that a ground station had seen too: their (icao_address, timestamp) collide."""

_SATELLITE_SHARE = 0.05
_SATELLITES = ("LEMUR-2-KRYWE", "LEMUR-2-ROCKETJONAH", "LEMUR-2-YUASA", "LEMUR-2-JPGSQUARED", "LEMUR-2-DANJEREMY")

_INCIDENT_EVERY = 300.0
_INCIDENT_FIRST = 8.0
_INCIDENT_SHORTEST, _INCIDENT_LONGEST = 90.0, 600.0
"""Seconds between emergencies on average, until the first one, and how long the squawk stays."""

_EMERGENCY_SECONDS = 600.0
"""How long the emergency lasts that was asked for."""

_MISSING_ALTITUDE, _MISSING_HEADING, _MISSING_VERTICAL_RATE = 0.14, 0.05, 0.37
_MISSING_SQUAWK, _MISSING_ON_GROUND = 0.30, 0.01


@dataclass(frozen=True, slots=True)
class _Incident:
    """An emergency of one aircraft, until `until` (seconds since the epoch)."""

    squawk: str
    until: float


class GeneratedTraffic:
    """An endless source of target updates.

    Parameters
    ----------
    rate
        Updates a second over all aircraft.
    aircraft
        How many aircraft there are: at least `rate` times `SHORTEST_INTERVAL`.
    seed
        The same seed, start, rate and number of aircraft give the same bytes.
    start
        Seconds since the epoch at which the traffic begins.
    emergency
        Whether one aircraft squawks 7700 from its first update after the start, for ten minutes.

    Raises
    ------
    ValueError
        There are too few aircraft for the rate, or more than the fleet has room for.
    """

    kind = "generated"
    endless = True

    def __init__(self, *, rate: float, aircraft: int, seed: int, start: float, emergency: bool = False) -> None:
        if not (rate > 0 and math.isfinite(rate)):
            raise ValueError(f"rate: got {rate:g}; expected a number of updates a second above 0")
        if aircraft < rate * SHORTEST_INTERVAL:
            raise ValueError(
                f"aircraft: got {aircraft} for {rate:g} updates a second; expected at least "
                f"{rate * SHORTEST_INTERVAL:.0f}, since each sends at most one update a second"
            )
        self.start = math.floor(start * 1000) / 1000
        self.identity = f"generated rate={rate!r} aircraft={aircraft} seed={seed} start={self.start!r}"
        self.identity += " emergency" if emergency else ""
        self.rate, self._aircraft, self._seed, self._emergency = rate, aircraft, seed, emergency
        build_fleet(aircraft, random.Random(seed))  # so that a fleet too large is refused here, not when read

    def starting_at(self, start: float) -> GeneratedTraffic:
        """Return the same traffic, beginning at another time."""
        return GeneratedTraffic(
            rate=self.rate, aircraft=self._aircraft, seed=self._seed, start=start, emergency=self._emergency
        )

    def updates(self) -> Iterator[tuple[float, bytes]]:
        """Yield ingestion times (seconds since the epoch, never falling) and lines, from the start."""
        rng = random.Random(self._seed)
        begin = self.start - _WARM_UP_SECONDS
        journeys = [Journey(aircraft, begin, rng) for aircraft in build_fleet(self._aircraft, rng)]
        incidents: dict[int, _Incident] = {}
        if self._emergency:
            turn = self._first_in_flight(journeys)
            journeys[turn].dive(self.start)
            incidents[turn] = _Incident("7700", self.start + max(_EMERGENCY_SECONDS, 5 * len(journeys) / self.rate))
        next_incident = self.start + _INCIDENT_FIRST
        waiting: list[tuple[int, int, str]] = []
        slot = 0
        while True:
            instant = begin + slot / self.rate
            turn = slot % len(journeys)
            if instant >= next_incident and (incident := self._incident(journeys, instant, rng)):
                incidents.setdefault(*incident)  # one that lasts is not replaced
                next_incident = instant + rng.expovariate(1 / _INCIDENT_EVERY)
            update = _observe(journeys[turn], instant, incidents.get(turn), rng)
            if turn in incidents and instant > incidents[turn].until:
                del incidents[turn]
            for delay_ms, collected in _deliveries(rng):
                arrival = math.floor(instant) * 1000 + delay_ms
                heapq.heappush(waiting, (arrival, slot, update.replace("\0", collected)))
            slot += 1
            # Nothing still to come can arrive before this, so what is due by then is in its final order.
            settled = (begin + slot / self.rate - 1 + _LATENCY_LEAST) * 1000
            while waiting and waiting[0][0] < settled:
                arrival, _, rest = heapq.heappop(waiting)
                seconds = arrival / 1000
                if seconds >= self.start:
                    yield seconds, f'{{"target":{{"ingestion_time":"{with_milliseconds(arrival)}",{rest}'.encode()

    def _first_in_flight(self, journeys: list[Journey]) -> int:
        """Return whose turn comes first after the start of those in cruise, or else in the air, or else of all."""
        first = math.ceil(_WARM_UP_SECONDS * self.rate)
        turns = [(first + later) % len(journeys) for later in range(len(journeys))]
        cruising = (turn for turn in turns if journeys[turn].cruising(self.start))
        airborne = (turn for turn in turns if journeys[turn].airborne(self.start))
        return next(cruising, next(airborne, turns[0]))

    def _incident(self, journeys: list[Journey], instant: float, rng: random.Random) -> tuple[int, _Incident] | None:
        """Begin an emergency on an aircraft in cruise, if one is found in a few draws."""
        for _ in range(20):
            turn = rng.randrange(len(journeys))
            if journeys[turn].cruising(instant):
                break
        else:
            return None
        several_updates = 5 * len(journeys) / self.rate
        lasts = max(several_updates, rng.uniform(_INCIDENT_SHORTEST, _INCIDENT_LONGEST))
        squawk = rng.choices(("7700", "7600", "7500"), weights=(6, 3, 1))[0]
        if squawk == "7700":
            journeys[turn].dive(instant)
        return turn, _Incident(squawk, instant + lasts)


def _deliveries(rng: random.Random) -> list[tuple[int, str]]:
    """Return when and from whom an update arrives: milliseconds after its timestamp, and the fields that say so."""
    timely = min(max(rng.gauss(_LATENCY_MEDIAN, _LATENCY_SPREAD), _LATENCY_LEAST), _LATENCY_MOST)
    ground = (round(timely * 1000), '"source":"ADSB","collection_type":"terrestrial"')
    chance = rng.random()
    if chance >= _SATELLITE_SHARE:
        return [ground]
    collected = f'"source":"{rng.choice(_SATELLITES)}","collection_type":"satellite"'
    if chance >= _LATE_SHARE:
        return [(round(timely * 1000), collected)]
    # Many are some minutes late, few are hours late.
    late = (round(_LATE_LEAST * (_LATE_MOST / _LATE_LEAST) ** rng.random() * 1000), collected)
    return [ground, late] if rng.random() < _SECOND_SIGHTING else [late]


def _observe(journey: Journey, instant: float, incident: _Incident | None, rng: random.Random) -> str:
    """Return what is seen of an aircraft, from its address on; a NUL stands where the collection's fields go."""
    seen = journey.at(instant, rng)
    squawk = incident.squawk if incident and instant <= incident.until else None
    fields = [
        f'"icao_address":"{journey.aircraft.icao_address}","flight_id":"{seen.flight_id}"',
        f'"timestamp":"{whole_second(math.floor(instant))}"',
        f'"latitude":{seen.latitude:.6f},"longitude":{seen.longitude:.6f}',
    ]
    if squawk or rng.random() >= _MISSING_ALTITUDE:
        fields.append(f'"altitude_baro":{round(seen.altitude / 25) * 25}')
    if rng.random() >= _MISSING_HEADING:
        fields.append(f'"heading":{seen.heading:.4f}')
    fields.append(f'"speed":{max(0.0, seen.speed):.1f}')
    if squawk or rng.random() >= _MISSING_VERTICAL_RATE:
        fields.append(f'"vertical_rate":{round(seen.vertical_rate / 64) * 64}')
    if squawk or rng.random() >= _MISSING_SQUAWK:
        fields.append(f'"squawk":"{squawk or seen.squawk}"')
    if squawk or rng.random() >= _MISSING_ON_GROUND:
        fields.append('"on_ground":true' if seen.on_ground else '"on_ground":false')
    return f"{','.join(fields)}{seen.identification},\0{seen.itinerary}}}}}"
