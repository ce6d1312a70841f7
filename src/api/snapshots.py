"""Every aircraft's latest state, joined from the live objects, and kept as long as they are the same."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from live import identities, objects, reader
from live.errors import SnapshotError
from live.joined import joined

if TYPE_CHECKING:
    from collections.abc import Callable

    from live.container import Header
    from live.identities import Identity
    from live.reader import Target

LOOK_SECONDS = 1.0
"""How long an answer stands before the objects are asked for again: CloudFront keeps them as long."""

CLOSED_WINDOWS = 2
"""Closed windows that are joined with the open one, which begins empty."""

_KEPT = 256
"""Objects kept in memory, as read: those of 32 shards, and a split window."""

_MOST_SHARDS = 4_096
_MOST_PARTS = 64


class _Shards(msgspec.Struct):
    """`live/shards.json`."""

    window_seconds: int
    shards: dict[str, Any]


class Objects(Protocol):
    """Where the live objects are."""

    def get(self, key: str, known: str | None) -> tuple[str, bytes] | None:
        """Return an object's tag and content, or None if it is not there.

        With the tag of what is `known` already, the content is empty where it is still the same.
        """


@dataclass(frozen=True, slots=True)
class Sky:
    """All aircraft at one moment, sorted by address."""

    targets: list[Target] = field(default_factory=list)
    identities: dict[str, Identity] = field(default_factory=dict)
    newest: int | None = None
    """When the newest snapshot was written, milliseconds since the epoch."""
    shards: int = 0
    unreadable: int = 0


@dataclass(frozen=True, slots=True)
class _Kept:
    tag: str
    content: Any
    is_final: bool = False


class Snapshots:
    """Reads what has changed, at most once in `LOOK_SECONDS`; for one thread, as a Lambda function has."""

    def __init__(self, live: Objects, monotonic: Callable[[], float]) -> None:
        self._objects = live
        self._monotonic = monotonic
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._asked: dict[str, Any] = {}
        self._sky = Sky()
        self._parts: list[Any] = []
        self._looked_at: float | None = None

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
        listed = self._read(objects.SHARDS, msgspec.json.Decoder(_Shards).decode)
        shards = [] if listed is None else list(listed.shards)[:_MOST_SHARDS]
        positions: list[tuple[Header, list[Target]]] = []
        named: list[tuple[Header, dict[str, Identity]]] = []
        for shard in shards:
            for key, is_final in self._keys(shard, 0 if listed is None else listed.window_seconds * 1_000):
                if (one := self._read(key, reader.read, is_final=is_final)) is not None:
                    positions.append(one)
                if (other := self._read(key + objects.IDENTITY, identities.read, is_final=is_final)) is not None:
                    named.append(other)
        parts = [*positions, *named]
        unreadable = sum(1 for key in self._asked if key in self._kept and self._kept[key].content is None)
        is_joined = len(parts) == len(self._parts) and all(
            new is old for new, old in zip(parts, self._parts, strict=True)
        )
        if is_joined and unreadable == self._sky.unreadable:
            return  # the same objects, already joined
        self._parts = parts
        everyone = joined(targets for _, targets in positions)
        names: dict[str, Identity] = {}
        for _, known in sorted(named, key=lambda one: (one[0].window_start, one[0].part, one[0].written_at)):
            names |= known
        newest = max((header.written_at for header, _ in positions), default=None)
        targets = [everyone[address] for address in sorted(everyone)]
        self._sky = Sky(targets, names, newest, len(shards), unreadable)

    def _keys(self, shard: str, window: int) -> list[tuple[str, bool]]:
        """Return the keys to read for a shard, and whether what is there never changes."""
        key = objects.open_window(shard)
        found = [(key, False)]
        opened = self._read(key, reader.read)
        if opened is None or window <= 0:
            return found
        header: Header = opened[0]
        ends = [header.window_start - back * window for back in range(CLOSED_WINDOWS)]
        found += [(objects.closed_window(shard, header.window_end, part), True) for part in _earlier(header)]
        for end in (end for end in ends if end > 0):
            closed_key = objects.closed_window(shard, end)
            found.append((closed_key, True))
            if (closed := self._read(closed_key, reader.read, is_final=True)) is not None:
                found += [(objects.closed_window(shard, end, part), True) for part in _earlier(closed[0])]
        return found

    def _read(self, key: str, decode: Callable[[bytes], Any], *, is_final: bool = False) -> Any:
        """Return an object as read, asked for once a look; None if it is not there or cannot be read."""
        if key not in self._asked:
            kept = self._kept.get(key)
            self._asked[key] = kept.content if kept and kept.is_final else self._get(key, kept, decode, is_final)
        return self._asked[key]

    def _get(self, key: str, kept: _Kept | None, decode: Callable[[bytes], Any], is_final: bool) -> Any:  # noqa: FBT001
        got = self._objects.get(key, None if kept is None else kept.tag)
        if got is None:
            self._kept.pop(key, None)
            return None
        tag, data = got
        if kept is not None and not data:
            self._kept.move_to_end(key)
            return kept.content
        try:
            content = decode(data)
        except (SnapshotError, ValueError, RecursionError):
            content = None
        self._kept[key] = _Kept(tag, content, is_final)
        self._kept.move_to_end(key)
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return content


def _earlier(header: Header) -> range:
    return range(min(header.part, _MOST_PARTS))
