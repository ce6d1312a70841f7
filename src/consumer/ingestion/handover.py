"""Handover to the next run in the same process: the updates past the committed token that Kinesis already has.

A run may end between two tokens: the API stops answering, the checkpoint cannot be written, no token comes in time. The
next run then reads again everything since the last commit. While the process lives, it knows more than the checkpoint
does, and drops the updates that Kinesis has acknowledged. Nothing else is dropped: what was not acknowledged is
published again.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from common.observability import logger
from common.printable import said

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
        An update that was not acknowledged may be nested so deep that it was just read, and is not a second time: what
        was left is dropped then, since that update would count as published.
        """
        left, self._left = self._left, None
        if left is None or token not in left[0]:
            return None
        try:
            return left[1]()
        except (ValueError, RecursionError) as error:
            logger.warning(
                "what the run before left cannot be used: what it published after the position token comes twice",
                reason=said(error),
            )
            return None
