"""Groups aircraft into blocks: by strips of longitude, and in each by latitude.

Each block is its own tile, small where there are many aircraft (sort-tile-recursive packing: Leutenegger, 1997).
"""

from __future__ import annotations

import math
from operator import itemgetter
from struct import Struct
from typing import TYPE_CHECKING

from live.lanes import WORD, divided, listed, ones, places, signed
from live.layout import BLOCK_SIZE, BOX_DEGREE, DEGREE

if TYPE_CHECKING:
    from array import array
    from collections.abc import Iterator, Sequence

NO_READING = -(1 << 31)
"""What is in a column where there is no value: the least number of its type."""

_SCALE = 10_000_000
"""Units of the aggregator's positions in a degree."""
_PER_UNIT = _SCALE // DEGREE
_CODE_BITS = 26
"""Codes of positions have no more: (2**32 - 1) / 100."""
_SORTED_BITS = 30
"""Python sorts whole numbers of so many bits in half the time that larger ones take."""
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


def tiled(latitude: int, longitude: int, has_position: int, count: int) -> list[int]:
    """Return the aircraft's places in the order of the blocks, by lanes of codes; those without a position last."""
    bits = max(count - 1, 0).bit_length()
    northwards, eastwards = (_keys(codes, has_position, bits, count) for codes in (latitude, longitude))
    located, mask = has_position.bit_count(), (1 << bits) - 1
    strips = [northwards[key & mask] for key in sorted(eastwards)]
    strip = BLOCK_SIZE * math.ceil(math.sqrt(located / BLOCK_SIZE) or 1)
    for start in range(0, located, strip):
        end = min(start + strip, located)
        strips[start:end] = sorted(strips[start:end])
    return [key & mask for key in strips]


def _keys(codes: int, has_position: int, bits: int, count: int) -> list[int]:
    """Return the sort keys of aircraft: a code's higher bits, all set where there is no position, and the place.

    With 6,000 aircraft this resolves 300 m, with 100,000 it resolves 4 km.
    """
    nowhere = (ones(count) - has_position) * ((1 << _CODE_BITS) - 1)
    left_out = max(0, bits - (_SORTED_BITS - _CODE_BITS))
    higher = (codes | nowhere) >> left_out & ((1 << _CODE_BITS - left_out) - 1) * ones(count)
    return listed((higher << bits) + places(count), count)


def arranged(planes: Sequence[bytes], order: Sequence[int]) -> list[bytes]:
    """Return the planes with their aircraft in another order."""
    width, count = len(planes), len(order)
    rows = bytearray(count * width)
    for place, plane in enumerate(planes):
        rows[place::width] = plane
    # All planes at once: a row of them is one object, cut out and moved in C.
    each = Struct(f"{width}s" * count).unpack(rows)
    turned = b"".join(itemgetter(*order)(each) if count > 1 else each)
    return [turned[place::width] for place in range(width)]


def cuts(located: int, count: int) -> Iterator[tuple[int, int]]:
    """Yield where the blocks of sorted aircraft begin and end; those without a position have separate blocks."""
    for first, last in ((0, located), (located, count)):
        for start in range(first, last, BLOCK_SIZE):
            yield start, min(start + BLOCK_SIZE, last)


def box(latitudes: Sequence[int], longitudes: Sequence[int]) -> tuple[int, int, int, int]:
    """Return a block's edges of its codes, rounded outwards: south, west, north, east."""
    south, north = _edges(latitudes, 90)
    west, east = _edges(longitudes, 180)
    return south, west, north, east


def _edges(codes: Sequence[int], most: int) -> tuple[int, int]:
    below = most * BOX_DEGREE
    return (min(codes) - 1) // _UNITS_OF_BOX - below, -((1 - max(codes)) // _UNITS_OF_BOX) - below
