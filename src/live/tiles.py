"""How aircraft are put together in blocks: by strips of longitude, and in each by latitude.

Each block is a tile of its own, small where there are many aircraft (sort-tile-recursive packing: Leutenegger, 1997).
"""

from __future__ import annotations

import math
from operator import itemgetter
from typing import TYPE_CHECKING

from live.lanes import LANE, WORD, divided, ones, signed
from live.layout import BLOCK_SIZE, BOX_DEGREE, DEGREE

if TYPE_CHECKING:
    from array import array
    from collections.abc import Iterator

NO_READING = -(1 << 31)
"""What is in a column where there is no value: the least number of its type."""

_SCALE = 10_000_000
"""Units of the aggregator's positions in a degree."""
_PER_UNIT = _SCALE // DEGREE
_LATITUDE = itemgetter(slice(4, 8))
"""Of a row: its place among the keys."""
_UNITS_OF_BOX = DEGREE // BOX_DEGREE


def degrees(column: array[int], most: int, has_position: int) -> int:
    """Return lanes of the codes of latitudes or longitudes: from 1, which is `most` degrees below zero.

    0 where there is no position, by the lanes of `has_position`.
    """
    count = len(column)
    # The code of what lies outside stays in its lane, too.
    offset = (1 << 32) + most * _SCALE + _PER_UNIT // 2 + NO_READING
    lanes = signed(column, count) + offset * ones(count) & WORD * ones(count)
    return divided(lanes, _PER_UNIT, count) + ones(count) & has_position * WORD


def keys(latitude: int, longitude: int, has_position: int, count: int) -> list[bytes]:
    """Return what `tiled` goes by, in eight planes: longitudes, then latitudes, the highest bytes first.

    Without a position all of it is 255, which is after all others.
    """
    nowhere = (ones(count) - has_position) * WORD
    found = ((codes | nowhere).to_bytes(LANE * count, "little") for codes in (longitude, latitude))
    return [data[plane::LANE] for data in found for plane in (3, 2, 1, 0)]


def tiled(planes: list[bytes], located: int, count: int) -> bytes:
    """Return rows of one byte of each plane in their order, those without a position last; `keys` are the first planes.

    The rows are sorted as texts, since Python compares those of one byte a character in a third of the time that
    bytes take.
    """
    width = len(planes)
    rows = bytearray(count * width)
    for place, plane in enumerate(planes):
        rows[place::width] = plane
    plain = rows.decode("latin-1")
    ordered = sorted([plain[start : start + width] for start in range(0, count * width, width)])
    strip = BLOCK_SIZE * math.ceil(math.sqrt(located / BLOCK_SIZE) or 1)
    for start in range(0, located, strip):
        end = min(start + strip, located)
        ordered[start:end] = sorted(ordered[start:end], key=_LATITUDE)
    return "".join(ordered).encode("latin-1")


def cuts(located: int, count: int) -> Iterator[tuple[int, int]]:
    """Yield where the blocks of sorted aircraft begin and end; those without a position have blocks of their own."""
    for first, last in ((0, located), (located, count)):
        for start in range(first, last, BLOCK_SIZE):
            yield start, min(start + BLOCK_SIZE, last)


def box(latitudes: list[int], longitudes: list[int]) -> tuple[int, int, int, int]:
    """Return a block's edges of its codes, rounded outwards: south, west, north, east."""
    south, north = _edges(latitudes, 90)
    west, east = _edges(longitudes, 180)
    return south, west, north, east


def _edges(codes: list[int], most: int) -> tuple[int, int]:
    below = most * BOX_DEGREE
    return (min(codes) - 1) // _UNITS_OF_BOX - below, -((1 - max(codes)) // _UNITS_OF_BOX) - below
