"""A window part's state as Lambda carries it from one invocation to the next: `{"v": 2, "z": "..."}`.

`z` is base64 of msgpack, in which the columns and the texts are compressed. The log of keys only grows: a stretch of it
that is full is compressed once, and from then on carried as it is. Lambda ends a window early whose state exceeds 1 MB
(developer guide, tumbling windows): `aggregator.parts` keeps it below that, and `encode` is the net under it.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any

import msgspec
import pybase64
from backports import zstd

from aggregator import byte_planes
from aggregator.columns import LOG, ROW, WIDE_LOG, Columns
from aggregator.window import WindowPart

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

VERSION = 2

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

HARDER_LEVEL = 9
"""Zstandard's level for a state above that: 3 to 8 % less than at the usual level, in five times the time."""

INFLATED_BYTES = 12 * 1024 * 1024
"""Bound on what a state inflates to: one that a minute of 5,000 aircraft fills has 2 MB."""

MOST_COMPRESSION = 16
"""A part that compresses better counts as if it did not (`measure`): so no part outgrows `INFLATED_BYTES`, whatever the
feed says; a feed of long texts that are all alike would fill the memory long before it filled the state."""


class StateError(Exception):
    """The state that Lambda handed over is none that this version wrote."""


class _Texts(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """What a part holds beside columns of numbers; see `Columns`."""

    addresses: list[str]
    names: list[bytes]
    codes: list[str | None]
    types: list[str | None]
    callsigns: dict[int, list[str]]
    squawks: dict[int, list[int]]
    more_types: dict[int, list[int]]


class _Packed(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """The document in msgpack. `stretches` and `rest` hold the log, `aircraft` and `texts` the others."""

    number: int
    size_bound: int
    repeats_ignored: int
    undecodable: int
    is_wide: bool
    stretches: list[bytes]
    rest_length: int
    rest: bytes
    aircraft: bytes
    texts: bytes


_KEY_BYTES = sum(array(typecode).itemsize for typecode in WIDE_LOG.values())  # it may turn wide with any key

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Packed)
_texts_decoder = msgspec.msgpack.Decoder(_Texts)


def pack(part: WindowPart) -> bytes:
    """Return the part's state in its binary form; equal parts give equal bytes."""
    columns = part.columns
    log, stretches = list(columns.log.values()), columns.stretches
    while (start := len(stretches) * STRETCH) + STRETCH <= part.updates:
        stretches.append(byte_planes.pack([column[start : start + STRETCH] for column in log]))
    return _encoder.encode(
        _Packed(
            part.number,
            part.size_bound,
            part.repeats_ignored,
            part.undecodable,
            columns.is_wide,
            stretches,
            part.updates - start,
            byte_planes.pack([column[start:] for column in log]),
            byte_planes.pack_rows(columns.rows, ROW.size),
            byte_planes.compress(_texts(part)),
        )
    )


def _texts(part: WindowPart) -> bytes:
    columns = part.columns
    return _encoder.encode(
        _Texts(
            list(columns.index),
            columns.names,
            list(columns.codes),
            list(columns.types),
            columns.callsigns,
            columns.squawks,
            columns.more_types,
        )
    )


def measure(part: WindowPart) -> int:
    """Return the part's size in bytes: packed, or a `MOST_COMPRESSION`th of what it inflates to where that is more."""
    inflated = len(_texts(part)) + part.updates * _KEY_BYTES + len(part.columns.index) * ROW.size
    return max(len(pack(part)), inflated // MOST_COMPRESSION)


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
    """Compress anew what the next invocation compresses anew; the stretches it carries as they are."""
    document = _decoder.decode(packed)
    document.rest, document.aircraft, document.texts = (
        zstd.compress(byte_planes.decompress(frame, INFLATED_BYTES), HARDER_LEVEL)
        for frame in (document.rest, document.aircraft, document.texts)
    )
    return _encoder.encode(document)


def decode(state: Mapping[str, Any], origin: datetime) -> WindowPart:
    """Return the part that `encode` wrote, for the window that starts at `origin`; a new one for an empty state.

    Raises
    ------
    StateError
        The state is of another version, or damaged.
    """
    if not state:
        return WindowPart(origin)
    if state.get("v") != VERSION:
        raise StateError(
            f"window state: got version {state.get('v')!r}; expected {VERSION}. Another version of the function wrote "
            "it: deploy that version again until its windows have closed, or let the batch go to the failures bucket"
        )
    try:
        packed = _decoder.decode(pybase64.b64decode(state["z"], validate=True))
        return WindowPart(
            origin, packed.number, packed.size_bound, packed.repeats_ignored, packed.undecodable, _columns(packed)
        )
    except (KeyError, TypeError, ValueError) as error:
        raise StateError(f"window state of version {VERSION}: damaged ({error}); expected what encode wrote") from error


def _columns(packed: _Packed) -> Columns:
    """Inflate the columns; each size is known before it is taken from the memory."""
    types = (WIDE_LOG if packed.is_wide else LOG).values()
    keys = len(packed.stretches) * STRETCH + packed.rest_length
    if not 0 <= packed.rest_length < STRETCH or keys * _KEY_BYTES > INFLATED_BYTES:
        raise ValueError(f"{len(packed.stretches)} stretches and {packed.rest_length} keys")
    texts = _texts_decoder.decode(byte_planes.decompress(packed.texts, INFLATED_BYTES))
    aircraft = len(texts.addresses)
    if aircraft * ROW.size > INFLATED_BYTES:
        raise ValueError(f"{aircraft} aircraft")
    log = byte_planes.unpack(packed.rest, types, packed.rest_length)
    if packed.stretches:
        first, *others = (byte_planes.unpack(stretch, types, STRETCH) for stretch in packed.stretches)
        for stretch in (*others, log):
            for column, more in zip(first, stretch, strict=True):
                column.extend(more)
        log = first
    columns = Columns(
        log=dict(zip(LOG, log, strict=True)),
        stretches=packed.stretches,
        rows=byte_planes.unpack_rows(packed.aircraft, ROW.size, aircraft),
        index=dict(zip(texts.addresses, range(aircraft), strict=True)),
        names=texts.names,
        codes={text: code for code, text in enumerate(texts.codes)},
        types={text: code for code, text in enumerate(texts.types)},
        callsigns=texts.callsigns,
        squawks=texts.squawks,
        more_types=texts.more_types,
    )
    # The walk from key to key ends because it only goes back.
    if len(columns.index) != aircraft or len(columns.names) != aircraft or not byte_planes.has_no_sign(log[-1]):
        raise ValueError("columns that contradict each other")
    return columns
