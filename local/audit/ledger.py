"""The ledger: what the feed sent against what is in Kinesis and at the sinks. Pure; `sinks` does the reading."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec

from local.audit.update_key import key_of
from local.simulator import times

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from local.audit.envelope import StoredRecord

type Identity = bytes

type _Place = tuple[int, str, str]
"""Window start in seconds since the epoch, shard, ICAO address."""

type _KeyInPlace = tuple[int, int | None]
"""Timestamp and ingestion time: what is left of an update's key."""

_ENVELOPE, _DISTINCT = b'{"v":', b'{ "v":'
"""How an envelope begins, and how an update that was received so is written into the stream."""


class _Message(msgspec.Struct):
    target: msgspec.Raw


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
    counts updates that come after a later one of the same aircraft. `unexpected` are records that the feed never sent,
    and what it sent and is no update, or begins as an envelope: none of it may be in the stream.
    """

    source: int
    updates: int
    lost: int
    duplicates: int
    out_of_order: int
    unexpected: int


@dataclass(frozen=True, slots=True)
class RowFigures:
    """The window rows at the sink, each counted once; `updates` is their sum, `totals` that of the totals rows.

    `miscounted` are the aircraft, each in one window of one shard, whose rows count other than the stream holds there;
    `example` tells of the first of them. `mistotalled` are the parts of windows whose totals are not the sum of their
    rows of aircraft, `contradictions` the rows that bear the key of another and say something else.
    """

    windows: int
    rows: int
    updates: int
    totals: int
    miscounted: int = 0
    example: str = ""
    mistotalled: int = 0
    contradictions: int = 0


def identity(update: bytes) -> Identity:
    """Return what tells one update from another: a digest of its bytes in the stream, without the line's end."""
    text = update.strip()
    if text.startswith(_ENVELOPE):
        text = _DISTINCT + text.removeprefix(_ENVELOPE)
    return blake2b(text, digest_size=16).digest()


def identity_of_line(line: bytes) -> Identity:
    """Return the identity of the update in a line of the feed; that of the line itself if it holds none."""
    try:
        return identity(bytes(msgspec.json.decode(line, type=_Message).target))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return identity(line)


def compare(feed: Iterable[bytes], stream: Iterable[StoredRecord], rejected: Iterable[bytes] = ()) -> StreamFigures:
    """Compare the feed's lines with a stream's updates, given shard by shard (parents before children), in order.

    `rejected` are lines that were kept elsewhere, with the reason: they are not lost.
    """
    positions: dict[Identity, int] = {}
    for position, line in enumerate(feed):
        positions.setdefault(identity_of_line(line), position)
    seen: set[Identity] = set()
    newest: dict[str, int] = {}
    duplicates = out_of_order = unexpected = 0
    for update in stream:
        which = identity(update.data)
        place = positions.get(which)
        if place is None:
            unexpected += 1
        elif which in seen:
            duplicates += 1
        else:
            seen.add(which)
            key = key_of(update.data)
            if key is None or update.data.startswith(_ENVELOPE):
                unexpected += 1
                continue
            out_of_order += place < newest.get(key.icao_address, -1)
            newest[key.icao_address] = max(place, newest.get(key.icao_address, -1))
    kept = set(map(identity_of_line, rejected))
    lost = sum(which not in seen and which not in kept for which in positions)
    return StreamFigures(len(positions), len(seen), lost, duplicates, out_of_order, unexpected)


def count_rows(lines: Iterable[bytes], stream: Iterable[StoredRecord], window: int) -> RowFigures:
    """Count window rows, JSON lines, against the updates of the stream; a row that was delivered twice counts once.

    What is checked, for each aircraft in each window of `window` seconds (by arrival) in each shard: its row counts as
    many updates as the stream holds distinct keys there, `(icao_address, timestamp, ingestion_time)`. Where a window
    was written in parts and the aircraft has a row in several, a duplicate may be counted in each part: then they count
    at least the distinct keys, and at most all that is there. A duplicate elsewhere does not offset a missing update.
    Totals are checked for each part of a window by itself.

    Raises
    ------
    msgspec.DecodeError, ValueError
        A line is no window row.
    """
    rows, contradictions = _distinct(lines)
    parts: dict[_Place, list[int]] = defaultdict(list)
    excess: Counter[tuple[str, str, int]] = Counter()
    for row in rows:
        is_of_aircraft = row.kind == "aircraft"
        if is_of_aircraft:
            parts[int(times.parse(row.window_start)), row.shard_id, row.icao_address or ""].append(row.updates)
        excess[row.window_start, row.shard_id, row.part] += row.updates if is_of_aircraft else -row.updates
    miscounted = _miscounted(parts, _held(stream, window))
    return RowFigures(
        windows=len({(row.window_start, row.shard_id) for row in rows}),
        rows=sum(map(len, parts.values())),
        updates=sum(map(sum, parts.values())),
        totals=sum(row.updates for row in rows if row.kind == "totals"),
        miscounted=len(miscounted),
        example=miscounted[0] if miscounted else "",
        mistotalled=sum(number != 0 for number in excess.values()),
        contradictions=contradictions,
    )


def _distinct(lines: Iterable[bytes]) -> tuple[list[_Row], int]:
    """Return the rows, the first of each key, and how many others of that key say something else."""
    decoder = msgspec.json.Decoder(_Row)
    rows: dict[tuple[str, str, str, int, str | None], tuple[_Row, bytes]] = {}
    contradictions = 0
    for line in lines:
        row = decoder.decode(line)
        key = (row.kind, row.window_start, row.shard_id, row.part, row.icao_address)
        _, first = rows.setdefault(key, (row, line))
        contradictions += first != line and msgspec.json.decode(first) != msgspec.json.decode(line)
    return [row for row, _ in rows.values()], contradictions


def _held(stream: Iterable[StoredRecord], window: int) -> dict[_Place, list[_KeyInPlace]]:
    """Return the keys of the updates that are in each place; what is not an update, `compare` calls unexpected."""
    held: dict[_Place, list[_KeyInPlace]] = defaultdict(list)
    for stored in stream:
        if (key := key_of(stored.data)) is not None:
            start = int(stored.arrival // window) * window
            held[start, stored.shard_id, key.icao_address].append((key.timestamp, key.ingestion_time))
    return held


def _miscounted(parts: Mapping[_Place, Sequence[int]], held: Mapping[_Place, Sequence[_KeyInPlace]]) -> list[str]:
    """Return a text for each place whose rows do not count what it holds, in order."""
    found = []
    for place in sorted(parts.keys() | held.keys()):
        counted, keys = parts.get(place, ()), held.get(place, ())
        least = len(set(keys))
        most = len(keys) if len(counted) > 1 else least
        if not least <= sum(counted) <= most:
            start, shard, aircraft = place
            found.append(f"{aircraft} from {times.whole_second(start)} in {shard}: {sum(counted):,} for {least:,}")
    return found
