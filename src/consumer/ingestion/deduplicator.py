"""Recognises lines that the server sends again after a reconnect, so that nothing is handed on twice."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.stream.messages import TargetUpdate

KEPT_INTERVALS = 4
"""How many token intervals are remembered: the server resumes at a token we name, so one is needed; the others
cover a server that resumes somewhat earlier than asked."""

FEWEST_INTERVALS = 2
MANY_DIGESTS = 250_000
"""Above so many digests (70 bytes each) only the newest interval and the one before are remembered."""


class RepeatFilter:
    """Remembers a digest of every line since the last few position tokens.

    After a reconnect from token T the server sends again what it had sent since T, with tokens that may fall
    elsewhere than before, and more of them. So a digest is not forgotten at the next token but a few tokens later,
    where a token after nothing but repeats does not count; and a repeated line counts as new again: it now lies
    after the newest token.

    The digest is Python's own 64-bit SipHash, keyed anew in every process: at 60,000 lines an interval (the
    whole world for 15 s) the chance that a new line is taken for one remembered is 240,000 / 2^64, about 1e-14.
    """

    def __init__(self, kept_intervals: int = KEPT_INTERVALS) -> None:
        self._kept_intervals = kept_intervals
        self._has_new = False
        self._intervals: deque[set[int]] = deque([set()])  # digests by interval, the newest last: forgotten as a whole

    def new_ones[T: TargetUpdate](self, updates: Sequence[T]) -> Sequence[T]:
        """Return the updates that were not seen lately, in their order, and remember them all."""
        seen = set(map(hash, [update.data for update in updates]))
        if len(seen) == len(updates) and all(map(seen.isdisjoint, self._intervals)):  # as nearly always: at C's speed
            self._intervals[-1] |= seen
            self._has_new = self._has_new or bool(seen)
            return updates
        return [update for update in updates if not self.is_repeat(update.data)]

    def is_repeat(self, line: bytes) -> bool:
        """Return whether the line was seen lately, and remember it."""
        digest = hash(line)
        repeated = self._forget(digest)
        self._intervals[-1].add(digest)
        self._has_new = self._has_new or not repeated
        return repeated

    def forget(self, line: bytes) -> None:
        """Take a line for new should it come again: it was seen, but not handed on after all."""
        self._forget(hash(line))

    def _forget(self, digest: int) -> bool:
        """Remove a digest; return whether it was there."""
        for digests in self._intervals:
            if digest in digests:
                digests.remove(digest)
                return True
        return False

    def next_interval(self, uncommitted: int = 0) -> None:
        """Note that a new position token has come; forget what is too old to come again.

        So many tokens before it are not in the checkpoint yet: the next run of this process may have to go back as far.

        While only repeats come, the server is still sending again what it had sent, and the rest of that is to come.
        """
        if not self._has_new:
            return
        self._has_new = False
        self._intervals.append(set())
        kept = max(self._kept_intervals, uncommitted + FEWEST_INTERVALS)
        if sum(map(len, self._intervals)) > MANY_DIGESTS:
            kept = FEWEST_INTERVALS
        while len(self._intervals) > kept:
            self._intervals.popleft()
