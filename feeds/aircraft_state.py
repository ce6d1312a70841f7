"""Turns single observations into target updates: one update per aircraft and 5 seconds.

Pure: time comes in with what is observed, and is asked for nowhere.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from feeds.observation import ADSB
from local.simulator import times

if TYPE_CHECKING:
    from feeds.observation import Observation, Position, Value

INTERVAL = 5.0
"""Seconds: the Tracking Stream has one update per aircraft in each of these."""

_GATHERING = 1.0
"""Seconds after an aircraft was first heard until its first update: one message alone says little."""

FORGOTTEN_AFTER = 300.0
"""Seconds of silence after which an aircraft has left."""

MOST_AIRCRAFT = 20_000
"""Beyond it the one that was silent for longest is forgotten. A receiver hears a few hundred; the world has 12,000."""

_MOTION, _STATE = 15.0, 60.0
_LASTS = {
    "altitude_baro": _MOTION,
    "speed": _MOTION,
    "heading": _MOTION,
    "vertical_rate": _MOTION,
    "squawk": _STATE,
    "on_ground": _STATE,
}
"""Seconds for which a value stands; the others (callsign, registration, type) as long as the aircraft is known."""

_ORDER = (
    "altitude_baro",
    "heading",
    "speed",
    "vertical_rate",
    "squawk",
    "on_ground",
    "callsign",
    "tail_number",
    "aircraft_type_icao",
    "aircraft_type_name",
)


@dataclass(slots=True)
class _Aircraft:
    next_at: float
    heard_at: float
    values: dict[str, tuple[Value, float]] = field(default_factory=dict)
    position: Position | None = None
    position_sent_at: float = -math.inf

    def observe(self, seen: Observation) -> None:
        self.heard_at = max(self.heard_at, seen.at)
        for name, value in seen.values.items():
            if name not in self.values or seen.at >= self.values[name][1]:
                self.values[name] = (value, seen.at)
        if seen.values.get("on_ground") is True:  # what it flew at is over
            for name in ("altitude_baro", "vertical_rate"):
                self.values.pop(name, None)
        if seen.position is not None and (self.position is None or seen.position.at > self.position.at):
            self.position = seen.position

    def update(self, icao_address: str, now: float) -> bytes | None:
        """Return the update due at `now`, a message of the stream; None if nothing can be said but that it is there."""
        fresh = self.position if self.position is not None and self.position.at > self.position_sent_at else None
        # A position is given once, with its own time: given again with a later one it would be a place it had left.
        measured = min(self.heard_at if fresh is None else fresh.at, now)
        values = {
            name: self.values[name][0]
            for name in _ORDER
            if name in self.values and now - self.values[name][1] <= _LASTS.get(name, math.inf)
        }
        if fresh is None and not values:
            return None
        target: dict[str, Value] = {
            "ingestion_time": times.with_milliseconds(int(now * 1000)),
            "icao_address": icao_address,
            "timestamp": times.with_milliseconds(int(measured * 1000)),
        }
        if fresh is not None:
            self.position_sent_at = fresh.at
            target |= {"latitude": fresh.latitude, "longitude": fresh.longitude}
        target |= values
        target |= {"source": ADSB if fresh is None else fresh.source, "collection_type": "terrestrial"}
        return msgspec.json.encode({"target": target})


class AircraftState:
    """What is known of every aircraft that was heard lately."""

    def __init__(self, *, most: int = MOST_AIRCRAFT) -> None:
        self._aircraft: dict[str, _Aircraft] = {}  # the one that was silent for longest first
        self._changed: dict[str, None] = {}
        self._most = most

    def __len__(self) -> int:
        return len(self._aircraft)

    def observe(self, seen: Observation, now: float) -> None:
        """Take note of something that was heard; `now`, as everywhere here, in seconds since the epoch."""
        one = self._aircraft.pop(seen.icao_address, None) or _Aircraft(now + _GATHERING, seen.at)
        self._aircraft[seen.icao_address] = one
        one.observe(seen)
        if seen.values or seen.position is not None:
            self._changed[seen.icao_address] = None
        if len(self._aircraft) > self._most:
            self._forget(next(iter(self._aircraft)))

    def updates(self, now: float) -> list[bytes]:
        """Return an update for each aircraft of which something new was heard, and whose last one is 5 s ago."""
        due = [address for address in self._changed if self._aircraft[address].next_at <= now]
        updates = []
        for address in due:
            del self._changed[address]
            one = self._aircraft[address]
            if (update := one.update(address, now)) is not None:
                updates.append(update)
                one.next_at = now + INTERVAL
        self._forget_silent(now)
        return updates

    def _forget_silent(self, now: float) -> None:
        while self._aircraft:
            address, one = next(iter(self._aircraft.items()))
            if now - one.heard_at <= FORGOTTEN_AFTER or address in self._changed:
                return
            self._forget(address)

    def _forget(self, address: str) -> None:
        del self._aircraft[address]
        self._changed.pop(address, None)
