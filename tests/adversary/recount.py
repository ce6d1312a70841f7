"""Each aircraft's newest state, counted again from what was sent by the rules of docs/design.md and no code of ours.

Times are milliseconds since the epoch, positions 0.00001 degrees, as in a snapshot.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

IDENTITY = (
    "callsign",
    "flight_number",
    "tail_number",
    "aircraft_type_icao",
    "departure_airport_icao",
    "arrival_airport_icao",
    "airline_iata",
    "airline_name",
    "squawk",
    "collection_type",
)
NEAR_NM, FASTEST_KT = 2.0, 2_000.0
_LONGEST = {"airline_name": 256}
_READING = 1_000_000.0
_EMERGENCIES = ("7500", "7600", "7700")
_SOURCES = ("terrestrial", "satellite")


class Position(NamedTuple):
    """Where an aircraft was, in degrees, and when, by the rule of what is newer."""

    when: tuple[int, int, float]
    latitude: float
    longitude: float

    @property
    def measured(self) -> int:
        """When it was measured."""
        return self.when[0]


class State(NamedTuple):
    """An aircraft's newest state: `when` is its place by the rule of what is newer; readings as the update has them."""

    when: tuple[int, int, float]
    position: Position | None
    readings: dict[str, Any]
    identity: dict[str, str | None]


def address_of(update: dict[str, Any]) -> str:
    """Return the address as keys have it."""
    return str(update["icao_address"]).strip().upper()


def when(update: dict[str, Any]) -> tuple[int, int, float]:
    """Return an update's place by the rule: the earlier of its two times, then `timestamp`, then `ingestion_time`."""
    measured = _milliseconds(update["timestamp"])
    assert measured is not None
    ingested = _milliseconds(update.get("ingestion_time"))
    return (
        measured if ingested is None else min(measured, ingested),
        measured,
        -math.inf if ingested is None else ingested,
    )


@dataclass(slots=True)
class Part:
    """One part of one shard's window: its aircraft's newest updates, and of each the track."""

    states: dict[str, State] = field(default_factory=dict)
    _tracks: dict[str, _Track] = field(default_factory=dict)

    def add(self, update: dict[str, Any]) -> None:
        """Fold an update, in the order of arrival."""
        address, at = address_of(update), when(update)
        track = self._tracks.setdefault(address, _Track())
        north, east = (_number(update.get(name), most) for name, most in (("latitude", 90.0), ("longitude", 180.0)))
        if north is not None and east is not None and not north == 0 == east:
            track.add(Position(at, north, east))
        known = self.states.get(address)
        if known is None or at > known.when:
            known = State(at, None, _readings(update), _identity(update))
        self.states[address] = known._replace(position=track.last)


@dataclass(slots=True)
class _Track:
    """The last position, and the last that did not fit it."""

    last: Position | None = None
    other: Position | None = None

    def add(self, position: Position) -> None:
        if self.last is None:
            self.last = position
            return
        is_newer = position.when > self.last.when
        if _fits(self.last, position):
            self.last = position if is_newer else self.last
        elif self.other is not None and _fits(self.other, position):
            if is_newer:
                self.last, self.other = max(self.other, position, key=lambda one: one.when), self.last
        elif is_newer:
            self.other = position


def joined(parts: list[dict[str, State]]) -> dict[str, State]:
    """Return each aircraft's newest state; one without a position keeps the newest position known."""
    newest: dict[str, State] = {}
    for part in parts:
        for address, state in part.items():
            known = newest.get(address)
            if known is None:
                newest[address] = state
                continue
            newer, older = (state, known) if state.when > known.when else (known, state)
            newest[address] = newer if newer.position is not None else newer._replace(position=older.position)
    return newest


def difference(due: State, row: dict[str, Any]) -> str | None:
    """Return in what a snapshot's row is not that state; None: in nothing."""
    ingested = -math.inf if row["delay"] is None else row["measured"] + row["delay"]
    if (shown := (row["measured"], row["measured"] + row["ahead"], ingested)) != due.when:
        return f"times {shown}, due {due.when}"
    for name, value in due.readings.items():
        if not _equal(name, value, row[name]):
            return f"{name} {row[name]}, due {value}"
    if (row["latitude"] is None) != (due.position is None):
        return f"position {row['latitude']}, {row['longitude']}, due {due.position}"
    if due.position is not None:
        shown_at = row["measured"] - row["position_age"]
        apart = max(
            abs(row["latitude"] - due.position.latitude * 1e5), abs(row["longitude"] - due.position.longitude * 1e5)
        )
        if shown_at != due.position.measured or apart > 1:
            return f"position {row['latitude']}, {row['longitude']} of {shown_at}, due {due.position}"
    return None


def _equal(name: str, due: Any, shown: Any) -> bool:
    if due is None or shown is None or isinstance(due, str | bool):
        return due == shown
    if name == "heading":
        apart = abs(due * 10 - shown) % 3600
        return min(apart, 3600 - apart) <= 0.51
    return bool(abs(due - shown) <= 0.51)


def _readings(update: dict[str, Any]) -> dict[str, Any]:
    squawk, source = (_text(name, update.get(name)) for name in ("squawk", "collection_type"))
    ground = update.get("on_ground")
    return {
        "altitude": _number(update.get("altitude_baro"), _READING),
        "speed": _number(update.get("speed"), _READING),
        "vertical_rate": _number(update.get("vertical_rate"), _READING),
        "heading": _number(update.get("heading"), 360.0),
        "on_ground": ground if isinstance(ground, bool) else None,
        "source": source if source is None or source in _SOURCES else "other",
        "squawk": squawk if squawk in _EMERGENCIES else None,
    }


def _identity(update: dict[str, Any]) -> dict[str, str | None]:
    return {name: _text(name, update.get(name)) for name in IDENTITY}


def _text(name: str, value: Any) -> str | None:
    """Return a field's text; None where it is none, too long, or half of a surrogate pair is in it.

    A squawk that is written as a number is its four digits.
    """
    if name == "squawk" and type(value) is int and 0 <= value <= 9999:
        return f"{value:04}"
    if (
        not isinstance(value, str)
        or len(value) > _LONGEST.get(name, 64)
        or any("\ud800" <= each <= "\udfff" for each in value)
    ):
        return None
    return (value.strip() or None) if name == "callsign" else value


def _number(value: Any, most: float) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not -most <= value <= most:
        return None
    return value


def _milliseconds(text: Any) -> int | None:
    if not text:
        return None
    moment = datetime.fromisoformat(text)
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def _fits(first: Position, second: Position) -> bool:
    north, south = math.radians(first.latitude), math.radians(second.latitude)
    east = math.radians(second.longitude - first.longitude)
    chord = math.sin((south - north) / 2) ** 2 + math.cos(north) * math.cos(south) * math.sin(east / 2) ** 2
    miles = 2 * 3440.065 * math.asin(math.sqrt(min(1.0, chord)))
    return miles <= NEAR_NM + FASTEST_KT / 3_600 * abs(second.measured - first.measured) / 1_000
