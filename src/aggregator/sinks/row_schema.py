"""The schema of window rows: one row per aircraft, and one of totals, each a JSON object on a line.

`(kind, window_start, shard_id, part, icao_address)` is unique: a reader that sees a row twice keeps one.

A window usually has one part, number 0. Parts merge by aircraft: the sum of `updates`, `*_updates`, `distance_nm`,
`late_positions` and `implausible_positions`; the least of `*_min_*` and `first_*`, the greatest of `*_max_*` and
`last_*`; means weighted by `*_updates`; lists united. The leg between two parts, or two windows, is in neither of them:
it runs from the last position of one to the first position of the next.

Rows computed again from the archive (`tools.operations.rebuild`) have two more fields, `rebuilt_by` and `rebuilt_at`,
and replace all rows of their window.

Times are RFC 3339 in UTC. A field without a value is left out. All names are flat, as Athena reads them; the unit is a
name's ending: `_nm` nautical miles, `_ft` feet, `_kt` knots, `_ft_min` feet per minute.

The fields' docstrings are what docs/tables.md says of them (`tools.query.dictionary`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from aggregator import instants
from aggregator.state.layout import DISTANCE_SCALE, POSITION_SCALE, READING_SCALE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aggregator.state.window_part import AircraftWindow, Position, Spread, WindowPart

_encoder = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class PartName:
    """What tells one part of a window from all others; the window's edges are RFC 3339 as Lambda wrote them."""

    window_start: str
    window_end: str
    shard_id: str
    part: int


class _Row(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What every row carries."""

    window_start: str
    """The window's start: it holds the records that arrived in Kinesis from then on."""
    window_end: str
    """The window's end, exclusive."""
    shard_id: str
    """The Kinesis shard whose records it counts."""
    part: int
    """0, 1, ...: which part of the window, where its state outgrew its bound."""
    updates: int
    """Distinct target updates counted."""
    distance_nm: float
    """Great-circle distance flown between the positions in the window, to 0.00001."""
    late_positions: int
    """Positions older than one that had arrived before: they add nothing to `distance_nm`."""
    implausible_positions: int = 0  # `common.plausibility`
    """Positions where the aircraft cannot have been: they count in nothing else. Left out if there are none."""
    first_timestamp: str | None = None
    """`timestamp` of the oldest update counted."""
    last_timestamp: str | None = None  # `common.recency`
    """`timestamp` of the newest update counted, by the earlier of an update's two times."""


class AircraftRow(_Row, frozen=True, kw_only=True, omit_defaults=True, gc=False, tag_field="kind", tag="aircraft"):
    """One aircraft in one part of a window. Readings to a thousandth of their unit, positions to 1e-7 degrees."""

    icao_address: str
    """The aircraft's 24-bit address, hexadecimal, upper case, without padding."""
    first_position_timestamp: str | None = None
    """`timestamp` of the oldest update with a position."""
    first_latitude: float | None = None
    """Of that position, WGS 84, north positive."""
    first_longitude: float | None = None
    """East positive."""
    last_position_timestamp: str | None = None
    """`timestamp` of the newest update with a position."""
    last_latitude: float | None = None
    """Of that position."""
    last_longitude: float | None = None
    """East positive."""
    altitude_updates: int
    """Updates with `altitude_baro`."""
    altitude_min_ft: float | None = None
    """The least of them."""
    altitude_mean_ft: float | None = None
    """Their mean, not rounded."""
    altitude_max_ft: float | None = None
    """The greatest of them."""
    speed_updates: int
    """Updates with `speed`."""
    speed_min_kt: float | None = None
    """The least of them, over ground."""
    speed_mean_kt: float | None = None
    """Their mean, not rounded."""
    speed_max_kt: float | None = None
    """The greatest of them."""
    vertical_rate_updates: int
    """Updates with `vertical_rate`."""
    vertical_rate_min_ft_min: float | None = None
    """The least of them, upwards positive."""
    vertical_rate_mean_ft_min: float | None = None
    """Their mean, not rounded."""
    vertical_rate_max_ft_min: float | None = None
    """The greatest of them."""
    callsigns: list[str]
    """Distinct callsigns, sorted; of more than 32 the first 32 to arrive."""
    squawks: list[str]
    """Distinct transponder codes, likewise."""
    collection_types: list[str]
    """How they were received, terrestrial or satellite, likewise."""


class TotalsRow(_Row, frozen=True, kw_only=True, omit_defaults=True, gc=False, tag_field="kind", tag="totals"):
    """One part of one shard's window: the sums over its aircraft rows, and what belongs to no aircraft."""

    aircraft: int
    """How many aircraft rows the part has."""
    duplicates_ignored: int
    """Updates whose key had been counted in this part before."""
    records_undecodable: int
    """Updates that could not be read; the raw archive has them."""


def rows(part: WindowPart, name: PartName) -> Iterator[bytes]:
    """Yield the part's rows as lines of JSON, the totals last. An empty part has none."""
    if part.is_empty:
        return
    first, last = None, None
    updates, distance, late, implausible = 0, 0, 0, 0
    for address, aircraft in part.read():
        begin, end = aircraft.first, aircraft.last
        first = begin if first is None or begin.order < first.order else first
        last = end if last is None or end.order > last.order else last
        updates += aircraft.updates
        distance += aircraft.distance
        late += aircraft.late_positions
        implausible += aircraft.implausible_positions
        yield _line(_aircraft_row(part, name, address, aircraft))
    yield _line(
        TotalsRow(
            window_start=name.window_start,
            window_end=name.window_end,
            shard_id=name.shard_id,
            part=name.part,
            updates=updates,
            distance_nm=distance / DISTANCE_SCALE,
            late_positions=late,
            implausible_positions=implausible,
            first_timestamp=_time(part, first and first.time),
            last_timestamp=_time(part, last and last.time),
            aircraft=len(part.columns.index),
            duplicates_ignored=part.duplicates_ignored,
            records_undecodable=part.undecodable,
        )
    )


def _line(row: _Row) -> bytes:
    return _encoder.encode(row) + b"\n"


def _time(part: WindowPart, microseconds: int | None) -> str | None:
    return None if microseconds is None else instants.text(instants.moment(part.origin, microseconds))


def _aircraft_row(part: WindowPart, name: PartName, address: str, aircraft: AircraftWindow) -> AircraftRow:
    def time(position: Position | None) -> str | None:
        return None if position is None else _time(part, position.at.time)

    altitude, speed, vertical_rate = aircraft.altitude, aircraft.speed, aircraft.vertical_rate
    first, last = aircraft.first_position, aircraft.last_position
    return AircraftRow(
        window_start=name.window_start,
        window_end=name.window_end,
        shard_id=name.shard_id,
        part=name.part,
        icao_address=address,
        updates=aircraft.updates,
        first_timestamp=_time(part, aircraft.first.time),
        last_timestamp=_time(part, aircraft.last.time),
        first_position_timestamp=time(first),
        first_latitude=None if first is None else first.latitude / POSITION_SCALE,
        first_longitude=None if first is None else first.longitude / POSITION_SCALE,
        last_position_timestamp=time(last),
        last_latitude=None if last is None else last.latitude / POSITION_SCALE,
        last_longitude=None if last is None else last.longitude / POSITION_SCALE,
        distance_nm=aircraft.distance / DISTANCE_SCALE,
        late_positions=aircraft.late_positions,
        implausible_positions=aircraft.implausible_positions,
        altitude_updates=altitude.readings,
        altitude_min_ft=_least(altitude),
        altitude_mean_ft=_mean(altitude),
        altitude_max_ft=_greatest(altitude),
        speed_updates=speed.readings,
        speed_min_kt=_least(speed),
        speed_mean_kt=_mean(speed),
        speed_max_kt=_greatest(speed),
        vertical_rate_updates=vertical_rate.readings,
        vertical_rate_min_ft_min=_least(vertical_rate),
        vertical_rate_mean_ft_min=_mean(vertical_rate),
        vertical_rate_max_ft_min=_greatest(vertical_rate),
        callsigns=aircraft.callsigns,
        squawks=aircraft.squawks,
        collection_types=aircraft.collection_types,
    )


def _least(spread: Spread) -> float | None:
    return spread.least / READING_SCALE if spread.readings else None


def _greatest(spread: Spread) -> float | None:
    return spread.greatest / READING_SCALE if spread.readings else None


def _mean(spread: Spread) -> float | None:
    """Return the mean, not rounded: means of parts weighted by their counts give the whole's."""
    return spread.total / (spread.readings * READING_SCALE) if spread.readings else None
