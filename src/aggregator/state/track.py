"""Handles a position that does not simply follow the last one: one far away from it, or older.

An impossible position is left out and counted, by the rule of `common.plausibility`: `last` is the first of the two
positions it keeps, `Columns.strays` holds the second if there is one.
"""

from __future__ import annotations

from math import asin, cos, sin, sqrt
from typing import TYPE_CHECKING, NamedTuple

from aggregator.state.layout import DISTANCE_SCALE, POSITION_SCALE, STRAY_BYTES
from aggregator.state.spots import Spot, Stray
from common.geodesy import DEGREE, DIAMETER_NM, HALF_DEGREE
from common.plausibility import can_fly

if TYPE_CHECKING:
    from aggregator.state.part_store import Columns


class Taken(NamedTuple):
    """The last position from now on, the leg flown to it, and the bytes that the state may have grown by."""

    last: Spot
    leg: int = 0
    grown: int = 0


def take(columns: Columns, place: int, this: Spot, last: Spot) -> Taken:
    """Take an aircraft's next position, `this`."""
    is_newer = columns.order(this.key) > columns.order(last.key)
    leg = _leg(last, this)
    if _can_fly(columns, last, this, leg):
        if is_newer:
            return Taken(this, leg)
        _be_late(columns, place, this)
        return Taken(last)
    stray = columns.strays.get(place)
    if stray is not None and _can_fly(columns, stray.spot, this, leg := _leg(stray.spot, this)):
        if is_newer:
            _confirm(columns, place, stray, last)
            return Taken(max(stray.spot, this, key=lambda spot: columns.order(spot.key)), leg, STRAY_BYTES)
        _be_late(columns, place, this)
        return Taken(last)
    columns.count_implausible(place)
    if not is_newer:
        return Taken(last)
    columns.stray(place, Stray(*this, is_confirmed=False))
    return Taken(last, grown=STRAY_BYTES)


def _confirm(columns: Columns, place: int, stray: Stray, last: Spot) -> None:
    """Let the two positions change places: another one has been found to fit the second."""
    first = columns.first_seen(place)["first_position"]
    is_alone = first == last.key  # nothing has confirmed it: of the two it is the one left out
    if not stray.is_confirmed:
        columns.count_implausible(place, -1 + is_alone)
        if is_alone or columns.order(stray.key) < columns.order(first):
            columns.begin_track(place, *stray.spot)
    columns.stray(place, Stray(*last, is_confirmed=stray.is_confirmed or not is_alone))


def _be_late(columns: Columns, place: int, this: Spot) -> None:
    columns.count_late_position(place)
    first_seen = columns.first_seen(place)
    first = Spot(first_seen["first_position"], first_seen["first_latitude"], first_seen["first_longitude"])
    if columns.order(this.key) < columns.order(first.key) and _can_fly(columns, first, this, _leg(first, this)):
        columns.begin_track(place, *this)


def _can_fly(columns: Columns, one: Spot, other: Spot, leg: int) -> bool:
    ticks = columns.order(other.key)[0] - columns.order(one.key)[0]
    return can_fly(leg / DISTANCE_SCALE, ticks / columns.ticks_per_second)


def _leg(one: Spot, other: Spot) -> int:
    """Return the great circle between two positions, as `aggregator.state.folding` writes it out."""
    from_degrees, to_degrees = one.latitude / POSITION_SCALE, other.latitude / POSITION_SCALE
    to_north = sin((to_degrees - from_degrees) * HALF_DEGREE)
    to_east = sin((other.longitude / POSITION_SCALE - one.longitude / POSITION_SCALE) * HALF_DEGREE)
    half_chord_squared = to_north * to_north + (
        cos(from_degrees * DEGREE) * cos(to_degrees * DEGREE) * to_east * to_east
    )
    return round(DIAMETER_NM * asin(min(1.0, sqrt(half_chord_squared))) * DISTANCE_SCALE)
