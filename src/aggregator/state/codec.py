"""A window part's state as Lambda carries it from one invocation to the next: `{"v": 4, "z": "..."}`.

`z` is base64 of msgpack, in which the columns and the texts are compressed. The log of keys only grows: a stretch of it
that is full is compressed once, and from then on carried as it is. So are addresses and names, lists and aircraft's
beginnings, until they change, which they seldom do. Lambda ends a window early whose state exceeds 1 MB (developer
guide, tumbling windows): `aggregator.state.splitting` keeps it below that, and `encode` is the net under it.
"""

from __future__ import annotations

import struct
from array import array
from itertools import batched
from typing import TYPE_CHECKING, Any

import msgspec
import pybase64

from aggregator.state import byte_shuffle
from aggregator.state.layout import (
    AIRCRAFT_WIDTH,
    BEGINNING_ROW,
    BLOCK,
    LOG,
    ROW,
    WIDE_LOG,
    pack_names,
)
from aggregator.state.part_store import Columns
from aggregator.state.spots import Stray  # noqa: TC001 - msgspec reads it when it makes a class of it
from aggregator.state.window_part import WindowPart

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

VERSION = 4

_VERSION_3 = 3
"""Read as well, so that a deployment takes over the windows that are open. It knew no airlines and no implausible
positions."""
_VERSION_3_BEGINNING = BEGINNING_ROW.size - struct.calcsize("<i")

STRETCH = 8_192
"""Keys in a stretch of the log that is compressed once. Where one ends depends on the keys alone, as the state must."""

LAMBDA_BYTES = 1_000_000
"""What Lambda takes of state: its 1 MB, read as the smaller of two."""


def packed_size(state_bytes: int) -> int:
    """Return how large a part may be when packed, so that its state has no more than so many characters.

    Base64 makes four of three; 1,000 are left for the JSON around it, and for what is no column: headers and counts.
    """
    return state_bytes * 3 // 4 - 1_000


MOST_PACKED_BYTES = packed_size(LAMBDA_BYTES)

HARDER_LEVEL = 15
"""Zstandard's level for a state above that: 7 to 8 % less than at the usual levels, in 40 ms more."""

STRETCH_LEVEL = 5
"""Level of a stretch: 9 % less than at the usual one in three times the time, and it is compressed once."""

NAMES_LEVEL = 3
"""Level of addresses and names: 10 % less in half as long again, and most blocks of them stay as they are."""

INFLATED_BYTES = 12 * 1024 * 1024
"""Bound on what a state inflates to: one that a minute of 5,000 aircraft fills has 2 MB."""

MOST_COMPRESSION = 16
"""A part that compresses better counts as if it did not (`measure`): so no part outgrows `INFLATED_BYTES`, whatever the
feed says; a feed of long texts that are all alike would fill the memory long before it filled the state."""


class StateError(Exception):
    """The state that Lambda handed over is not one that this version wrote."""


class _Names(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """Addresses and names of a block of aircraft; see `Columns`."""

    addresses: list[str]
    names: list[bytes]


class _Lists(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """What a part holds beside them and columns of numbers."""

    codes: list[str | None]
    types: list[str | None]
    callsigns: dict[int, list[str]]
    squawks: dict[int, list[int]]
    more_types: dict[int, list[int]]
    strays: dict[int, Stray] = {}  # these are new in version 4
    airlines: list[tuple[str | None, str | None]] = msgspec.field(default_factory=lambda: [(None, None)])


class _Packed(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """The document in msgpack. `stretches` and `rest` hold the log; the frames after it are as `Columns` names them."""

    number: int
    size_bound: int
    duplicates_ignored: int
    undecodable: int
    is_wide: bool
    stretches: list[bytes]
    rest_length: int
    rest: bytes
    rows: bytes
    beginnings: bytes
    names: list[bytes]
    lists: bytes
    is_harder: bool
    """Whether `_harder` made the frames: then they are not those that `pack` would make."""


_KEY_BYTES = sum(array(typecode).itemsize for typecode in WIDE_LOG.values())  # it may turn wide with any key

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Packed)
_names_decoder = msgspec.msgpack.Decoder(_Names)
_unpack_version_3_names = msgspec.msgpack.Decoder(tuple[str | None, ...]).decode
_lists_decoder = msgspec.msgpack.Decoder(_Lists)


def pack(part: WindowPart) -> bytes:
    """Return the part's state in its binary form; equal parts give equal bytes."""
    columns = part.columns
    log, stretches = list(columns.log.values()), columns.stretches
    while (start := len(stretches) * STRETCH) + STRETCH <= part.updates:
        stretches.append(byte_shuffle.pack([column[start : start + STRETCH] for column in log], STRETCH_LEVEL))
    return _encoder.encode(
        _Packed(
            part.number,
            part.size_bound,
            part.duplicates_ignored,
            part.undecodable,
            columns.is_wide,
            stretches,
            part.updates - start,
            byte_shuffle.pack([column[start:] for column in log]),
            byte_shuffle.pack_rows(columns.rows, ROW.size),
            _beginnings(columns),
            _names(columns),
            _lists(columns),
            is_harder=False,
        )
    )


def _beginnings(columns: Columns) -> bytes:
    if columns.packed_beginnings is None:
        columns.packed_beginnings = byte_shuffle.pack_rows(columns.beginnings, BEGINNING_ROW.size)
    return columns.packed_beginnings


def _names(columns: Columns) -> list[bytes]:
    addresses: list[str] = []
    for number, packed in enumerate(columns.packed_names):
        if packed is None:
            addresses = addresses or list(columns.index)
            block = slice(number * BLOCK, number * BLOCK + BLOCK)
            names = _Names(addresses[block], columns.names[block])
            columns.packed_names[number] = byte_shuffle.compress(_encoder.encode(names), NAMES_LEVEL)
    return columns.packed_names  # type: ignore[return-value]  # none is None now


def _lists(columns: Columns) -> bytes:
    if columns.packed_lists is None:
        lists = _Lists(
            list(columns.codes),
            list(columns.types),
            columns.callsigns,
            columns.squawks,
            columns.more_types,
            columns.strays,
            list(columns.airlines),
        )
        columns.packed_lists = byte_shuffle.compress(_encoder.encode(lists))
    return columns.packed_lists


def measure(part: WindowPart) -> int:
    """Return the part's size in bytes: packed, or a `MOST_COMPRESSION`th of what it inflates to where that is more."""
    size, columns = len(pack(part)), part.columns
    inflated = sum(map(byte_shuffle.inflated_size, [*_names(columns), _lists(columns)])) + part.updates * _KEY_BYTES
    return max(size, (inflated + len(columns.index) * AIRCRAFT_WIDTH) // MOST_COMPRESSION)


def encode(part: WindowPart, most_bytes: int = MOST_PACKED_BYTES) -> dict[str, Any]:
    """Return the part's state as the JSON object for the response's `state`.

    One that is larger than `most_bytes` when packed is compressed harder. Only here: where a part ends and what tells
    its content (`measure`, `pack`) must depend on the updates alone, not on what a batch happened to end with.
    """
    packed = pack(part)
    if len(packed) > most_bytes:
        packed = _harder(packed)
    return {"v": VERSION, "z": pybase64.b64encode_as_string(packed)}


def _harder(packed: bytes) -> bytes:
    """Compress again what the next invocation compresses again; the stretches it carries as they are."""
    document = _decoder.decode(packed)
    for name in ("rest", "rows", "beginnings", "lists"):
        setattr(document, name, _compressed_harder(getattr(document, name)))
    document.names = list(map(_compressed_harder, document.names))
    document.is_harder = True
    return _encoder.encode(document)


def _compressed_harder(frame: bytes) -> bytes:
    return byte_shuffle.compress(byte_shuffle.decompress(frame, INFLATED_BYTES), HARDER_LEVEL)


def decode(state: Mapping[str, Any], origin: datetime) -> WindowPart:
    """Return the part that `encode` wrote, for the window that starts at `origin`; a new one for an empty state.

    Raises
    ------
    StateError
        The state is of another version, or damaged.
    """
    if not state:
        return WindowPart(origin)
    version = state.get("v")
    if version not in (VERSION, _VERSION_3):
        raise StateError(
            f"window state: got version {version!r}; expected {VERSION} or {_VERSION_3}. Another version of the "
            "function wrote it: deploy that version again until its windows have closed, or let the batch go to the "
            "failures bucket"
        )
    try:
        packed = _decoder.decode(pybase64.b64decode(state["z"], validate=True))
        return WindowPart(
            origin,
            packed.number,
            packed.size_bound,
            packed.duplicates_ignored,
            packed.undecodable,
            _columns(packed, version),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise StateError(f"window state of version {version}: damaged ({error}); expected what encode wrote") from error


def _columns(packed: _Packed, version: int) -> Columns:
    """Inflate the columns; each size is known before it is taken from the memory."""
    types = (WIDE_LOG if packed.is_wide else LOG).values()
    keys = len(packed.stretches) * STRETCH + packed.rest_length
    if not 0 <= packed.rest_length < STRETCH or keys * _KEY_BYTES > INFLATED_BYTES:
        raise ValueError(f"{len(packed.stretches)} stretches and {packed.rest_length} keys")
    lists = _lists_decoder.decode(byte_shuffle.decompress(packed.lists, INFLATED_BYTES))
    addresses: list[str] = []
    names: list[bytes] = []
    for block in _name_blocks(packed.names):
        addresses += block.addresses
        names += block.names
    aircraft = len(addresses)
    if aircraft * AIRCRAFT_WIDTH > INFLATED_BYTES:
        raise ValueError(f"{aircraft} aircraft")
    log = byte_shuffle.unpack(packed.rest, types, packed.rest_length)
    if packed.stretches:
        first, *others = (byte_shuffle.unpack(stretch, types, STRETCH) for stretch in packed.stretches)
        for stretch in (*others, log):
            for column, more in zip(first, stretch, strict=True):
                column.extend(more)
        log = first
    is_carried = version == VERSION and not packed.is_harder
    columns = Columns(
        log=dict(zip(LOG, log, strict=True)),
        stretches=packed.stretches,
        rows=byte_shuffle.unpack_rows(packed.rows, ROW.size, aircraft),
        beginnings=_unpacked_beginnings(packed.beginnings, aircraft, version),
        index=dict(zip(addresses, range(aircraft), strict=True)),
        names=names if version == VERSION else [pack_names((*_unpack_version_3_names(of), 0)) for of in names],
        codes={text: code for code, text in enumerate(lists.codes)},
        types={text: code for code, text in enumerate(lists.types)},
        callsigns=lists.callsigns,
        squawks=lists.squawks,
        more_types=lists.more_types,
        strays=lists.strays,
        airlines={airline: code for code, airline in enumerate(lists.airlines)},
        packed_beginnings=packed.beginnings if is_carried else None,
        packed_names=[*packed.names] if is_carried else [None] * len(packed.names),
        packed_lists=packed.lists if is_carried else None,
    )
    # The walk from key to key ends because it only goes back.
    if len(columns.index) != aircraft or not byte_shuffle.has_no_sign(log[-1]):
        raise ValueError("columns that contradict each other")
    return columns


def _unpacked_beginnings(frame: bytes, aircraft: int, version: int) -> bytearray:
    if version == VERSION:
        return byte_shuffle.unpack_rows(frame, BEGINNING_ROW.size, aircraft)
    rows = byte_shuffle.unpack_rows(frame, _VERSION_3_BEGINNING, aircraft)
    none = bytes(BEGINNING_ROW.size - _VERSION_3_BEGINNING)
    return bytearray(none.join([*(bytes(row) for row in batched(rows, _VERSION_3_BEGINNING, strict=True)), b""]))


def _name_blocks(frames: Sequence[bytes]) -> Iterator[_Names]:
    """Yield the blocks, each of them full but for the last."""
    left = INFLATED_BYTES
    for number, frame in enumerate(frames):
        content = byte_shuffle.decompress(frame, left)
        left -= len(content)
        block = _names_decoder.decode(content)
        size = len(block.addresses)
        if not 0 < size <= BLOCK or (size < BLOCK and number < len(frames) - 1) or size != len(block.names):
            raise ValueError(f"a block of {size} addresses and {len(block.names)} names")
        yield block
