"""The frontier: updates that a recovery from a committed position would fetch again, although Kinesis has them."""

from __future__ import annotations

from collections import deque
from hashlib import blake2b
from typing import TYPE_CHECKING

from consumer.ingestion.deduplicator import identify

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from consumer.stream.messages import StreamUpdate

MAX_KEYS = 1_000
"""Of 16 characters each, in every checkpoint. A recovery begins a minute before the position: at more than some 16
updates a second the earliest of that minute are not among them, and come again."""

_LONGEST = 200
"""Bytes of an identity that is kept as it is; usual ones have some 40. A longer one, which may hold a whole update, is
kept as its key."""

_DIGEST_BYTES = 8


def keys(updates: Sequence[StreamUpdate]) -> list[str]:
    """Return what names each update in a checkpoint: the same in every process, however its object is written."""
    return keys_of(identify(updates).identities)


def keys_of(identities: Iterable[bytes]) -> list[str]:
    """Return the same for updates whose identities are known."""
    return list(map(_key, identities))


class Frontier:
    """Remembers the newest updates; the reader's thread notes, the committer's asks."""

    def __init__(self) -> None:
        self.read = 0
        """Updates noted so far: the reader's place, by which a position is asked about later."""
        self._recent: deque[bytes | str] = deque(maxlen=MAX_KEYS)

    def resume(self, inherited: Iterable[str]) -> None:
        """Go on from a position that names these; what was noted before does not lie before it."""
        self._recent = deque(inherited, maxlen=MAX_KEYS)

    def note(self, identified: Sequence[bytes], *, may_repeat: bool = False) -> None:
        """Note updates by their identities; where some `may_repeat`, those that are held are not noted again."""
        newest: Sequence[bytes | str] = identified
        if may_repeat or max(map(len, identified), default=0) > _LONGEST:
            newest = [one if len(one) <= _LONGEST else _key(one) for one in identified[-MAX_KEYS:]]
        if may_repeat:
            known = set(self._recent)
            newest = [one for one in dict.fromkeys(newest) if one not in known and _named(one) not in known]
        self.read += len(newest)  # first: who asks in between must take none of them for one before its position
        self._recent.extend(newest)

    def at(self, read: int) -> tuple[str, ...]:
        """Return the keys of the newest updates among the first `read`, whatever their times: a clock may be wrong."""
        while True:
            try:
                recent = list(self._recent)
                break
            except RuntimeError:  # noted meanwhile
                continue
        del recent[max(0, len(recent) - (self.read - read)) :]
        return tuple(map(_named, recent))


def _named(one: bytes | str) -> str:
    return one if isinstance(one, str) else _key(one)


def _key(identity: bytes) -> str:
    return blake2b(identity, digest_size=_DIGEST_BYTES).hexdigest()
