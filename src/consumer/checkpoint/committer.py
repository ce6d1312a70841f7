"""Commits positions as they become safe, on its own thread, so that reading never waits for S3.

One write at a time and a pause after it; positions that became safe meanwhile are written together. The lease is
renewed when nothing else is to write.
"""

from __future__ import annotations

import threading
from itertools import chain
from typing import TYPE_CHECKING

from consumer.timing import RENEWAL_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from consumer.checkpoint.position import Position
    from consumer.checkpoint.rejected_lines import RejectedStore
    from consumer.checkpoint.store import CheckpointStore
    from consumer.checkpoint.watermark import Watermark


_PAUSE_SECONDS = 0.2
"""Between two commits: where tokens come as fast as S3 answers, five writes a second are enough."""


class Committer:
    """Carries the watermark into the checkpoint from `start` until it is closed or fails."""

    def __init__(
        self,
        watermark: Watermark,
        checkpoint: CheckpointStore,
        rejected: RejectedStore,
        *,
        renewal_seconds: float = RENEWAL_SECONDS,
        pause_seconds: float = _PAUSE_SECONDS,
    ) -> None:
        self.committed: Position | None = None
        self.attempted: Position | None = None
        """What was written last, or may have been: after an error only the checkpoint itself knows."""
        self.error: Exception | None = None
        self._watermark = watermark
        self._checkpoint = checkpoint
        self._rejected = rejected
        self._renewal_seconds = renewal_seconds
        self._pause_seconds = min(pause_seconds, renewal_seconds)
        self._closing = threading.Event()
        self._work = threading.Event()
        self._thread = threading.Thread(target=self._run, name="committer", daemon=True)

    def start(
        self,
        *,
        on_commit: Callable[[Position], None],
        on_error: Callable[[], None],
        complete: Callable[[Position], Position] = lambda position: position,
    ) -> None:
        """Begin; call `on_commit` after each commit, and `on_error` when `error` is set, both on the own thread.

        `complete` makes a position ready to be written.
        """
        self._complete = complete
        self._on_commit = on_commit
        self._on_error = on_error
        self._thread.start()

    @property
    def intervals(self) -> int:
        """How many intervals are committed."""
        return self._watermark.committed

    def notify(self) -> None:
        """Look whether something has become safe; called after every acknowledgement and every token."""
        if self._watermark.has_settled:
            self._work.set()

    def keep_retry_at(self, moment: datetime) -> None:
        """Have the checkpoint say from its next write on when the server may be asked again."""
        self._checkpoint.retry_at = moment

    def close(self) -> None:
        """Commit what is safe, end the thread, and give the lease back unless it is lost or S3 fails; reading is over.

        Raises
        ------
        LeaseLostError, CheckpointError
            What stopped the committing, now or earlier.
        """
        self._watermark.end()
        self._closing.set()
        self._work.set()
        self._thread.join()
        if self.error is not None:
            raise self.error
        if self._checkpoint.is_held:  # else the last commit has given it back
            self._checkpoint.release()

    def _run(self) -> None:
        try:
            while True:
                self._work.clear()
                # Read after clearing, or the wake-up of a `close` in between is lost.
                was_closing = self._closing.is_set()
                has_committed = self._commit_settled(last=was_closing)
                if was_closing:
                    return
                if has_committed:
                    self._closing.wait(self._pause_seconds)
                if not self._work.wait(self._renewal_seconds):
                    self._checkpoint.renew()
        except Exception as error:  # noqa: BLE001 - the reader must hear of whatever it is
            self.error = error
            self._on_error()

    def _commit_settled(self, *, last: bool) -> bool:
        intervals = self._watermark.take_settled()
        if not intervals:
            return False
        with self._watermark.rejected_lock:
            lines = list(chain.from_iterable(interval.rejected for interval in intervals))
            if lines:
                self._rejected.write(lines)
        position = intervals[-1].closed_by
        assert position is not None
        position = self._complete(position)
        self.attempted = position
        self._checkpoint.commit(position, last=last)
        self.committed = position
        self._watermark.committed += len(intervals)
        self._on_commit(position)
        return True
