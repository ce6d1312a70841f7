"""The log of what a receiver hears, for the Tracking Stream's server: released as it comes, at the present time."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from local.simulator.update_log import LONGEST_LOOK_BACK, UpdateLog

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class ReceivedLog(UpdateLog):
    """A log that grows by what `release` is given.

    Its position tokens are good for this one run: another run has heard other updates, and refuses them, as the API
    refuses a token that is too old.

    Parameters
    ----------
    now
        Gives seconds since the epoch, never falling.
    keep_bytes
        Memory that updates may take up; beyond it, and after 24 hours, the oldest are forgotten.
    """

    def __init__(self, now: Callable[[], float], *, keep_bytes: int) -> None:
        super().__init__(
            f"received {uuid.uuid4()}", released_before=now(), keep=LONGEST_LOOK_BACK, keep_bytes=keep_bytes
        )
        self._now = now

    def now(self) -> float:
        """Return seconds since the epoch."""
        return self._now()

    def seconds_behind(self, position: int) -> float:
        """Return how long ago the line at `position` was heard; 0 if it is still to come."""
        now = self._now()
        with self._lock:
            index = position - self._dropped
            return now - self._ingestion_times[max(0, index)] if index < len(self._lines) else 0.0

    def release(self, lines: Sequence[bytes], at: float) -> None:
        """Release messages that were ingested at `at`, perhaps none: then it is known that none was until now."""
        self._append([(at, line) for line in lines], released_before=at)

    def finish(self) -> None:
        """Release nothing more."""
        self._finish()
