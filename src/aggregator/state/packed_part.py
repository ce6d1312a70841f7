"""The binary form of a window part's state: its fields and their bounds.

It is msgpack, in which the columns and the texts are compressed. The log of keys only grows: a full chunk of it is
compressed once, and carried unchanged from then on. The same holds for addresses, names, lists, and when and where each
aircraft was first seen, until they change, which they seldom do. `aggregator.state.packing` writes this form,
`aggregator.state.unpacking` reads it.
"""

from __future__ import annotations

from array import array

import msgspec

from aggregator.state.layout import WIDE_LOG
from aggregator.state.spots import Stray  # noqa: TC001 - msgspec reads it when it makes a class of it

VERSION = 4

VERSION_3 = 3
"""Read as well, so that a deployment takes over the windows that are open. It knew no airlines and no implausible
positions."""

CHUNK = 8_192
"""Keys in a chunk of the log that is compressed once. Where one ends depends on the keys alone, as the state must."""

INFLATED_BYTES = 12 * 1024 * 1024
"""Bound on what a state inflates to: one that a minute of 5,000 aircraft fills has 2 MB."""

KEY_BYTES = sum(array(typecode).itemsize for typecode in WIDE_LOG.values())
"""What a key of the log has, inflated: it may turn wide with any key."""


class Names(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """Addresses and names of a block of aircraft; see `Columns`."""

    addresses: list[str]
    names: list[bytes]


class Lists(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """What a part holds beside them and columns of numbers."""

    codes: list[str | None]
    types: list[str | None]
    callsigns: dict[int, list[str]]
    squawks: dict[int, list[int]]
    more_types: dict[int, list[int]]
    strays: dict[int, Stray] = {}  # these are new in version 4
    airlines: list[tuple[str | None, str | None]] = msgspec.field(default_factory=lambda: [(None, None)])


class PackedPart(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """The document in msgpack. `chunks` and `rest` hold the log; the frames after it are as `Columns` names them."""

    number: int
    size_bound: int
    duplicates_ignored: int
    undecodable: int
    is_wide: bool
    chunks: list[bytes]
    rest_length: int
    rest: bytes
    rows: bytes
    first_seen: bytes
    names: list[bytes]
    lists: bytes
    is_harder: bool
    """Whether `packing.harder` made the frames: then they are not those that `pack` would make."""


encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(PackedPart).decode
decode_names = msgspec.msgpack.Decoder(Names).decode
decode_lists = msgspec.msgpack.Decoder(Lists).decode
