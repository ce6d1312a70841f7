"""Reads and forges a live snapshot, by what docs/design.md says of its bytes and by nothing else."""

from __future__ import annotations

import json
import struct
import zlib
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

MAGIC = b"LIVE"
POSITIONS, IDENTITIES = 1, 2
FIXED = struct.Struct("<4sBBHIII")
"""Magic, version, kind, nothing; sizes of the header deflated and inflated; CRC-32 of it deflated."""

HEADER_BOUND = 1 << 20
BLOCKS_BOUND = 4096
BLOCK_AIRCRAFT = 256
IDENTITIES_BOUND = 8 << 20
WIDEST = 4
SHOWN_ADDRESS = 1 << 24

COLUMNS = (
    "icao_address",
    "measured",
    "ahead",
    "delay",
    "position_age",
    "latitude",
    "longitude",
    "altitude",
    "speed",
    "vertical_rate",
    "heading",
    "flags",
)
GROUND = (None, False, True)
SOURCES = (None, "terrestrial", "satellite", "other")
SQUAWKS = (None, "7500", "7600", "7700")


class UnreadableError(Exception):
    """The object is not what the page says that a snapshot is."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One snapshot: its header, and of each aircraft by its address the columns (numbers, or None) or the identity."""

    kind: int
    header: dict[str, Any]
    aircraft: dict[str, dict[str, Any]] = field(default_factory=dict)
    text: bytes = b""
    """All that it holds, inflated, for whoever looks for what must not be in it."""

    @property
    def order(self) -> tuple[int, int, int]:
        """Its place among the snapshots of its shard: window, part, newest record."""
        header = self.header
        return int(header.get("window_start", 0)), int(header.get("part", 0)), int(header.get("sequence") or 0)


def read(content: bytes) -> Snapshot:
    """Return the snapshot.

    Raises
    ------
    UnreadableError
        Something in it is not as the page says, or out of the page's bounds.
    """
    try:
        return _read(content)
    except (KeyError, TypeError, ValueError, IndexError, struct.error, zlib.error, AttributeError) as error:
        raise UnreadableError(f"{type(error).__name__}: {error}") from error


def forge(kind: int, header: dict[str, Any], blocks: list[bytes], *, version: int = 1) -> bytes:
    """Return a snapshot of this header and these inflated blocks; `blocks` in the header gets their sizes and sums.

    What the header says of a block beside that (its aircraft, its box) stays.
    """
    deflated = [deflate(block) for block in blocks]
    described = [
        [each[0], len(block), zlib.crc32(block), *each[3:]]
        for each, block in zip(header["blocks"], deflated, strict=True)
    ]
    return seal(kind, header | {"blocks": described}, b"".join(deflated), version=version)


def seal(kind: int, header: object, body: bytes, *, version: int = 1) -> bytes:
    """Return a snapshot of a header as it is (`bytes` are its text) and of what follows it."""
    text = header if isinstance(header, bytes) else json.dumps(header, separators=(",", ":")).encode()
    deflated = deflate(text)
    fixed = FIXED.pack(MAGIC, version, kind, 0, len(deflated), len(text), zlib.crc32(deflated))
    return fixed + deflated + body


def opened(content: bytes) -> tuple[int, dict[str, Any], list[bytes]]:
    """Return a snapshot's kind, header and inflated blocks."""
    magic, version, kind, nothing, size, inflated, checksum = FIXED.unpack_from(content)
    _must(magic == MAGIC and version == 1 and kind in (POSITIONS, IDENTITIES) and not nothing, "an odd beginning")
    deflated = content[FIXED.size : FIXED.size + size]
    _must(zlib.crc32(deflated) == checksum, "the header's checksum")
    text = inflate(deflated)
    _must(len(text) == inflated <= HEADER_BOUND, f"a header of {len(text)} bytes, said to be {inflated}")
    header = json.loads(text)
    _must(len(header.get("blocks") or []) <= BLOCKS_BOUND, "too many blocks")
    blocks, at = [], FIXED.size + size
    for _, length, block_checksum, *_box in header.get("blocks") or []:
        block = content[at : at + length]
        _must(len(block) == length and zlib.crc32(block) == block_checksum, "a block's checksum")
        blocks.append(inflate(block))
        at += length
    _must(at == len(content), f"{len(content) - at} bytes behind the last block")
    return kind, header, blocks


def deflate(content: bytes) -> bytes:
    """Return the content as raw deflate."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(content) + packer.flush()


def inflate(content: bytes) -> bytes:
    """Return what a raw deflate stream holds, all of it and nothing behind it."""
    unpacker = zlib.decompressobj(-15)
    inflated = unpacker.decompress(content, 64 << 20)
    _must(unpacker.eof and not unpacker.unused_data, "a deflate stream that does not end with its block")
    return inflated


def _read(content: bytes) -> Snapshot:
    kind, header, blocks = opened(content)
    described = header.get("blocks") or []
    aircraft: dict[str, dict[str, Any]] = {}
    for (count, _, _, *box), block in zip(described, blocks, strict=True):
        _must(1 <= count <= BLOCK_AIRCRAFT, f"{count} aircraft in a block")
        rows = _positions(header, count, block, box) if kind == POSITIONS else _identities(header, count, block)
        for row in rows:
            address = row["icao_address"]
            _must(isinstance(address, str) and address not in aircraft, f"{address!r} is there twice")
            aircraft[address] = row
    return Snapshot(kind, header, aircraft, json.dumps(header).encode() + b"\n" + b"\n".join(blocks))


def _positions(header: dict[str, Any], count: int, block: bytes, box: list[int]) -> list[dict[str, Any]]:
    columns = header["columns"]
    layout = [columns[name] for name in COLUMNS] if isinstance(columns, dict) else list(columns)
    _must(len(layout) == len(COLUMNS), f"{len(layout)} columns")
    _must(len(block) == count * sum(planes for _, _, planes, _ in layout), "a block of another size than its planes")
    codes = [[0] * count for _ in layout]
    at = 0
    for rough_ones in (True, False):
        for column, (_, _, planes, rough) in zip(codes, layout, strict=True):
            _must(0 <= rough <= planes <= WIDEST, f"{planes} planes, {rough} of them rough")
            for plane in range(rough) if rough_ones else range(rough, planes):
                for index, byte in enumerate(block[at : at + count]):
                    column[index] |= byte << 8 * plane
                at += count
    values = [
        [base + step * (code - 1) if code else None for code in column]
        for column, (base, step, _, _) in zip(codes, layout, strict=True)
    ]
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in zip(*values, strict=True)]
    return [_named(row, header.get("addresses") or [], box) for row in rows]


def _named(row: dict[str, Any], addresses: list[str], box: list[int]) -> dict[str, Any]:
    """Return a row of columns with its address as text, its flags taken apart, and its place checked."""
    number = row["icao_address"]
    row["icao_address"] = f"{number:06X}" if number < SHOWN_ADDRESS else addresses[number - SHOWN_ADDRESS]
    flags = row.pop("flags") or 0
    row["on_ground"], row["source"] = GROUND[flags & 3], SOURCES[flags >> 2 & 3]
    row["squawk"] = SQUAWKS[flags >> 4 & 3]
    _must(flags < 1 << 6, f"flags of {flags}")
    north, east = row["latitude"], row["longitude"]
    _must((north is None) == (east is None) == (row["position_age"] is None), f"half a position: {row}")
    if north is not None:
        _must(abs(north) <= 90 * 10**5 and abs(east) <= 180 * 10**5, f"off the globe: {row}")
        _must(box[0] * 1000 <= north <= box[2] * 1000, f"outside its block's box {box}: {row}")
        _must(box[1] * 1000 <= east <= box[3] * 1000, f"outside its block's box {box}: {row}")
    return row


def _identities(header: dict[str, Any], count: int, block: bytes) -> list[dict[str, Any]]:
    _must(len(block) <= IDENTITIES_BOUND, f"{len(block)} bytes of identities")
    fields = header["fields"]
    _must(fields[0] == "icao_address", f"fields {fields}")
    columns = json.loads(block)
    _must(len(columns) == len(fields) and all(len(column) == count for column in columns), "columns of other lengths")
    _must(all(value is None or isinstance(value, str) for column in columns for value in column), "not a text")
    return [dict(zip(fields, row, strict=True)) for row in zip(*columns, strict=True)]


def in_order(orders: list[tuple[int, int, int]]) -> tuple[tuple[int, int, int], tuple[int, int, int]] | None:
    """Return the first two of them of which the second lies before the first; None: none does."""
    return next(((first, second) for first, second in pairwise(orders) if second < first), None)


def _must(holds: bool, what: str) -> None:  # noqa: FBT001 - it is what the function is about
    if not holds:
        raise UnreadableError(what)
