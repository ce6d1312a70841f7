"""Columns of numbers as compressed bytes: all lowest bytes first, then all next ones, and so on.

Numbers side by side in a column agree in their high bytes, which are mostly zero, and in little else. Kept apart, the
planes compress in less than half the time (30,000 keys: 0.4 ms against 1.0).
"""

from __future__ import annotations

import sys
from array import array
from typing import TYPE_CHECKING

from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Iterable

COMPRESSION_LEVEL = 1
"""Level 3 saves 10 % more and takes twice as long, and every invocation pays it."""

_LITTLE_ENDIAN = sys.byteorder == "little"


def compress(data: bytes) -> bytes:
    """Return the data as a Zstandard frame; equal data give equal frames."""
    return zstd.compress(data, COMPRESSION_LEVEL)


def decompress(frame: bytes) -> bytes:
    """Return what `compress` was given.

    Raises
    ------
    ValueError
        The frame is damaged.
    """
    try:
        return zstd.decompress(frame)
    except zstd.ZstdError as error:
        raise ValueError(f"no Zstandard frame ({error})") from None


def pack(columns: Iterable[array[int]]) -> bytes:
    """Return the columns in one frame."""
    planes: list[bytes] = []
    for column in columns:
        data, width = column.tobytes(), column.itemsize
        planes += [data[place::width] for place in _places(width)]
    return compress(b"".join(planes))


def unpack(frame: bytes, typecodes: Iterable[str], rows: int) -> list[array[int]]:
    """Return the columns that `pack` was given, of `rows` numbers each.

    Raises
    ------
    ValueError
        The frame is damaged, or holds another number of rows.
    """
    planes, start = decompress(frame), 0
    zeros = bytes(rows)
    columns: list[array[int]] = []
    for typecode in typecodes:
        column = array(typecode)
        width = column.itemsize
        data = bytearray(width * rows)
        for place in _places(width):
            plane = planes[start : start + rows]
            if plane != zeros:  # which half of them are, and a comparison takes a tenth of the time
                data[place::width] = plane
            start += rows
        column.frombytes(data)
        columns.append(column)
    if start != len(planes):
        raise ValueError(f"columns of {len(planes)} bytes in all; expected {start} for {rows} rows")
    return columns


def _places(width: int) -> range:
    """Return where a number's bytes lie, the least significant first."""
    return range(width) if _LITTLE_ENDIAN else range(width - 1, -1, -1)
