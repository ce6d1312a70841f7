"""The curve along which aircraft lie in a snapshot: neighbours on it are neighbours in the world (Morton's order)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from live.lanes import LANE, WORD, divided, ones, signed, spread
from live.layout import BLOCK_SIZE, BOX_DEGREE, DEGREE

if TYPE_CHECKING:
    from array import array
    from collections.abc import Iterator

NO_READING = -(1 << 31)
"""What is in a column where there is no value: the least number of its type."""

_CELL = 10
"""Bits of a position below those that the curve goes by: its cells are 0.01 degrees wide."""
_SCALE = 10_000_000
"""Units of the aggregator's positions in a degree."""
_PER_UNIT = _SCALE // DEGREE
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


def places(latitude: int, longitude: int, has_position: int, count: int) -> bytes:
    """Return each aircraft's place on the curve in eight bytes, the lowest first; without a position it is the last."""
    curve = spread(longitude, _CELL, count) | spread(latitude, _CELL, count) << 1
    curve |= (ones(count) - has_position) * WORD
    return curve.to_bytes(LANE * count, "little")


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
