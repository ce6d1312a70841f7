"""Byte shuffle: columns of numbers as compressed bytes, all lowest bytes first, then all second-lowest, and so on.

Numbers side by side in a column agree in their high bytes, which are mostly zero, and in little else. Grouped by
significance, they compress in less than half the time (30,000 keys: 0.4 ms against 1.0).
"""

from __future__ import annotations

import sys
from array import array
from typing import TYPE_CHECKING

from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Iterable

COMPRESSION_LEVEL = 1
"""Level 3 saves 7 % of the rows more and takes half as long again, and every invocation pays it."""

_BOUNDED: dict[int, int] = {zstd.DecompressionParameter.window_log_max: 23}
"""A frame's header may ask for a window of gigabytes; ours have 512 KiB."""

_LITTLE_ENDIAN = sys.byteorder == "little"


def compress(data: bytes, level: int = COMPRESSION_LEVEL) -> bytes:
    """Return the data as a Zstandard frame; equal data give equal frames."""
    return zstd.compress(data, level)


def decompress(frame: bytes, most: int) -> bytes:
    """Return what `compress` was given; no more memory is taken than `most` bytes and a window of 8 MiB.

    Raises
    ------
    ValueError
        The frame is damaged, or holds more than `most` bytes.
    """
    try:
        size = zstd.get_frame_info(frame).decompressed_size
        if size is None or size > most:
            raise ValueError(f"a frame of {size} bytes inflated; expected at most {most}")
        decompressor = zstd.ZstdDecompressor(options=_BOUNDED)
        data = decompressor.decompress(frame, size)
    except zstd.ZstdError as error:
        raise ValueError(f"no Zstandard frame ({error})") from None
    if len(data) != size or not decompressor.eof or decompressor.unused_data:
        raise ValueError("a Zstandard frame that is cut short, or followed by something")
    return data


def inflated_size(frame: bytes) -> int:
    """Return how many bytes `compress` was given."""
    return zstd.get_frame_info(frame).decompressed_size or 0


def pack(columns: Iterable[array[int]], level: int = COMPRESSION_LEVEL) -> bytes:
    """Return the columns in one frame."""
    planes: list[bytes] = []
    for column in columns:
        data, width = column.tobytes(), column.itemsize
        planes += [data[place::width] for place in _places(width)]
    return compress(b"".join(planes), level)


def unpack(frame: bytes, typecodes: Iterable[str], rows: int) -> list[array[int]]:
    """Return the columns that `pack` was given, of `rows` numbers each.

    Raises
    ------
    ValueError
        The frame is damaged, or holds another number of rows.
    """
    typecodes = tuple(typecodes)
    expected = rows * sum(array(typecode).itemsize for typecode in typecodes)
    planes, start = decompress(frame, expected), 0
    if len(planes) != expected:
        raise ValueError(f"columns of {len(planes)} bytes in all; expected {expected} for {rows} rows")
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
    return columns


def column(rows: bytes | bytearray, width: int, at: int, typecode: str) -> array[int]:
    """Return one column of rows of `width` bytes each: that of little-endian numbers `at` bytes from a row's start."""
    numbers = array(typecode)
    data = bytearray(len(rows) // width * numbers.itemsize)
    for number, place in enumerate(_places(numbers.itemsize)):
        data[place :: numbers.itemsize] = rows[at + number :: width]
    numbers.frombytes(data)
    return numbers


def pack_rows(rows: bytes | bytearray, width: int) -> bytes:
    """Return rows of `width` bytes each in one frame: their first bytes, then their second ones, and so on."""
    return compress(b"".join([rows[place::width] for place in range(width)]))


def unpack_rows(frame: bytes, width: int, rows: int) -> bytearray:
    """Return the rows that `pack_rows` was given.

    Raises
    ------
    ValueError
        The frame is damaged, or holds another number of rows.
    """
    planes = decompress(frame, rows * width)
    if len(planes) != rows * width:
        raise ValueError(f"rows of {len(planes)} bytes in all; expected {rows * width} for {rows} rows")
    data = bytearray(rows * width)
    zeros = bytes(rows)
    for place in range(width):
        plane = planes[place * rows : (place + 1) * rows]
        if plane != zeros:  # as above
            data[place::width] = plane
    return data


def has_no_sign(column: array[int]) -> bool:
    """Whether no number is below zero: no highest byte has its highest bit set. `min` would take 18 times as long."""
    return column.tobytes()[_places(column.itemsize)[-1] :: column.itemsize].isascii()


def _places(width: int) -> range:
    """Return where a number's bytes lie, the least significant first."""
    return range(width) if _LITTLE_ENDIAN else range(width - 1, -1, -1)
