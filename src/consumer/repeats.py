"""Recognises lines that the server sends again after a reconnect, so that nothing is handed on twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.messages import TargetUpdate

KEPT_INTERVALS = 4
"""How many token intervals are remembered: the server resumes at a token we name, so one is needed; the others
cover a server that resumes somewhat earlier than asked."""

FEWEST_INTERVALS = 2
MANY_DIGESTS = 250_000
"""Above so many digests (80 bytes each) only the newest interval and the one before are remembered."""


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
        self._interval = 0
        self._has_new = False
        self._interval_of: dict[int, int] = {}  # digest -> interval, in order of the last sighting

    def new_ones[T: TargetUpdate](self, updates: Sequence[T]) -> Sequence[T]:
        """Return the updates that were not seen lately, in their order, and remember them all."""
        seen = dict.fromkeys(map(hash, [update.data for update in updates]), self._interval)
        if len(seen) == len(updates) and self._interval_of.keys().isdisjoint(seen):  # as nearly always: at C's speed
            self._interval_of |= seen
            self._has_new = True
            return updates
        return [update for update in updates if not self.is_repeat(update.data)]

    def is_repeat(self, line: bytes) -> bool:
        """Return whether the line was seen lately, and remember it."""
        digest, interval_of = hash(line), self._interval_of
        repeated = digest in interval_of
        if repeated:
            del interval_of[digest]  # to be put at the end, as the newest
        else:
            self._has_new = True
        interval_of[digest] = self._interval
        return repeated

    def forget(self, line: bytes) -> None:
        """Take a line for new should it come again: it was seen, but not handed on after all."""
        self._interval_of.pop(hash(line), None)

    def next_interval(self, uncommitted: int = 0) -> None:
        """Note that a new position token has come; forget what is too old to come again.

        So many tokens before it are not in the checkpoint yet: the next run of this process may have to go back as far.

        While only repeats come, the server is still sending again what it had sent, and the rest of that is to come.
        """
        if not self._has_new:
            return
        self._has_new = False
        self._interval += 1
        kept = max(self._kept_intervals, uncommitted + FEWEST_INTERVALS)
        if len(self._interval_of) > MANY_DIGESTS:
            kept = FEWEST_INTERVALS
        oldest = self._interval - kept
        forgotten = []
        for digest, interval in self._interval_of.items():
            if interval > oldest:
                break
            forgotten.append(digest)
        for digest in forgotten:
            del self._interval_of[digest]
