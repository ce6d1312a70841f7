"""Reads a window part's state from its binary form; every size is checked before memory is allocated."""

from __future__ import annotations

import struct
from itertools import batched
from typing import TYPE_CHECKING

import msgspec

from aggregator.state import byte_shuffle, packed_part
from aggregator.state.layout import AIRCRAFT_WIDTH, BLOCK, FIRST_SEEN_ROW, LOG, ROW, WIDE_LOG, pack_names
from aggregator.state.packed_part import CHUNK, INFLATED_BYTES, KEY_BYTES, VERSION, Names, PackedPart
from aggregator.state.part_store import Columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_VERSION_3_FIRST_SEEN = FIRST_SEEN_ROW.size - struct.calcsize("<i")
_unpack_version_3_names = msgspec.msgpack.Decoder(tuple[str | None, ...]).decode


def columns(packed: PackedPart, version: int) -> Columns:
    """Return the columns.

    Raises
    ------
    ValueError
        They are damaged, or larger than a part can be.
    """
    types = (WIDE_LOG if packed.is_wide else LOG).values()
    keys = len(packed.chunks) * CHUNK + packed.rest_length
    if not 0 <= packed.rest_length < CHUNK or keys * KEY_BYTES > INFLATED_BYTES:
        raise ValueError(f"{len(packed.chunks)} chunks and {packed.rest_length} keys")
    lists = packed_part.decode_lists(byte_shuffle.decompress(packed.lists, INFLATED_BYTES))
    addresses: list[str] = []
    names: list[bytes] = []
    for block in _name_blocks(packed.names):
        addresses += block.addresses
        names += block.names
    aircraft = len(addresses)
    if aircraft * AIRCRAFT_WIDTH > INFLATED_BYTES:
        raise ValueError(f"{aircraft} aircraft")
    log = byte_shuffle.unpack(packed.rest, types, packed.rest_length)
    if packed.chunks:
        first, *others = (byte_shuffle.unpack(chunk, types, CHUNK) for chunk in packed.chunks)
        for chunk in (*others, log):
            for column, more in zip(first, chunk, strict=True):
                column.extend(more)
        log = first
    is_carried = version == VERSION and not packed.is_harder
    inflated = Columns(
        log=dict(zip(LOG, log, strict=True)),
        chunks=packed.chunks,
        rows=byte_shuffle.unpack_rows(packed.rows, ROW.size, aircraft),
        first_seen_rows=_unpacked_first_seen(packed.first_seen, aircraft, version),
        index=dict(zip(addresses, range(aircraft), strict=True)),
        names=names if version == VERSION else [pack_names((*_unpack_version_3_names(of), 0)) for of in names],
        codes={text: code for code, text in enumerate(lists.codes)},
        types={text: code for code, text in enumerate(lists.types)},
        callsigns=lists.callsigns,
        squawks=lists.squawks,
        more_types=lists.more_types,
        strays=lists.strays,
        airlines={airline: code for code, airline in enumerate(lists.airlines)},
        packed_first_seen=packed.first_seen if is_carried else None,
        packed_names=[*packed.names] if is_carried else [None] * len(packed.names),
        packed_lists=packed.lists if is_carried else None,
    )
    # The walk from key to key ends because it only goes back.
    if len(inflated.index) != aircraft or not byte_shuffle.has_no_sign(log[-1]):
        raise ValueError("columns that contradict each other")
    return inflated


def _unpacked_first_seen(frame: bytes, aircraft: int, version: int) -> bytearray:
    if version == VERSION:
        return byte_shuffle.unpack_rows(frame, FIRST_SEEN_ROW.size, aircraft)
    rows = byte_shuffle.unpack_rows(frame, _VERSION_3_FIRST_SEEN, aircraft)
    none = bytes(FIRST_SEEN_ROW.size - _VERSION_3_FIRST_SEEN)
    return bytearray(none.join([*(bytes(row) for row in batched(rows, _VERSION_3_FIRST_SEEN, strict=True)), b""]))


def _name_blocks(frames: Sequence[bytes]) -> Iterator[Names]:
    """Yield the blocks, each of them full but for the last."""
    left = INFLATED_BYTES
    for number, frame in enumerate(frames):
        content = byte_shuffle.decompress(frame, left)
        left -= len(content)
        block = packed_part.decode_names(content)
        size = len(block.addresses)
        if not 0 < size <= BLOCK or (size < BLOCK and number < len(frames) - 1) or size != len(block.names):
            raise ValueError(f"a block of {size} addresses and {len(block.names)} names")
        yield block
