"""Handover to the next run in the same process: the updates past the committed token that Kinesis already has.

A run may end between two tokens: the API stops answering, the checkpoint cannot be written, no token comes in time. The
next run then reads again everything since the last commit. While the process lives, it knows more than the checkpoint
does, and drops the updates that Kinesis has acknowledged. Nothing else is dropped: what was not acknowledged is
published again.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from consumer.ingestion.deduplicator import DuplicateFilter
    from consumer.ingestion.summary import Summary

_OWNERS = 16


class Handover:
    """One for a process; the duplicates of at most one run lie in it."""

    def __init__(self) -> None:
        self._left: tuple[Collection[str | None], Callable[[], DuplicateFilter]] | None = None
        self.ended: deque[str] = deque(maxlen=_OWNERS)
        """The owners of the process's last runs: a lease of theirs is nobody's any more."""
        self.summary: Summary | None = None
        """Of the last run that ended without an error."""

    def leave(self, tokens: Collection[str | None], duplicates: Callable[[], DuplicateFilter]) -> None:
        """Leave what a run knows to the run that goes on from one of these tokens; None is the lack of a checkpoint.

        There are two where the last commit's answer was lost. The next run calls `duplicates`: it has the time.
        """
        self._left = tokens, duplicates

    def take(self, token: str | None) -> DuplicateFilter | None:
        """Return what was left if the run goes on from where that one ended, and hold nothing any more.

        Another token means that another process was at work since, or that somebody set the checkpoint back on purpose.
        """
        left, self._left = self._left, None
        return left[1]() if left is not None and token in left[0] else None
