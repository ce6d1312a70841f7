"""Recovers from an outage longer than the server remembers a token: plans the gap, fetches it, commits as it goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from common.clock import rfc3339
from common.observability import MetricUnit, logger
from consumer.checkpoint.position import NO_DELAY, TimeRange
from consumer.ingestion import frontier, recovery_plan
from consumer.ingestion.back_pressure import SliceTooLargeError
from consumer.ingestion.end_of_reading import Stopped
from consumer.ingestion.live_updates import LiveUpdates
from consumer.ingestion.summary import StopReason
from consumer.ingestion.telemetry import count

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

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
        """What lies beyond the reach of batch mode, or may; None is nothing."""
        self.left: TimeRange | None = None
        """What is still to be fetched; None is nothing."""
        self._reader = reader
        self._processor = processor
        self._committer = committer
        self._budget = budget
        self._clock = clock
        self._delay = delay
        self._ahead: list[StreamUpdate] = []
        # A short run must get somewhere too: a slice that never seems to fit would never be fetched.
        self._slice_seconds = min(_SLICE_SECONDS, seconds / 4)

    def plan(self, position: Position) -> Position:
        """Return where the live stream stands, with the gap from `position` up to there.

        What cannot be fetched any more is logged, counted, and kept in `unrecoverable`.
        """
        position = self._processor.complete(position)
        live = LiveUpdates(recovery_plan.latest_end(self._clock.now(), self._delay))
        token, received_at, newest = self._reader.find_live_position(live)
        plan = recovery_plan.plan(position, newest, self._clock.now(), self._delay)
        logger.warning(
            "the position token is too old: fetching what was missed in batch mode",
            token_received_at=rfc3339(position.token_received_at),
            gap=_words(plan.gap),
        )
        if plan.lost is not None:
            self._lose(plan.lost, "updates are beyond the reach of batch mode and cannot be fetched")
        if live.left_out:
            self._lose_ahead(live.left_out, live.newest_left_out)
        self._ahead = live.take()
        # The gap begins where `position` stands, not at what was read since: that is in the gap, and in the frontier,
        # since the plan is committed once Kinesis has it.
        self._processor.go_back(position)
        if plan.gap is None:
            self._process_ahead()
        # In the checkpoint at once: a run that ends here must not look for another live position.
        planned = self._processor.complete(self._processor.reach(token, received_at, plan.gap))
        self._committer.notify()
        return planned

    def _process_ahead(self) -> None:
        """Process what came before the live token and may be in no slice; what a slice held is recognised."""
        if self._ahead:
            self._processor.process(self._ahead)
            self._ahead = []

    def _lose_ahead(self, updates: int, newest: datetime | None) -> None:
        start = self._clock.now() - self._delay
        self._lose(
            TimeRange(start, max(newest or start, start)),
            "updates with ingestion times ahead of the clock, or without one, may be beyond the reach of batch mode",
            updates=updates,
        )

    def _lose(self, lost: TimeRange, what: str, **fields: Any) -> None:
        """Say that something cannot be fetched: in the log, as a metric, and in the summary."""
        self.unrecoverable = self.unrecoverable or lost
        logger.error(what, gap=_words(lost), **fields)
        seconds = (lost.end - lost.start).total_seconds()
        count("UnrecoverableGapSeconds", seconds, MetricUnit.Seconds)

    def fetch(self, position: Position, gap: TimeRange) -> None:
        """Fetch the gap before `position`, slice by slice, each committed by itself.

        Nothing in a slice can be committed before its end, and what is not committed has to be remembered: one that
        holds too much is cut shorter and fetched again. What was read of it until then is recognised.

        Raises
        ------
        Stopped
            Another slice would not be done in time; the next run goes on with it.
        """
        try:
            self._fetch(position, gap)
        finally:
            if self._ahead:  # the next run does not have them
                times = [time for update in self._ahead if (time := update.ingestion_time) is not None]
                self._lose_ahead(len(self._ahead), max(times, default=None))
                self._ahead = []

    def _fetch(self, position: Position, gap: TimeRange) -> None:
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
            if slices.rest is None:
                self._process_ahead()
            longest = max(longest if slices.current.start > gap.start else 0.0, self._clock.monotonic() - begun_at)
            self.recovered = TimeRange(gap.start, slices.current.end)
            self.left = slices.rest
            self._processor.reach(position.position_token, position.token_received_at, slices.rest)
            self._committer.notify()
            has_more = slices.advance(updates)


def _words(gap: TimeRange | None) -> str:
    return f"{rfc3339(gap.start)} to {rfc3339(gap.end)}" if gap else "none"
