"""The envelope: many updates of one shard in one Kinesis record, compressed, with what filters need in clear.

    {"v": 1, "n": 219, "shard": "shardId-000000000000", "squawk": ["1200", "7700"], ..., "z": "KLUv..."}

`z` is the base64 text of one zstd frame: the updates as received, each followed by a line end; `n` is how many. Between
`shard` and `z` is the header that event source mappings filter by; `consumer.publish.envelope_writer` writes it.

An envelope is recognised by its beginning, `{"v":`, which no update in the stream has: an update received like that
gets a blank after its brace (`distinct`), which JSON ignores. So nothing from outside is taken for an envelope.

An envelope is valid only in the shard it names. The consumer notices when a reshard put one elsewhere, and sends its
updates again, each to its own shard.
"""

from __future__ import annotations

import re
from typing import Annotated

import msgspec
import pybase64
from backports import zstd

VERSION = 1

MAX_LINES_BYTES = 4 * 1024 * 1024
"""Bound on what one envelope is inflated to: the consumer packs at 512 KiB, and at most one update of 1 MiB and a block
of them more."""

MAX_LINES = MAX_LINES_BYTES // 40
"""Bound on how many updates one envelope holds: the shortest, with one character of an address, has 42 bytes."""

_BEGINNING = re.compile(rb'\{"v":(\d{1,9}),"n":\d')
PREFIX = b'{"v":'
"""What every envelope begins with, and no update."""


class UnknownVersionError(Exception):
    """The envelope is of a version this code cannot read; dropping its updates would lose them."""


class BrokenEnvelopeError(ValueError):
    """The record begins as an envelope, and does not hold what one holds."""


class _Envelope(msgspec.Struct, gc=False):
    n: Annotated[int, msgspec.Meta(ge=1, le=MAX_LINES)]
    shard: str
    z: str


class _Update(msgspec.Struct, gc=False):
    icao_address: str


_decode = msgspec.json.Decoder(_Envelope).decode
_decode_update = msgspec.json.Decoder(_Update).decode


def distinct(update: bytes) -> bytes:
    """Return an update, one JSON object, as whoever writes it into the stream has to: it begins as no envelope does."""
    return b"{ " + update[1:] if update.startswith(PREFIX) else update


def is_envelope(data: bytes) -> bool:
    """Return whether a record's data are an envelope rather than one update.

    What begins as an envelope but has a text as its address, where an envelope has an array, is an update: such records
    were written before `distinct`, or by somebody else.
    """
    if not data.startswith(PREFIX) or _BEGINNING.match(data) is None:
        return False
    try:
        _decode_update(data)
    except (ValueError, RecursionError):  # of an envelope at once: the array stands at its beginning
        return True
    return False


def lines(data: bytes, shard_id: str | None) -> tuple[bytes, int]:
    """Return the updates of an envelope that was found in `shard_id`, each with its line end, and how many they are.

    Nothing if the envelope names another shard. With `shard_id` None (nobody knows it), any name will do.

    Raises
    ------
    UnknownVersionError
        It is of a later version: this function has to be updated before it can go on.
    BrokenEnvelopeError
        It is damaged.
    """
    begins = _BEGINNING.match(data)
    if begins is not None and int(begins[1]) != VERSION:
        raise UnknownVersionError(
            f"a record holds an envelope of version {int(begins[1])}; this function reads version {VERSION}. Deploy "
            "the version of this function that belongs to the consumer; what was given up until then is in the "
            "on-failure bucket: redrive it"
        )
    try:
        envelope = _decode(data)
        if shard_id is not None and envelope.shard != shard_id:
            return b"", 0
        text = _inflated(pybase64.b64decode(envelope.z, None, True))  # noqa: FBT003 - by position it is the fast path
    except (ValueError, EOFError, RecursionError) as error:
        raise BrokenEnvelopeError(f"a damaged envelope: {error}") from None
    # A sixth of what `count` takes, which looks at every byte by itself.
    found = len(text) - len(text.replace(b"\n", b""))
    if not text.endswith(b"\n") or found != envelope.n:
        raise BrokenEnvelopeError(f"a damaged envelope: {found} lines where it says {envelope.n}")
    return text, envelope.n


def _inflated(compressed: bytes) -> bytes:
    inflater = zstd.ZstdDecompressor()
    try:
        text = inflater.decompress(compressed, MAX_LINES_BYTES)
    except zstd.ZstdError as error:
        raise ValueError(str(error)) from None
    if not inflater.eof or inflater.unused_data:
        raise ValueError("not one whole zstd frame of the size allowed")
    return text
