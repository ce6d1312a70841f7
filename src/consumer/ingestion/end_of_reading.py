"""Decides when reading ends: checked between chunks, at each token, and before a long wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

from common.observability import logger
from consumer.ingestion.summary import StopReason

if TYPE_CHECKING:
    from common.clock import Clock
    from consumer.checkpoint.committer import Committer
    from consumer.ingestion.catch_up import CatchUp
    from consumer.ingestion.processor import TargetProcessor
    from consumer.ingestion.stop_request import StopRequest
    from consumer.ingestion.time_budget import TimeBudget


class Stopped(Exception):  # noqa: N818 - no error: the end of reading, and why
    """Reading is over."""

    def __init__(self, reason: StopReason) -> None:
        super().__init__(reason)
        self.reason = reason


class EndOfReading:
    """Raises `Stopped` where reading has to end, and the error of whatever failed on another thread."""

    def __init__(  # noqa: PLR0913, PLR0917 - all that can end a run, each of its own type
        self,
        processor: TargetProcessor,
        committer: Committer,
        budget: TimeBudget,
        stop_request: StopRequest,
        clock: Clock,
        catch_up: CatchUp | None,
    ) -> None:
        self._processor = processor
        self._committer = committer
        self._budget = budget
        self._stop_request = stop_request
        self._clock = clock
        self._catch_up = catch_up

    def check(self) -> None:
        """Between tokens: stop if the next one cannot be waited for.

        Raises
        ------
        Stopped
            Out of time, or a stop was asked for and nothing has come since the last token.
        ConsumerError
            Publishing or committing failed.
        """
        if self._committer.error is not None:
            raise self._committer.error
        self._processor.raise_if_failed()
        if self._budget.is_exhausted:
            raise Stopped(StopReason.DEADLINE if self._processor.has_uncommitted else StopReason.NEAR_DEADLINE)
        if not self._processor.has_uncommitted and (reason := self._stop_request.reason) is not None:
            raise Stopped(reason)

    def check_at_token(self) -> None:
        """At a token, with nothing read after it: stop if the next would come too late, or if all is done.

        Raises
        ------
        Stopped
            It is time.
        """
        if (reason := self._stop_request.reason) is not None:
            raise Stopped(reason)
        if self._catch_up is not None and self._catch_up.is_done(
            self._processor.counters.updates, self._processor.stream_time_reached, self._clock.monotonic()
        ):
            raise Stopped(StopReason.CAUGHT_UP)
        if not self._budget.another_token_fits:
            raise Stopped(StopReason.NEAR_DEADLINE)

    def check_wait(self, seconds: float, reason: str) -> None:
        """End the run if the server asks to wait for longer than what is left of it.

        Raises
        ------
        Stopped
            It does; `seconds` is what it asks for.
        """
        if seconds > self._budget.remaining:
            logger.warning(
                "the server asks to wait for longer than this run lasts: it ends",
                reason=reason,
                retry_after_seconds=round(seconds, 2),
            )
            raise Stopped(StopReason.DEADLINE if self._processor.has_uncommitted else StopReason.RETRY_LATER)
