"""A snapshot's columns: numbers encoded in few bytes."""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from live.lanes import LANE, WORD, divided, exceeds, least, ones, planes, present, signed
from live.layout import DEGREE, EMERGENCIES, TEXT_ADDRESS
from live.tiles import NO_READING, degrees, tiled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LONGEST_AGE = 1 << 31
"""Milliseconds, 24 days: how far the times of a shard's aircraft may lie apart."""

NO_TIME = -(1 << 63)
"""In place of a time where there is none: the least number of its type, as `NO_READING` is."""

_FAR = 1 << 33
"""Beyond all that codes of times can lie apart."""

_SAMPLE = 64
"""One number in so many tells mostly that all have no common step."""


@dataclass(slots=True)
class Aircraft:
    """What there is to write: an entry per aircraft in each field, in the units of the aggregator's state.

    `delay` is `ingestion_time` minus `timestamp`; `position_measured` is when the position was measured, the earlier of
    its update's two times. In an array, the least number of its type means no value.
    """

    icao_address: Sequence[str]
    timestamp: array[int]
    """q: milliseconds since the window's start."""
    delay: array[int]
    """q: milliseconds."""
    position_measured: array[int]
    """q: milliseconds since the window's start; without it there is no position."""
    latitude: array[int]
    """i: 1e-7 degrees, and so is longitude."""
    longitude: array[int]
    altitude: array[int]
    """i: thousandths of a foot; of a knot, a foot per minute and a degree those below. At most 1e9 from zero."""
    speed: array[int]
    vertical_rate: array[int]
    heading: array[int]
    on_ground: array[int]
    """b: 0, 1, or -1 for no value."""
    source: bytes
    """Places in `layout.SOURCES`."""
    emergencies: Mapping[int, str]
    """By the aircraft's place: its squawk, if it is one of `layout.EMERGENCIES`."""


class UnusableTimesError(ValueError):
    """Some aircraft has times that no column can hold."""


class Coded(NamedTuple):
    """A column of codes: `base + step * (code - 1)` is the number, and code 0 says that there is no value."""

    base: int
    step: int
    planes: list[bytes]
    """The codes' lowest bytes, one per aircraft, then their next ones."""


class Table(NamedTuple):
    """All columns, and where each aircraft lies."""

    columns: list[Coded]
    order: list[int]
    """The aircraft's places in the order of the blocks."""
    located: int
    """How many have a position; they are the first in that order."""
    addresses: list[str]
    """Those that are not six hexadecimal digits."""


def table(aircraft: Aircraft, window_start: int) -> Table:
    """Return the columns in the order of `layout.COLUMNS`; the window's start is in milliseconds since the epoch.

    Raises
    ------
    UnusableTimesError
        Times lie further apart than `LONGEST_AGE`, or a position is newer than its aircraft's newest update.
    """
    count = len(aircraft.icao_address)
    measured, ahead, since = _times(aircraft)
    times, positions = _codes(measured, 1, NO_TIME), _codes(aircraft.position_measured, 1, NO_TIME)
    has_position = present(positions.lanes, count)
    addresses, texts = _addresses(aircraft.icao_address)
    latitude = degrees(aircraft.latitude, 90, has_position)
    longitude = degrees(aircraft.longitude, 180, has_position)
    columns = [
        addresses,
        Coded(times.base + window_start, times.step, planes(times.lanes, count)),
        Coded(0, 1, [b"\1" * count]) if ahead is None else coded(ahead, 1, NO_TIME),
        coded(since, 1, NO_TIME),
        Coded(0, 1, planes(_ages(times, positions, has_position, count), count)),
        Coded(-90 * DEGREE, 1, planes(latitude, count)),
        Coded(-180 * DEGREE, 1, planes(longitude, count)),
        coded(aircraft.altitude, 1_000, NO_READING),
        coded(aircraft.speed, 1_000, NO_READING),
        coded(aircraft.vertical_rate, 1_000, NO_READING),
        coded(aircraft.heading, 100, NO_READING),
        Coded(0, 1, [_flags(aircraft)]),
    ]
    return Table(columns, tiled(latitude, longitude, has_position, count), has_position.bit_count(), texts)


class _Codes(NamedTuple):
    """A column of codes in lanes."""

    base: int
    step: int
    lanes: int


def coded(column: array[int], unit: int, missing: int) -> Coded:
    """Return a column's codes; its numbers are rounded to whole units, half upwards.

    They are counted in steps: the greatest number of units that divides all of them, such as the 25 feet of altitudes.

    Raises
    ------
    UnusableTimesError
        The numbers are times, and lie further apart than `LONGEST_AGE`.
    """
    codes = _codes(column, unit, missing)
    return Coded(codes.base, codes.step, planes(codes.lanes, len(column)))


def _codes(column: array[int], unit: int, missing: int) -> _Codes:
    count = len(column)
    lanes = signed(column, count)
    there = present(lanes, count)
    if not there:
        return _Codes(0, 1, 0)
    lowest = least(lanes, there, count)
    step, half = _step(column, unit, missing)
    base = (lowest + missing + half) // unit
    # Where there is no value the lane is 0, and stays so.
    above = lanes - there * (base * unit - half - missing)
    if missing == NO_TIME and exceeds(above, LONGEST_AGE, count):
        raise UnusableTimesError(f"times lie further apart than {LONGEST_AGE} ms")
    codes = divided(above, step * unit, count)
    if step > 1 and codes * (step * unit) != above:  # the sample had a common step, and some other number has not
        step, half = _step(column, unit, missing, every=1)
        base = (lowest + missing + half) // unit
        codes = divided(lanes - there * (base * unit - half - missing), step * unit, count)
    return _Codes(base, step, codes + there)


def _step(column: array[int], unit: int, missing: int, every: int = _SAMPLE) -> tuple[int, int]:
    """Return how many units a step has, by one number in so many, and what is added for rounding to it."""
    common = math.gcd(*(value for value in column[::every] if value != missing))
    exact = unit < common < 1 << 31 and common % unit == 0
    return (common // unit, 0) if exact else (1, unit // 2)


def _ages(times: _Codes, positions: _Codes, has_position: int, count: int) -> int:
    """Return lanes of the codes of how much earlier positions were measured than their aircraft's newest update.

    Raises
    ------
    UnusableTimesError
        A position is newer, or older by more than `LONGEST_AGE`.
    """
    between = times.base - times.step - (positions.base - positions.step)
    if abs(between) >= _FAR - LONGEST_AGE:
        raise UnusableTimesError(f"times lie further apart than {LONGEST_AGE} ms")
    # A position that is newer borrows from `_FAR`; one that is too old reaches into the bits below it.
    ages = times.lanes * times.step + (_FAR + between) * ones(count) - positions.lanes * positions.step
    if ages & has_position * (2 * _FAR - LONGEST_AGE) != has_position * _FAR:
        raise UnusableTimesError("a position is newer than its aircraft's newest update, or far older")
    return (ages + ones(count)) & has_position * WORD


def _times(aircraft: Aircraft) -> tuple[array[int], array[int] | None, array[int]]:
    """Return when each update was measured, how far its timestamp is ahead of that, and how long after it was ingested.

    The second is None if no timestamp is ahead.
    """
    if min(aircraft.delay, default=0) >= 0:
        return aircraft.timestamp, None, aircraft.delay
    ahead = array("q", [-delay if NO_TIME < delay < 0 else 0 for delay in aircraft.delay])
    measured = array("q", [timestamp - by for timestamp, by in zip(aircraft.timestamp, ahead, strict=True)])
    return measured, ahead, array("q", [max(delay, 0) if delay != NO_TIME else NO_TIME for delay in aircraft.delay])


def _addresses(addresses: Sequence[str]) -> tuple[Coded, list[str]]:
    """Return addresses as numbers: themselves, or their place among the texts, which is returned too."""
    count = len(addresses)
    joined = " ".join(addresses)
    texts: list[str] = []
    if _are_hexadecimal(joined, count):
        plain = bytes.fromhex(joined)
        wide = bytearray(LANE * count)
        for place in range(3):
            wide[2 - place :: LANE] = plain[place::3]
        lanes = int.from_bytes(wide, "little")
    else:
        found: dict[str, int] = {}
        lanes = int.from_bytes(
            b"".join(
                (
                    int(address, 16)
                    if _are_hexadecimal(address, 1)
                    else TEXT_ADDRESS + found.setdefault(address, len(found))
                ).to_bytes(LANE, "little")
                for address in addresses
            ),
            "little",
        )
        texts = list(found)
    return Coded(0, 1, planes(lanes + ones(count), count)), texts


def _are_hexadecimal(joined: str, count: int) -> bool:
    """Whether a text is `count` numbers of six upper-case hexadecimal digits with blanks between them."""
    if joined[6::7] != " " * (count - 1) or joined.count(" ") != count - 1 or len(joined) != 7 * count - 1:
        return False
    if not joined.isascii() or joined != joined.upper():
        return False
    try:
        return len(bytes.fromhex(joined)) == 3 * count
    except ValueError:
        return False


def _flags(aircraft: Aircraft) -> bytes:
    """Return the codes of flags, one byte each."""
    count = len(aircraft.source)
    ground = int.from_bytes(aircraft.on_ground.tobytes().translate(_GROUND), "little")
    flags = bytearray((ground | int.from_bytes(aircraft.source, "little") << 2).to_bytes(count, "little"))
    for place, squawk in aircraft.emergencies.items():
        flags[place] |= EMERGENCIES.index(squawk) << 4
    return bytes(flags).translate(_NEXT)


_GROUND = bytes((1, 2)) + bytes(254)
_NEXT = bytes(range(1, 256)) + b"\0"
