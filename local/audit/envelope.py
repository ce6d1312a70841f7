"""Reads a stream's records in either format of `docs/design.md`: an independent and plain implementation.

The functions have their own reader; a test compares the two.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec
from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Iterable

FORMATS = SINGLE, ENVELOPE = ("single", "envelope")
"""Values of the template's parameter `RecordFormat`."""


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record as it is in Kinesis; `arrival` in seconds since the epoch."""

    shard_id: str
    arrival: float
    data: bytes


@dataclass(slots=True)
class StreamContent:
    """All of a stream: its updates, shard by shard and in order, each in the place of the record it came in.

    `records` counts the records they came in, and `misplaced` the envelopes among these that count for nothing.
    """

    updates: list[StoredRecord] = field(default_factory=list)
    records: int = 0
    misplaced: int = 0


class _Record(msgspec.Struct):
    """The fields that make an envelope; an update has none of them."""

    v: int | None = None
    n: int = 0
    shard: str = ""
    z: str | None = None


_decode = msgspec.json.Decoder(_Record).decode


def read(records: Iterable[StoredRecord]) -> StreamContent:
    """Take the updates out of records; a damaged envelope stays as it is, an update that nobody sent."""
    content = StreamContent()
    for record in records:
        found = updates(record.data, record.shard_id)
        content.records += 1
        content.misplaced += found is None
        content.updates += [StoredRecord(record.shard_id, record.arrival, update) for update in found or ()]
    return content


def updates(data: bytes, shard_id: str | None) -> list[bytes] | None:
    """Return the updates of a record of this shard, without line ends; None for an envelope of another shard.

    Where nobody knows the shard (None), those of any.
    """
    envelope = _envelope(data)
    if envelope is None:
        return [data.rstrip(b"\n")]
    if shard_id is not None and envelope.shard != shard_id:
        return None
    try:
        text = zstd.decompress(base64.b64decode(envelope.z or "", validate=True))
    except (ValueError, zstd.ZstdError):
        return [data]
    *lines, rest = text.split(b"\n")
    return lines if envelope.v == 1 and len(lines) == envelope.n and not rest else [data]


def count(data: bytes, shard_id: str) -> int:
    """Return how many updates a record of this shard says it holds, without opening it."""
    envelope = _envelope(data)
    if envelope is None:
        return 1
    return envelope.n if envelope.shard == shard_id else 0


def _envelope(data: bytes) -> _Record | None:
    if not data.startswith(b'{"v":'):
        return None
    try:
        record = _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return None if record.v is None or record.z is None else record
