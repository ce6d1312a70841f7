"""Every aircraft's latest state, joined from the live objects and cached while they are unchanged."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from live import identities, objects, reader
from live.current import CLOSED_WINDOWS, current
from live.errors import SnapshotError
from live.joined import joined

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from live.container import Header
    from live.identities import Identity
    from live.reader import Target

LOOK_SECONDS = 1.0
"""How long an answer stands before the objects are asked for again: CloudFront keeps them as long."""

_AT_ONCE = 16
"""Requests to S3 side by side: the client keeps as many connections (`wiring`)."""

_FEW = 2
"""So many are made one after the other: no threads for a stack of one shard or two, whose objects are kept."""

_MOST_SHARDS = 4_096
"""The newest of those that are listed: no shard ever leaves the list."""

_MOST_PARTS = 64


class _Shards(msgspec.Struct):
    """`live/shards.json`."""

    window_seconds: int
    shards: dict[str, Any]


class Objects(Protocol):
    """Where the live objects are. Threads may ask at once."""

    def get(self, key: str, known: str | None) -> tuple[str, bytes] | None:
        """Return an object's tag and content, or None if it is not there.

        With the tag of what is `known` already, the content is empty if it has not changed.
        """


@dataclass(frozen=True, slots=True)
class Sky:
    """All aircraft at one moment, sorted by address."""

    targets: list[Target] = field(default_factory=list)
    identities: dict[str, Identity] = field(default_factory=dict)
    newest: int | None = None
    """When the newest snapshot was written, milliseconds since the epoch."""
    shards: int = 0
    """How many it is joined of."""
    shards_left_out: int = 0
    """How many more have a snapshot, of too long ago."""
    unreadable: int = 0


@dataclass(frozen=True, slots=True)
class _Kept:
    tag: str
    content: Any
    is_final: bool = False


@dataclass(frozen=True, slots=True)
class _Wanted:
    """An object, how it is read, and whether what is there never changes."""

    key: str
    decode: Callable[[bytes], Any]
    is_final: bool = False


class Snapshots:
    """Reads what has changed, at most once in `LOOK_SECONDS`; for a single thread, which is what a Lambda function has.

    A look asks for the shards' open windows, then for the objects these lead to, each time in parallel. As long as a
    shard goes on with its window and its identities, that is one request for the shard, and so it is for one left out.
    """

    def __init__(self, live: Objects, monotonic: Callable[[], float]) -> None:
        self._objects = live
        self._monotonic = monotonic
        self._kept: dict[str, _Kept] = {}
        self._asked: dict[str, Any] = {}
        self._sky = Sky()
        self._parts: list[Any] = []
        self._looked_at: float | None = None
        self._threads: ThreadPoolExecutor | None = None

    def sky(self) -> Sky:
        """Return all aircraft.

        Raises
        ------
        botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError
            The objects cannot be asked for.
        """
        now = self._monotonic()
        if self._looked_at is None or now - self._looked_at >= LOOK_SECONDS:
            self._look()
            self._looked_at = self._monotonic()
        return self._sky

    def _look(self) -> None:
        self._asked = {}
        self._ask([_Wanted(objects.SHARDS, msgspec.json.Decoder(_Shards).decode)])
        listed = self._asked[objects.SHARDS] or _Shards(0, {})
        window = listed.window_seconds * 1_000
        opened = self._opened(list(reversed(listed.shards))[:_MOST_SHARDS])
        shards = current(opened, window)
        left_out = len(opened) - len(shards)
        closed = {shard: self._closed(shard, window) for shard in shards}
        self._ask(one for found in closed.values() for one in found)
        # The first parts of a window that was split are known once its last one is.
        earlier = {shard: self._earlier_parts(shard, found) for shard, found in closed.items()}
        self._ask(one for found in earlier.values() for one in found)
        self._ask(one for shard in shards for one in self._identities(shard, [*closed[shard], *earlier[shard]]))
        self._kept = {key: kept for key, kept in self._kept.items() if key in self._asked}
        positions: list[tuple[Header, list[Target]]] = []
        named: list[tuple[Header, dict[str, Identity]]] = []
        for shard in shards:
            for key in (objects.open_window(shard), *(one.key for one in (*closed[shard], *earlier[shard]))):
                if (one := self._asked[key]) is not None:
                    positions.append(one)
                if (other := self._asked.get(key + objects.IDENTITY)) is not None:
                    named.append(other)
        parts = [*positions, *named]
        unreadable = sum(1 for key in self._asked if key in self._kept and self._kept[key].content is None)
        is_joined = len(parts) == len(self._parts) and all(
            new is old for new, old in zip(parts, self._parts, strict=True)
        )
        if is_joined and (unreadable, left_out) == (self._sky.unreadable, self._sky.shards_left_out):
            return  # the same objects, already joined
        self._parts = parts
        everyone = joined(targets for _, targets in positions)
        names: dict[str, Identity] = {}
        for _, known in sorted(named, key=lambda one: (one[0].window_start, one[0].part, one[0].written_at)):
            names |= known
        newest = max((header.written_at for header, _ in positions), default=None)
        targets = [everyone[address] for address in sorted(everyone)]
        self._sky = Sky(targets, names, newest, len(shards), left_out, unreadable)

    def _opened(self, shards: list[str]) -> dict[str, Header]:
        """Ask for the shards' open windows; return the headers of those that are there."""
        self._ask(_Wanted(objects.open_window(shard), reader.read) for shard in shards)
        opened = {shard: self._asked[objects.open_window(shard)] for shard in shards}
        return {shard: one[0] for shard, one in opened.items() if one is not None}

    def _closed(self, shard: str, window: int) -> list[_Wanted]:
        """Return the closed windows that an open one follows, and its own earlier parts."""
        if window <= 0:
            return []
        header: Header = self._asked[objects.open_window(shard)][0]
        ends = [header.window_start - back * window for back in range(CLOSED_WINDOWS)]
        keys = [objects.closed_window(shard, header.window_end, part) for part in _earlier(header)]
        keys += [objects.closed_window(shard, end) for end in ends if end > 0]
        return [_Wanted(key, reader.read, is_final=True) for key in keys]

    def _earlier_parts(self, shard: str, closed: Iterable[_Wanted]) -> list[_Wanted]:
        found = []
        for one in closed:
            content = self._asked[one.key]
            header: Header | None = content and content[0]
            if header is not None and one.key == objects.closed_window(shard, header.window_end):
                found += [objects.closed_window(shard, header.window_end, part) for part in _earlier(header)]
        return [_Wanted(key, reader.read, is_final=True) for key in found]

    def _identities(self, shard: str, closed: Iterable[_Wanted]) -> list[_Wanted]:
        """Return the identities to ask for; those of an open window are kept while it names their version."""
        found = [
            _Wanted(one.key + objects.IDENTITY, identities.read, is_final=True)
            for one in closed
            if self._asked[one.key] is not None
        ]
        key = objects.open_window(shard) + objects.IDENTITY
        kept = self._kept.get(key)
        if kept is not None and kept.content is not None:
            version = self._asked[objects.open_window(shard)][0].identity
            if version is not None and kept.content[0].identity == version:
                self._asked[key] = kept.content
        return [*found, _Wanted(key, identities.read)]

    def _ask(self, wanted: Iterable[_Wanted]) -> None:
        """Ask for objects side by side, each once a look: as read; None if it is not there or cannot be read."""
        missing: dict[str, _Wanted] = {}
        for one in wanted:
            if one.key in self._asked:
                continue
            kept = self._kept.get(one.key)
            if kept is not None and kept.is_final:
                self._asked[one.key] = kept.content
            else:
                missing[one.key] = one
        tags = [None if (kept := self._kept.get(key)) is None else kept.tag for key in missing]
        for one, got in zip(missing.values(), self._got(list(missing), tags), strict=True):
            self._asked[one.key] = self._taken(one, got)

    def _got(self, keys: list[str], tags: list[str | None]) -> Iterable[tuple[str, bytes] | None]:
        if len(keys) <= _FEW:
            return map(self._objects.get, keys, tags)
        if self._threads is None:
            self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="s3")
        return self._threads.map(self._objects.get, keys, tags)

    def _taken(self, wanted: _Wanted, got: tuple[str, bytes] | None) -> Any:
        kept = self._kept.get(wanted.key)
        if got is None:
            self._kept.pop(wanted.key, None)
            return None
        tag, data = got
        if kept is not None and tag == kept.tag:
            return kept.content
        try:
            content = wanted.decode(data)
        except (SnapshotError, ValueError, RecursionError):
            content = None
        self._kept[wanted.key] = _Kept(tag, content, wanted.is_final)
        return content


def _earlier(header: Header) -> range:
    return range(min(header.part, _MOST_PARTS))
