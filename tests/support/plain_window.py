"""The fold written plainly, an object an aircraft: what `aggregator.state` does fast must be equal to this."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from aggregator import instants
from aggregator.state.layout import DISTANCE_SCALE, MAX_LISTED, POSITION_SCALE, READING_SCALE
from aggregator.state.window_part import LATEST_READINGS, LATEST_TEXTS, AircraftWindow, Instant, Position, Spread
from common.geodesy import distance_nm
from common.plausibility import can_fly, is_nowhere


@dataclass
class PlainAircraft:
    """What is known of one aircraft: every instant, every reading, and the track so far."""

    instants: list = field(default_factory=list)
    readings: dict = field(default_factory=lambda: {name: [] for name in ("altitude_baro", "speed", "vertical_rate")})
    newest: Any = None
    last: Instant | None = None
    first_position: Position | None = None
    last_position: Position | None = None
    distance: int = 0
    late_positions: int = 0
    implausible_positions: int = 0
    other: Position | None = None
    is_other_confirmed: bool = False
    callsigns: list = field(default_factory=list)
    squawks: list = field(default_factory=list)
    collection_types: list = field(default_factory=list)

    def fold(self, update, instant):
        """Take an update that was not counted yet."""
        if self.last is None or instant.order > self.last.order:
            self.newest, self.last = update, instant
        self.instants.append(instant)
        for name, values in self.readings.items():
            if (value := getattr(update, name)) is not None:
                values.append(round(value * READING_SCALE))
        if update.latitude is not None and update.longitude is not None:
            self._move(
                Position(instant, round(update.latitude * POSITION_SCALE), round(update.longitude * POSITION_SCALE))
            )
        for seen, text in (
            (self.callsigns, update.callsign),
            (self.squawks, update.squawk),
            (self.collection_types, update.collection_type),
        ):
            if text is not None and text not in seen and len(seen) < MAX_LISTED:
                seen.append(text)

    def _move(self, position):
        if is_nowhere(position.latitude, position.longitude):
            self.implausible_positions += 1
        elif self.last_position is None:
            self.first_position = self.last_position = position
        elif fits(self.last_position, position):
            if position.at.order > self.last_position.at.order:
                self.distance += leg(self.last_position, position)
                self.last_position = position
            else:
                self._be_late(position)
        elif self.other is not None and fits(self.other, position):
            if position.at.order > self.last_position.at.order:
                self._change_places(position)
            else:
                self._be_late(position)
        else:
            self.implausible_positions += 1
            if position.at.order > self.last_position.at.order:
                self.other, self.is_other_confirmed = position, False

    def _be_late(self, position):
        self.late_positions += 1
        if position.at.order < self.first_position.at.order and fits(self.first_position, position):
            self.first_position = position

    def _change_places(self, position):
        """The other position has found one that fits it: they are the track now, or another aircraft's."""
        other, last = self.other, self.last_position
        is_last_alone = last is self.first_position
        self.distance += leg(other, position)
        if not self.is_other_confirmed:
            self.implausible_positions -= 1
            self.implausible_positions += is_last_alone
            if is_last_alone or other.at.order < self.first_position.at.order:
                self.first_position = other
            self.other, self.is_other_confirmed = last, not is_last_alone
        else:
            self.other, self.is_other_confirmed = last, True
        self.last_position = max(other, position, key=lambda one: one.at.order)

    def window(self):
        """What the aggregator's own view of the aircraft must be."""
        readings = [getattr(self.newest, name) for name in LATEST_READINGS]
        return AircraftWindow(
            updates=len(self.instants),
            first=min(self.instants, key=lambda one: one.order),
            last=self.last,
            altitude=_spread(self.readings["altitude_baro"]),
            speed=_spread(self.readings["speed"]),
            vertical_rate=_spread(self.readings["vertical_rate"]),
            first_position=self.first_position,
            last_position=self.last_position,
            distance=self.distance,
            late_positions=self.late_positions,
            implausible_positions=self.implausible_positions,
            callsigns=sorted(self.callsigns),
            squawks=sorted(self.squawks),
            collection_types=sorted(self.collection_types),
            latest_readings=tuple(None if value is None else round(value * READING_SCALE) for value in readings),
            latest_on_ground=self.newest.on_ground,
            latest_texts=tuple(getattr(self.newest, name) for name in LATEST_TEXTS),
        )


def leg(one, other):
    """The great circle between two positions, as the state counts it."""
    degrees = [value / POSITION_SCALE for at in (one, other) for value in (at.latitude, at.longitude)]
    return round(distance_nm(*degrees) * DISTANCE_SCALE)


def fits(one, other):
    """Whether an aircraft can have been at both positions."""
    seconds = (other.at.order[0] - one.at.order[0]) / 1_000_000
    return can_fly(leg(one, other) / DISTANCE_SCALE, seconds)


def _spread(values):
    return Spread(len(values), sum(values), min(values), max(values)) if values else Spread(0, 0, 0, 0)


class PlainWindow:
    """One part of a window."""

    def __init__(self, origin):
        self.origin = origin
        self.duplicates_ignored = 0
        self.counted = set()
        self.by_address = {}

    def add(self, update):
        """Count an update; return False if one of the same key was counted before."""
        if update.key in self.counted:
            self.duplicates_ignored += 1
            return False
        self.counted.add(update.key)
        ingested = update.ingestion_time
        delay = None if ingested is None else instants.offset(update.timestamp, ingested)
        instant = Instant(instants.offset(self.origin, update.timestamp), delay is not None, delay or 0)
        self.by_address.setdefault(update.icao_address, PlainAircraft()).fold(update, instant)
        return True

    @property
    def aircraft(self):
        """What is known of each aircraft, by address."""
        return {address: aircraft.window() for address, aircraft in self.by_address.items()}
