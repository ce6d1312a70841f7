"""A snapshot's columns: numbers as codes of few bytes."""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass
from itertools import compress
from typing import TYPE_CHECKING, NamedTuple

from live.lanes import LANE, WORD, divided, ones, planes, present, signed
from live.layout import DEGREE, EMERGENCIES, TEXT_ADDRESS
from live.tiles import NO_READING, degrees, keys

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LONGEST_AGE = 1 << 31
"""Milliseconds, 24 days: how far the times of a shard's aircraft may lie apart."""

NO_TIME = -(1 << 63)
"""In place of a time where there is none: the least number of its type, as `NO_READING` is."""


@dataclass(slots=True)
class Aircraft:
    """What there is to write: an entry per aircraft in each field. These are the units of the aggregator's state.

    `delay` is `ingestion_time` minus `timestamp`; `position_measured` is when the position was measured, the earlier of
    its update's two times. In an array the least number of its type stands for no value.
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
    """A column of codes: `base + step * (code - 1)` is the number, and code 0 is none."""

    base: int
    step: int
    planes: list[bytes]
    """The codes' lowest bytes, one per aircraft, then their next ones."""


class Table(NamedTuple):
    """All columns, and where each aircraft lies."""

    columns: list[Coded]
    keys: list[bytes]
    """What decides where an aircraft lies (`tiles.keys`)."""
    located: int
    """How many aircraft have a position."""
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
    times = coded(measured, 1, NO_TIME)
    positions = aircraft.position_measured
    lag = array("q", [to - at if at != NO_TIME else NO_TIME for to, at in zip(measured, positions, strict=True)])
    lags = coded(lag, 1, NO_TIME)
    if lags.base < 0:
        raise UnusableTimesError("a position is newer than its aircraft's newest update")
    addresses, texts = _addresses(aircraft.icao_address)
    has_position = present(signed(lag, count), count)
    latitude = degrees(aircraft.latitude, 90, has_position)
    longitude = degrees(aircraft.longitude, 180, has_position)
    columns = [
        addresses,
        times._replace(base=times.base + window_start),
        Coded(0, 1, [b"\1" * count]) if ahead is None else coded(ahead, 1, NO_TIME),
        coded(since, 1, NO_TIME),
        lags,
        Coded(-90 * DEGREE, 1, planes(latitude, count)),
        Coded(-180 * DEGREE, 1, planes(longitude, count)),
        coded(aircraft.altitude, 1_000, NO_READING),
        coded(aircraft.speed, 1_000, NO_READING),
        coded(aircraft.vertical_rate, 1_000, NO_READING),
        coded(aircraft.heading, 100, NO_READING),
        Coded(0, 1, [_flags(aircraft)]),
    ]
    return Table(columns, keys(latitude, longitude, has_position, count), has_position.bit_count(), texts)


def coded(column: array[int], unit: int, missing: int) -> Coded:
    """Return a column's codes; its numbers are rounded to whole units, half upwards.

    They are counted in steps: the greatest number of units that divides all of them, such as the 25 feet of altitudes.

    Raises
    ------
    UnusableTimesError
        The numbers are times, and lie further apart than `LONGEST_AGE`.
    """
    count = len(column)
    lanes = signed(column, count)
    there = present(lanes, count)
    values = column.tolist()
    if there != ones(count):
        values = list(compress(values, there.to_bytes(LANE * count, "little")[::LANE]))
    if not values:
        return Coded(0, 1, [])
    least = min(values)
    if missing == NO_TIME and max(values) - least >= LONGEST_AGE:
        raise UnusableTimesError(f"times lie further apart than {LONGEST_AGE} ms")
    common = math.gcd(*values)
    exact = 0 < common < 1 << 31 and common % unit == 0
    step, half = (common // unit, 0) if exact else (1, unit // 2)
    base = (least + half) // unit
    origin = base * unit - half - missing
    # Where there is no value the lane is 0: it becomes `origin`, so that nothing is borrowed from its neighbour.
    lanes += (ones(count) - there) * origin
    codes = divided(lanes - origin * ones(count), step * unit, count) + ones(count)
    return Coded(base, step, planes(codes & there * WORD, count))


def _times(aircraft: Aircraft) -> tuple[array[int], array[int] | None, array[int]]:
    """Return when each update was measured, how far its timestamp is ahead of that, and how long after it came in.

    None in place of the second is none ahead.
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
