"""A window part's state as Lambda carries it from one invocation to the next: `{"v": 2, "z": "..."}`.

`z` is base64 of msgpack, in which the columns and the texts are compressed. The log of keys only grows: a stretch of it
that is full is compressed once, and from then on carried as it is. Lambda ends a window early whose state exceeds 1 MB
(developer guide, tumbling windows).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pybase64

from aggregator import byte_planes
from aggregator.columns import BY_AIRCRAFT, LOG, WIDE_LOG, Columns
from aggregator.window import WindowPart

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

VERSION = 2

STRETCH = 8_192
"""Keys in a stretch of the log that is compressed once. Where one ends depends on the keys alone, as the state must."""

_BY_AIRCRAFT_TYPES = [typecode for typecode, _ in BY_AIRCRAFT.values()]


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


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Packed)
_texts_decoder = msgspec.msgpack.Decoder(_Texts)


def pack(part: WindowPart) -> bytes:
    """Return the part's state in its binary form; equal parts give equal bytes."""
    columns = part.columns
    log, stretches = list(columns.log.values()), columns.stretches
    while (start := len(stretches) * STRETCH) + STRETCH <= part.updates:
        stretches.append(byte_planes.pack([column[start : start + STRETCH] for column in log]))
    texts = _Texts(
        list(columns.index),
        columns.names,
        list(columns.codes),
        list(columns.types),
        columns.callsigns,
        columns.squawks,
        columns.more_types,
    )
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
            byte_planes.pack(columns.of.values()),
            byte_planes.compress(_encoder.encode(texts)),
        )
    )


def encode(part: WindowPart) -> dict[str, Any]:
    """Return the part's state as the JSON object for the response's `state`."""
    return {"v": VERSION, "z": pybase64.b64encode_as_string(pack(part))}


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
    texts = _texts_decoder.decode(byte_planes.decompress(packed.texts))
    aircraft = len(texts.addresses)
    types = (WIDE_LOG if packed.is_wide else LOG).values()
    log = byte_planes.unpack(packed.rest, types, packed.rest_length)
    if packed.stretches:
        first, *others = (byte_planes.unpack(stretch, types, STRETCH) for stretch in packed.stretches)
        for stretch in (*others, log):
            for column, more in zip(first, stretch, strict=True):
                column.extend(more)
        log = first
    return Columns(
        log=dict(zip(LOG, log, strict=True)),
        stretches=packed.stretches,
        of=dict(zip(BY_AIRCRAFT, byte_planes.unpack(packed.aircraft, _BY_AIRCRAFT_TYPES, aircraft), strict=True)),
        index=dict(zip(texts.addresses, range(aircraft), strict=True)),
        names=texts.names,
        codes={text: code for code, text in enumerate(texts.codes)},
        types={text: code for code, text in enumerate(texts.types)},
        callsigns=texts.callsigns,
        squawks=texts.squawks,
        more_types=texts.more_types,
    )
