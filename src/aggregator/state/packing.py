"""Writes a window part's state in its binary form, and measures it; equal parts give equal bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aggregator.state import byte_shuffle, packed_part
from aggregator.state.layout import AIRCRAFT_WIDTH, BLOCK, FIRST_SEEN_ROW, ROW
from aggregator.state.packed_part import CHUNK, INFLATED_BYTES, KEY_BYTES, Lists, Names, PackedPart

if TYPE_CHECKING:
    from aggregator.state.part_store import Columns
    from aggregator.state.window_part import WindowPart

CHUNK_LEVEL = 5
"""Level of a chunk: 9 % less than at the usual one in three times the time, and it is compressed once."""

NAMES_LEVEL = 3
"""Level of addresses and names: 10 % less in half as long again, and most blocks of them stay as they are."""

HARDER_LEVEL = 15
"""Zstandard's level for a state that is too large: 7 to 8 % less than at the usual levels, in 40 ms more."""

MOST_COMPRESSION = 16
"""A part that compresses better counts as if it did not (`measure`): so no part outgrows `INFLATED_BYTES`, whatever the
feed says; a feed of long texts that are all alike would fill the memory long before it filled the state."""


def pack(part: WindowPart) -> bytes:
    """Return the part's state in its binary form; equal parts give equal bytes."""
    columns = part.columns
    log, chunks = list(columns.log.values()), columns.chunks
    while (start := len(chunks) * CHUNK) + CHUNK <= part.updates:
        chunks.append(byte_shuffle.pack([column[start : start + CHUNK] for column in log], CHUNK_LEVEL))
    return packed_part.encode(
        PackedPart(
            part.number,
            part.size_bound,
            part.duplicates_ignored,
            part.undecodable,
            columns.is_wide,
            chunks,
            part.updates - start,
            byte_shuffle.pack([column[start:] for column in log]),
            byte_shuffle.pack_rows(columns.rows, ROW.size),
            _first_seen(columns),
            _names(columns),
            _lists(columns),
            is_harder=False,
        )
    )


def _first_seen(columns: Columns) -> bytes:
    if columns.packed_first_seen is None:
        columns.packed_first_seen = byte_shuffle.pack_rows(columns.first_seen_rows, FIRST_SEEN_ROW.size)
    return columns.packed_first_seen


def _names(columns: Columns) -> list[bytes]:
    addresses: list[str] = []
    for number, packed in enumerate(columns.packed_names):
        if packed is None:
            addresses = addresses or list(columns.index)
            block = slice(number * BLOCK, number * BLOCK + BLOCK)
            names = Names(addresses[block], columns.names[block])
            columns.packed_names[number] = byte_shuffle.compress(packed_part.encode(names), NAMES_LEVEL)
    return columns.packed_names  # type: ignore[return-value]  # none is None now


def _lists(columns: Columns) -> bytes:
    if columns.packed_lists is None:
        lists = Lists(
            list(columns.codes),
            list(columns.types),
            columns.callsigns,
            columns.squawks,
            columns.more_types,
            columns.strays,
            list(columns.airlines),
        )
        columns.packed_lists = byte_shuffle.compress(packed_part.encode(lists))
    return columns.packed_lists


def measure(part: WindowPart) -> int:
    """Return the part's size in bytes: packed, or a `MOST_COMPRESSION`th of what it inflates to where that is more."""
    size, columns = len(pack(part)), part.columns
    inflated = sum(map(byte_shuffle.inflated_size, [*_names(columns), _lists(columns)])) + part.updates * KEY_BYTES
    return max(size, (inflated + len(columns.index) * AIRCRAFT_WIDTH) // MOST_COMPRESSION)


def harder(packed: bytes) -> bytes:
    """Compress a packed part again where the next invocation does so, too; the chunks it carries as they are."""
    document = packed_part.decode(packed)
    for name in ("rest", "rows", "first_seen", "lists"):
        setattr(document, name, _compressed_harder(getattr(document, name)))
    document.names = list(map(_compressed_harder, document.names))
    document.is_harder = True
    return packed_part.encode(document)


def _compressed_harder(frame: bytes) -> bytes:
    return byte_shuffle.compress(byte_shuffle.decompress(frame, INFLATED_BYTES), HARDER_LEVEL)
