"""Recovers from an outage longer than the server remembers a token: plans the gap, fetches it, commits as it goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from common.clock import rfc3339
from common.observability import MetricUnit, logger
from consumer.checkpoint.position import NO_DELAY, TimeRange
from consumer.ingestion import frontier, recovery_plan
from consumer.ingestion.back_pressure import SliceTooLargeError
from consumer.ingestion.end_of_reading import Stopped
from consumer.ingestion.summary import StopReason
from consumer.ingestion.telemetry import count

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from common.clock import Clock
    from consumer.checkpoint.committer import Committer
    from consumer.checkpoint.position import Position
    from consumer.ingestion.processor import TargetProcessor
    from consumer.ingestion.reader import StreamReader
    from consumer.ingestion.time_budget import TimeBudget
    from consumer.stream.messages import StreamUpdate

_SLICE_SECONDS = 10.0
"""How long a slice of a gap may take, until one was timed."""


class Recovery:
    """One run's recoveries; `recovery_plan` knows the rules, this class acts on them."""

    def __init__(  # noqa: PLR0913 - its collaborators, each of its own type
        self,
        reader: StreamReader,
        processor: TargetProcessor,
        committer: Committer,
        budget: TimeBudget,
        clock: Clock,
        *,
        seconds: float,
        delay: timedelta = NO_DELAY,
    ) -> None:
        """Serve a run that has so many seconds in all, of a stream that is late by `delay`."""
        self.recovered: TimeRange | None = None
        """What was fetched in batch mode; None is nothing."""
        self.unrecoverable: TimeRange | None = None
        """What lies beyond the reach of batch mode; None is nothing."""
        self.left: TimeRange | None = None
        """What is still to be fetched; None is nothing."""
        self._reader = reader
        self._processor = processor
        self._committer = committer
        self._budget = budget
        self._clock = clock
        self._delay = delay
        # A short run must get somewhere too: a slice that never seems to fit would never be fetched.
        self._slice_seconds = min(_SLICE_SECONDS, seconds / 4)

    def plan(self, position: Position) -> Position:
        """Return where the live stream stands, with the gap from `position` up to there.

        What cannot be fetched any more is logged, counted, and kept in `unrecoverable`.
        """
        position = self._processor.complete(position)
        token, received_at, newest = self._reader.find_live_position()
        plan = recovery_plan.plan(position, newest, self._clock.now(), self._delay)
        logger.warning(
            "the position token is too old: fetching what was missed in batch mode",
            token_received_at=rfc3339(position.token_received_at),
            gap=_words(plan.gap),
        )
        if plan.lost is not None:
            self.unrecoverable = plan.lost
            seconds = (plan.lost.end - plan.lost.start).total_seconds()
            logger.error("updates are beyond the reach of batch mode and cannot be fetched", gap=_words(plan.lost))
            count("UnrecoverableGapSeconds", seconds, MetricUnit.Seconds)
        # The gap begins where `position` stands, not at what was read since: its frontier is that of the former.
        self._processor.resume(position)
        # In the checkpoint at once: a run that ends here must not look for another live position.
        planned = self._processor.complete(self._processor.reach(token, received_at, plan.gap))
        self._committer.notify()
        return planned

    def fetch(self, position: Position, gap: TimeRange) -> None:
        """Fetch the gap before `position`, slice by slice, each committed by itself.

        Nothing in a slice can be committed before its end, and what is not committed has to be remembered: one that
        holds too much is cut shorter and fetched again. What was read of it until then is recognised.

        Raises
        ------
        Stopped
            Another slice would not be done in time; the next run goes on with it.
        """
        delivered = frozenset(position.frontier)

        def undelivered(updates: Sequence[StreamUpdate]) -> Sequence[StreamUpdate]:
            if not delivered:
                return updates
            named = zip(updates, frontier.keys(updates), strict=True)
            return [update for update, key in named if key not in delivered]

        slices = recovery_plan.Slices(gap, self._clock.now() - self._delay)
        self.left = gap
        longest, has_more = self._slice_seconds, True
        while has_more:
            if not self._budget.fits(longest):
                raise Stopped(StopReason.DEADLINE if self._processor.has_uncommitted else StopReason.NEAR_DEADLINE)
            begun_at = self._clock.monotonic()
            try:
                updates = self._reader.fetch(slices.current, undelivered, must_fit=slices.can_shrink)
            except SliceTooLargeError:
                slices.shrink()
                continue
            longest = max(longest if slices.current.start > gap.start else 0.0, self._clock.monotonic() - begun_at)
            self.recovered = TimeRange(gap.start, slices.current.end)
            self.left = slices.rest
            self._processor.reach(position.position_token, position.token_received_at, slices.rest)
            self._committer.notify()
            has_more = slices.advance(updates)


def _words(gap: TimeRange | None) -> str:
    return f"{rfc3339(gap.start)} to {rfc3339(gap.end)}" if gap else "none"
