"""A window part's state as Lambda carries it from one invocation to the next: `{"v": 1, "z": "..."}`.

`z` is base64 of msgpack, in which each field of all aircraft is one column, compressed by itself: like stands beside
like then, and takes a fifth less room than rows would (5,000 aircraft: 0.60 MB against 0.74 MB before base64). Lambda
ends a window early whose state exceeds 1 MB (developer guide, tumbling windows).
"""

from __future__ import annotations

import binascii
import zlib
from itertools import starmap
from typing import TYPE_CHECKING, Any

import msgspec

from aggregator.window import AircraftWindow, WindowPart

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

VERSION = 1

COMPRESSION_LEVEL = 2
"""Level 6 saves 9 % more and takes three times as long, and every invocation pays it."""


class StateError(Exception):
    """The state that Lambda handed over is none that this version wrote."""


class _Packed(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """The document in msgpack. `columns` holds a compressed list for each field of `AircraftWindow`, in their order."""

    number: int
    size_bound: int
    repeats_ignored: int
    undecodable: int
    addresses: bytes
    columns: list[bytes]


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Packed)
_address_decoder = msgspec.msgpack.Decoder(list[str])
_column_decoders = tuple(
    msgspec.msgpack.Decoder(list[column.type])  # type: ignore[name-defined]  # a type known only when it is run
    for column in msgspec.structs.fields(AircraftWindow)
)


def _compressed(column: tuple[Any, ...]) -> bytes:
    return zlib.compress(_encoder.encode(column), COMPRESSION_LEVEL)


def pack(part: WindowPart) -> bytes:
    """Return the part's state in its binary form; equal parts give equal bytes."""
    columns = zip(*map(msgspec.structs.astuple, part.aircraft.values()), strict=True)
    return _encoder.encode(
        _Packed(
            part.number,
            part.size_bound,
            part.repeats_ignored,
            part.undecodable,
            _compressed(tuple(part.aircraft)),
            [_compressed(column) for column in columns] or [_compressed(())] * len(_column_decoders),
        )
    )


def encode(part: WindowPart) -> dict[str, Any]:
    """Return the part's state as the JSON object for the response's `state`."""
    return {"v": VERSION, "z": binascii.b2a_base64(pack(part), newline=False).decode("ascii")}


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
        packed = _decoder.decode(binascii.a2b_base64(state["z"]))
        columns = [
            decoder.decode(zlib.decompress(column))
            for decoder, column in zip(_column_decoders, packed.columns, strict=True)
        ]
        addresses = _address_decoder.decode(zlib.decompress(packed.addresses))
        aircraft = dict(zip(addresses, starmap(AircraftWindow, zip(*columns, strict=True)), strict=True))
    except (KeyError, TypeError, ValueError, zlib.error) as error:
        raise StateError(f"window state of version {VERSION}: damaged ({error}); expected what encode wrote") from error
    return WindowPart(origin, packed.number, packed.size_bound, packed.repeats_ignored, packed.undecodable, aircraft)
