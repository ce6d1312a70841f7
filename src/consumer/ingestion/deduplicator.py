"""Recognises updates that the server sends again after a reconnect, so that no duplicate is passed on."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from isal.isal_zlib import adler32

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from consumer.stream.messages import StreamUpdate

KEPT_INTERVALS = 4
"""How many token intervals are remembered at least, for a server that resumes somewhat earlier than asked."""

MAX_DIGESTS = 400_000
"""Of one run, some 100 bytes each. What is committed is forgotten first; what is not waits for its commit, and the
reader with it: a hundred seconds of the whole world behind one update that Kinesis does not take."""

_MAX_SEGMENTS = 16
"""Sets that each new update is looked up in: more intervals than these share a set with their neighbours."""

_QUIET_INTERVALS = 16
"""New tokens without anything of before a reconnect, after which the rest of that will not come any more; plus four
for each interval it held, since a server may send more tokens than it did the first time."""
_MOST_EXTRA_INTERVALS = 1000

_SUM = 0xFFFF
"""The half of an Adler-32 checksum that is a plain sum, and so does not tell in which order the bytes come."""

_encode = msgspec.msgpack.Encoder().encode
_decode_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class Identified(NamedTuple):
    """What tells updates from any others, and an Adler-32 checksum of each one's bytes."""

    identities: list[bytes]
    checksums: list[int]


def identify(updates: Sequence[StreamUpdate]) -> Identified:
    """Return what identifies each update, however its JSON object is written.

    That is its key, with the length and the sum of its bytes, neither of which depends on the order of its members: two
    updates with one key are both published unless these agree as well. Without an `ingestion_time` the key says too
    little, and the sorted members are used instead. The identity is the same in every process.
    """
    contents = [update.data for update in updates]
    checksums = list(map(adler32, contents))
    identities = [
        _encode(
            (
                update.icao_address,
                update.timestamp,
                update.ingestion_time or _members(data),
                len(data),
                checksum & _SUM,
            )
        )
        for update, data, checksum in zip(updates, contents, checksums, strict=True)
    ]
    return Identified(identities, checksums)


def _members(data: bytes) -> list[tuple[str, bytes]]:
    return sorted((name, bytes(value)) for name, value in _decode_members(data).items())


class _Segment:
    """Digests of one interval, or of neighbours; `interval` numbers the last of them."""

    __slots__ = ("digests", "interval")

    def __init__(self, digests: set[int], interval: int) -> None:
        self.digests = digests
        self.interval = interval


class DuplicateFilter:
    """Remembers a digest of every update until it cannot come again, or `forget_older_half` is called.

    On one connection the server sends nothing twice. After a reconnect, or in the next run of this process, it sends
    again everything since the token that is named, with more tokens, perhaps at other places. So at a reconnect, what
    was read after that token is set apart (`_expected`), where no commit makes it be forgotten: an update leaves this
    set by coming again, and counts as read in the interval in which it did. What has still not come after many
    intervals is dropped. Everything else is forgotten some intervals after its token is committed, never before.

    The digest is Python's own 64-bit SipHash, with a new key in every process: the chance that an update has the digest
    of one of 400,000 others is 2e-14.
    """

    def __init__(self, kept_intervals: int = KEPT_INTERVALS, *, max_digests: int = MAX_DIGESTS) -> None:
        self._kept_intervals = kept_intervals
        self._max_digests = max_digests
        self._expected: set[int] = set()
        self._quiet = 0
        self._extra_intervals = 0
        self._segments: deque[_Segment] = deque()  # closed ones, the newest last
        self._current: dict[int, int] = {}  # of the open interval, with a checksum of the bytes
        self._has_new = False
        self._closings = 0
        self._held = 0  # at least as many as there are, without `_expected`
        self.is_repeating = False
        """Whether the last update that came was a repeat, and not the last of those that are expected."""

    def new_ones[T: StreamUpdate](self, updates: Sequence[T], identified: Identified | None = None) -> Sequence[T]:
        """Return the updates that were not seen lately, in their order, and remember them all."""
        identities, sums = identified or identify(updates)
        digests = list(map(hash, identities))
        seen = dict(zip(digests, sums, strict=True))
        keys = seen.keys()
        is_new = len(seen) == len(updates) and self._current.keys().isdisjoint(keys)
        if is_new and self._expected.isdisjoint(keys) and all(one.digests.isdisjoint(keys) for one in self._segments):
            self._current |= seen
            self._held += len(seen)
            self._has_new = self._has_new or bool(seen)
            self.is_repeating = self.is_repeating and not seen
            return updates
        found = [not self._is_repeat(digest, checksum) for digest, checksum in zip(digests, sums, strict=True)]
        return [update for update, is_new in zip(updates, found, strict=True) if is_new]

    def _is_repeat(self, digest: int, checksum: int) -> bool:
        repeated = self._take(digest) or self._current.get(digest) == checksum
        self.is_repeating = self.is_repeating and repeated
        self._current[digest] = checksum
        self._held += 1
        self._has_new = self._has_new or not repeated
        return repeated

    def _take(self, digest: int) -> bool:
        """Remove a digest from where it lay before the open interval; return whether it was there."""
        if digest in self._expected:
            self._expected.remove(digest)
            self._quiet = 0
            self.is_repeating = bool(self._expected)
            return True
        for segment in self._segments:
            if digest in segment.digests:
                segment.digests.remove(digest)
                self.is_repeating = True
                return True
        return False

    def connected(self) -> None:
        """Expect again what was read since the newest token: a connection begins there."""
        self.is_repeating = False
        if self._current:
            self._expect(self._current, 1)
            self._current = {}

    def _expect(self, digests: Iterable[int], intervals: int) -> None:
        self._extra_intervals = min(
            _MOST_EXTRA_INTERVALS, (self._extra_intervals if self._expected else 0) + 4 * intervals
        )
        self._expected.update(digests)
        self._quiet = 0

    def next_interval(self, interval: int, committed: int) -> None:
        """Note that interval number `interval` was closed by a token, and that those up to `committed` are committed.

        While only duplicates come, the server is still repeating what it had sent, and the rest of that is still
        expected.
        """
        if self._has_new:
            self._has_new = False
            self._closings += 1
            self._segments.append(_Segment(set(self._current), interval))
            self._current = {}
            if len(self._segments) > _MAX_SEGMENTS:
                self._merge()
            self._quiet += 1
            if self._quiet > _QUIET_INTERVALS + self._extra_intervals:
                self._expected, self._extra_intervals = set(), 0
        self.forget(committed)

    def forget(self, committed: int) -> None:
        """Forget what is too old to come again; all of what is committed, if it would be too much otherwise."""
        segments = self._segments
        while len(segments) > self._kept_intervals and segments[0].interval <= committed:
            segments.popleft()
        self._held = self._count()
        while segments and segments[0].interval <= committed and self._held >= self._max_digests:
            self._held -= len(segments.popleft().digests)
        if self._held + len(self._expected) >= 2 * self._max_digests:
            self._expected, self._extra_intervals = set(), 0

    def forget_older_half(self) -> None:
        """Forget half of the open interval, committed or not: should it come again, it counts as new."""
        kept = islice(self._current.items(), len(self._current) // 2, None)
        self._current = dict(kept)
        self._held = self._count()

    def _count(self) -> int:
        return len(self._current) + sum(len(segment.digests) for segment in self._segments)

    def _merge(self) -> None:
        """Have the two neighbours share a set that are smallest together."""
        segments = self._segments
        sizes = [len(segment.digests) for segment in segments]
        at = min(range(len(segments) - 1), key=lambda one: sizes[one] + sizes[one + 1])
        segments[at + 1].digests |= segments[at].digests
        del segments[at]

    @property
    def is_full(self) -> bool:
        """Whether as much is remembered as may be: after `forget`, all of it is not committed."""
        return self._held >= self._max_digests

    def after_the_run(self, unacknowledged: Iterable[StreamUpdate], committed: int = 0) -> DuplicateFilter:
        """Return what the next run begins with: all of this is known, but for what Kinesis does not have.

        What is not in the intervals up to `committed` is expected again.
        """
        successor = DuplicateFilter(self._kept_intervals, max_digests=self._max_digests)
        expected, before = self._expected.union(self._current), set[int]()
        for segment in self._segments:
            (before if segment.interval <= committed else expected).update(segment.digests)
        for update in unacknowledged:  # one by one: they may be 48 MiB, and what identifies them as much again
            digest = hash(identify([update]).identities[0])
            expected.discard(digest)
            before.discard(digest)
        if before:
            successor._segments.append(_Segment(before, 0))
            successor._held = len(before)
        successor._expect(expected, self._closings + self._extra_intervals // 4 + 1)
        return successor
