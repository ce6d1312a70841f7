"""The fold written plainly, an object an aircraft: what `aggregator.state` does fast must be equal to this."""

from __future__ import annotations

from dataclasses import dataclass, field

from aggregator import instants
from aggregator.state.layout import DISTANCE_SCALE, MAX_LISTED, POSITION_SCALE, READING_SCALE
from aggregator.state.window_part import LATEST_READINGS, LATEST_TEXTS, AircraftWindow, Instant, Position, Spread
from tests.support.great_circle import great_circle_nm


@dataclass
class PlainAircraft:
    """What is known of one aircraft: every instant, every reading, and the track so far."""

    instants: list = field(default_factory=list)
    readings: dict = field(default_factory=lambda: {name: [] for name in ("altitude_baro", "speed", "vertical_rate")})
    newest: object = None
    first_position: Position | None = None
    last_position: Position | None = None
    distance: int = 0
    late_positions: int = 0
    callsigns: list = field(default_factory=list)
    squawks: list = field(default_factory=list)
    collection_types: list = field(default_factory=list)

    def fold(self, update, instant):
        """Take an update that was not counted yet."""
        if not self.instants or instant > max(self.instants):
            self.newest = update
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
        if self.last_position is None:
            self.first_position = self.last_position = position
        elif position.at > self.last_position.at:
            leg = great_circle_nm(
                self.last_position.latitude / POSITION_SCALE,
                self.last_position.longitude / POSITION_SCALE,
                position.latitude / POSITION_SCALE,
                position.longitude / POSITION_SCALE,
            )
            self.distance += round(leg * DISTANCE_SCALE)
            self.last_position = position
        else:
            self.late_positions += 1
            self.first_position = min(self.first_position, position, key=lambda one: one.at)

    def window(self):
        """What the aggregator's own view of the aircraft must be."""
        readings = [getattr(self.newest, name) for name in LATEST_READINGS]
        return AircraftWindow(
            updates=len(self.instants),
            first=min(self.instants),
            last=max(self.instants),
            altitude=_spread(self.readings["altitude_baro"]),
            speed=_spread(self.readings["speed"]),
            vertical_rate=_spread(self.readings["vertical_rate"]),
            first_position=self.first_position,
            last_position=self.last_position,
            distance=self.distance,
            late_positions=self.late_positions,
            callsigns=sorted(self.callsigns),
            squawks=sorted(self.squawks),
            collection_types=sorted(self.collection_types),
            latest_readings=tuple(None if value is None else round(value * READING_SCALE) for value in readings),
            latest_on_ground=self.newest.on_ground,
            latest_texts=tuple(getattr(self.newest, name) for name in LATEST_TEXTS),
        )


def _spread(values):
    return Spread(len(values), sum(values), min(values), max(values)) if values else Spread(0, 0, 0, 0)


class PlainWindow:
    """One part of a window."""

    def __init__(self, origin):
        self.origin = origin
        self.repeats_ignored = 0
        self.counted = set()
        self.by_address = {}

    def add(self, update):
        """Count an update; return False if one of the same key was counted before."""
        if update.key in self.counted:
            self.repeats_ignored += 1
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
