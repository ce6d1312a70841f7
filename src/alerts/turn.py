"""One invocation: the result of its batch so far, and its remaining time."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

from alerts.timeouts import LEAST_SECONDS
from common.few_warnings import FewWarnings
from common.observability import logger

if TYPE_CHECKING:
    from collections.abc import Callable


class OutOfTimeError(Exception):
    """What is left of the invocation may not be enough for another alert."""


@dataclass(slots=True)
class BatchResult:
    """What became of a batch; `failed_sequence_number` is the record from which on it must be sent again.

    `failed` is 1 if that record failed, and 0 if the time ran out before it. `fields_ignored` counts fields of decoded
    updates whose values no update can have. `unlogged` alerts are sent and not in the log; `not_shown` is 1 where the
    newest ones could not be shown.
    """

    notified: int = 0
    suppressed: int = 0
    undecodable: int = 0
    fields_ignored: int = 0
    unmarked: int = 0
    unlogged: int = 0
    not_shown: int = 0
    failed: int = 0
    failed_sequence_number: str | None = None


@dataclass(slots=True)
class Turn:
    """One invocation: its result, which several threads add to, and what is left of its time."""

    remaining_seconds: Callable[[], float]
    result: BatchResult = field(default_factory=BatchResult)
    something_done: bool = False
    """A record, or one alert of it, has been dealt with."""
    log_has_failed: bool = False
    """The alert log could not be written in this invocation."""
    skipped: FewWarnings = field(default_factory=lambda: FewWarnings(logger))
    """Warnings of records that hold no update."""
    _lock: Lock = field(default_factory=Lock)

    def count(self, *, notified: int = 0, suppressed: int = 0, unmarked: int = 0) -> None:
        """Add to the result; from any thread."""
        with self._lock:
            self.result.notified += notified
            self.result.suppressed += suppressed
            self.result.unmarked += unmarked

    def check_time(self) -> None:
        """Stop before the time could run out in the middle of an alert, but not before something was done.

        Raises
        ------
        OutOfTimeError
            It may be too little for another alert.
        """
        if self.something_done and self.remaining_seconds() < LEAST_SECONDS:
            raise OutOfTimeError
