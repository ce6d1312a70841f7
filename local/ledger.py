"""The ledger: what the feed sent against what stands in Kinesis and at the sinks. Pure; `sinks` does the reading."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from local.envelope import StoredRecord

type Identity = bytes


class _Message(msgspec.Struct):
    target: msgspec.Raw


class _Update(msgspec.Struct):
    icao_address: str


class _Row(msgspec.Struct):
    kind: str
    window_start: str
    shard_id: str
    part: int
    updates: int
    icao_address: str | None = None


@dataclass(frozen=True, slots=True)
class StreamFigures:
    """The Kinesis stream against the feed.

    `source` and `updates` count distinct updates, of the feed and of those that are in the stream. `out_of_order`
    counts updates that come after a later one of the same aircraft. `unexpected` are records the feed never sent.
    """

    source: int
    updates: int
    lost: int
    duplicates: int
    out_of_order: int
    unexpected: int


@dataclass(frozen=True, slots=True)
class RowFigures:
    """The window rows at the sink, each counted once; `updates` is their sum, `totals` that of the totals rows."""

    windows: int
    rows: int
    updates: int
    totals: int


def identity(update: bytes) -> Identity:
    """Return what tells one update from another: a digest of its bytes, without the line's end."""
    return blake2b(update.strip(), digest_size=16).digest()


def identity_of_line(line: bytes) -> Identity | None:
    """Return the identity of the update in a line of the feed, or None if it holds none."""
    try:
        return identity(bytes(msgspec.json.decode(line, type=_Message).target))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def compare(feed: Iterable[bytes], stream: Iterable[StoredRecord], rejected: Iterable[bytes] = ()) -> StreamFigures:
    """Compare the feed's lines with a stream's updates, given shard by shard (parents before children), in order.

    `rejected` are lines that were kept elsewhere, with the reason: they are not lost.
    """
    positions: dict[Identity, int] = {}
    for position, line in enumerate(feed):
        positions.setdefault(identity_of_line(line) or identity(line), position)
    seen: set[Identity] = set()
    newest: dict[str, int] = {}
    duplicates = out_of_order = unexpected = 0
    aircraft_of = msgspec.json.Decoder(_Update).decode
    for update in stream:
        which = identity(update.data)
        place = positions.get(which)
        if place is None:
            unexpected += 1
        elif which in seen:
            duplicates += 1
        else:
            seen.add(which)
            aircraft = aircraft_of(update.data).icao_address
            out_of_order += place < newest.get(aircraft, -1)
            newest[aircraft] = max(place, newest.get(aircraft, -1))
    kept = {identity_of_line(line) or identity(line) for line in rejected}
    lost = sum(which not in seen and which not in kept for which in positions)
    return StreamFigures(len(positions), len(seen), lost, duplicates, out_of_order, unexpected)


def count_rows(lines: Iterable[bytes]) -> RowFigures:
    """Count window rows, JSON lines; one that was delivered twice counts once.

    Raises
    ------
    msgspec.DecodeError
        A line is no window row.
    """
    decoder = msgspec.json.Decoder(_Row)
    rows: dict[tuple[str, str, str, int, str | None], int] = {}
    for line in lines:
        row = decoder.decode(line)
        rows[row.kind, row.window_start, row.shard_id, row.part, row.icao_address] = row.updates
    aircraft = [updates for key, updates in rows.items() if key[0] == "aircraft"]
    return RowFigures(
        windows=len({(start, shard) for _, start, shard, _, _ in rows}),
        rows=len(aircraft),
        updates=sum(aircraft),
        totals=sum(updates for key, updates in rows.items() if key[0] == "totals"),
    )
