"""One run of the consumer, from taking the lease to the summary."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from common.observability import logger
from consumer.checkpoint.committer import Committer
from consumer.checkpoint.position import NO_DELAY
from consumer.checkpoint.watermark import Watermark
from consumer.errors import ConsumerError, LeaseHeldError, LeaseLostError, PublishError
from consumer.ingestion import recovery_plan
from consumer.ingestion.catch_up import CatchUp
from consumer.ingestion.deduplicator import DuplicateFilter
from consumer.ingestion.end_of_reading import Stopped
from consumer.ingestion.handover import Handover
from consumer.ingestion.processor import TargetProcessor
from consumer.ingestion.reader import StreamReader
from consumer.ingestion.recovery import Recovery
from consumer.ingestion.status import RunStatus
from consumer.ingestion.summary import StopReason, Summary
from consumer.ingestion.telemetry import Telemetry, count
from consumer.ingestion.time_budget import RESERVE_SECONDS, TimeBudget
from consumer.publish import record_format as formats
from consumer.publish.publisher import Publisher
from consumer.stream.client import TokenRefusedError
from consumer.timing import Timing

if TYPE_CHECKING:
    from datetime import timedelta

    from common.clock import Clock
    from common.update_log import UpdateLog
    from consumer.checkpoint.position import Position
    from consumer.checkpoint.rejected_lines import RejectedStore
    from consumer.checkpoint.store import CheckpointStore
    from consumer.deadline import Deadline
    from consumer.ingestion.status import StatusWriter
    from consumer.ingestion.stop_request import StopRequest
    from consumer.publish.put_records import PutRecords
    from consumer.publish.record_format import RecordFormat
    from consumer.stream.client import StreamClient

_LAST_WRITES_SECONDS = 0.5
"""Part of the reserve: what the last writes of the checkpoint may take, twice as long as one of the last few took."""

_LONGEST_RESERVE = 0.25
"""Share of a run that is kept for its end at most: where S3 takes longer still, the end is cut short."""

_STOP_SECONDS = 30.0
"""A stop that was asked for waits so long for a position token: they come every 15 s, and some arrive late."""

_LOOK_SECONDS = 0.2

_DEPLOYED = Timing()


class Run:
    """Wires the pieces for one invocation; `execute` once."""

    def __init__(  # noqa: PLR0913 - the adapters to the world, and time
        self,
        client: StreamClient,
        checkpoint: CheckpointStore,
        rejected: RejectedStore,
        put_records: PutRecords,
        clock: Clock,
        *,
        deadline: Deadline,
        stop_request: StopRequest,
        start_position: str,
        timing: Timing = _DEPLOYED,
        handover: Handover | None = None,
        record_format: RecordFormat | None = None,
        status: StatusWriter | None = None,
        stop_when_caught_up: bool = False,
        delay: timedelta = NO_DELAY,
        update_log: UpdateLog | None = None,
    ) -> None:
        """End by the `deadline`, whatever anything waits for; without a checkpoint begin at `start_position`.

        With `stop_when_caught_up` end as soon as what there was at the beginning is read. `handover` connects the runs
        of one process. The format is one record an update unless told otherwise. How the run is doing is written by
        `status`, if there is one. The stream is late by `delay`. Some updates are shown by `update_log`.
        """
        record_format = record_format or formats.single()
        self._parser = record_format.parser
        self._checkpoint = checkpoint
        self._clock = clock
        self._deadline = deadline
        self._seconds = deadline.left
        self._stop_request = stop_request
        reading_ends = deadline.earlier(self._reserve)
        self._start_position = start_position
        self._begun_at = clock.monotonic()
        self._handover = handover or Handover()
        self._may_hand_over = False
        self._budget = TimeBudget(lambda: reading_ends.left, reserve=0.0)
        watermark = Watermark()
        self._committer = Committer(watermark, checkpoint, rejected, renewal_seconds=timing.renewal)
        self._publisher = Publisher(
            put_records,
            record_format.outbox,
            clock,
            on_acknowledged=self._committer.notify,
            on_error=self._interrupt,
            may_send=lambda: checkpoint.lease_is_valid,
        )
        self._duplicates = DuplicateFilter()
        self._processor = TargetProcessor(
            self._publisher, watermark, self._duplicates, rejected, clock, delay=delay, update_log=update_log
        )
        self._reader = StreamReader(
            client,
            self._processor,
            self._committer,
            self._budget,
            stop_request,
            clock,
            deadline=reading_ends,
            parser=record_format.parser,
            stale_seconds=timing.stale,
            catch_up=CatchUp(clock.now() - delay, quiet_seconds=timing.quiet) if stop_when_caught_up else None,
            delay=delay,
        )
        self._delay = delay
        self._telemetry = Telemetry(clock, self._reader, self._processor, self._publisher, delay=delay)
        self._recovery = Recovery(
            self._reader, self._processor, self._committer, self._budget, clock, seconds=self._seconds, delay=delay
        )
        self._status_writer = status
        self._status = RunStatus(
            clock, self._reader, self._processor, self._publisher, self._committer, self._recovery, delay=delay
        )

    def execute(self) -> Summary:
        """Read, publish and commit until it is time to stop.

        Raises
        ------
        ConsumerError
            The run failed. What was acknowledged by then is committed all the same, if the checkpoint can be written.
        """
        try:
            position = self._checkpoint.acquire(self._handover.ended)
        except LeaseHeldError as error:
            logger.info(str(error))
            return Summary(StopReason.LEASE_HELD)
        except LeaseLostError as error:
            return Summary(_lease_lost(error))
        self._handover.ended.append(self._checkpoint.owner)
        self._status.position = position
        if self._status_writer is None:
            summary = self._read_and_commit(position)
        else:
            summary = self._status_writer.follow(
                self._status,
                lambda: self._read_and_commit(position),
                may_write=lambda: not self._checkpoint.may_be_anothers,
                last_run=self._handover.summary,
            )
        self._handover.summary = summary
        return summary

    def _read_and_commit(self, position: Position | None) -> Summary:
        """Do what `execute` says, from a position on."""
        self._publisher.start()
        self._committer.start(
            on_commit=self._telemetry.committed, on_error=self._abandon, complete=self._processor.complete
        )
        reading_is_over = threading.Event()
        threading.Thread(target=self._watch, args=(reading_is_over,), name="alarm-clock", daemon=True).start()
        try:
            try:
                reason = self._read(position)
            finally:
                reading_is_over.set()
                is_drained = self._finish(position)
            if not is_drained:
                reason = StopReason.DEADLINE
        except LeaseLostError as error:
            reason = _lease_lost(error)
        summary = self._summarise(reason)
        self._telemetry.finished(summary.reading_share)
        return summary

    def _read(self, position: Position | None) -> StopReason:
        """Read from the committed position on, by way of batch mode if the server no longer knows it."""
        known = self._handover.take(position.position_token if position else None)
        if known is not None:
            self._duplicates = known
            self._processor.recognise(known)
        try:
            self._read_from(position)
        except Stopped as stopped:
            self._may_hand_over = True
            return stopped.reason
        except ConsumerError:
            self._may_hand_over = True
            raise
        raise AssertionError  # following ends by Stopped or an error

    def _read_from(self, position: Position | None) -> None:
        if self._checkpoint.retry_at is not None:
            self._reader.wait_until(self._checkpoint.retry_at)
        if position is not None:
            self._processor.resume(position)
            if recovery_plan.is_too_old(position, self._clock.now()):
                position = self._recovery.plan(position)
        while True:
            if position is not None and position.gap is not None:
                self._recovery.fetch(position, position.gap)
            try:
                self._reader.follow(position.position_token if position else self._start_position)
            except TokenRefusedError as error:
                # From where reading has come, committed or not: the watermark commits the gap after all before it. Were
                # it to begin at the last commit, later ones would be taken back.
                reached = self._processor.reached or position
                if reached is None:
                    raise
                logger.warning(str(error))
                position = self._recovery.plan(reached)

    def _watch(self, reading_is_over: threading.Event) -> None:
        """Wake the reader when reading has to end, wherever it waits, until it is over."""
        while not reading_is_over.wait(min(_LOOK_SECONDS, max(0.01, self._budget.remaining))):
            if self._stop_request.reason is not None:
                self._deadline.bring_forward(_STOP_SECONDS)
                if not self._processor.has_uncommitted:
                    self._reader.interrupt()
            if self._budget.is_exhausted:
                self._interrupt()

    def _reserve(self) -> float:
        """Return the seconds that are kept for the end: the last acknowledgements, a write under way and the last."""
        usual = max(RESERVE_SECONDS, 2 * _LAST_WRITES_SECONDS + 2 * self._checkpoint.slowest_write)
        return min(usual, self._seconds * _LONGEST_RESERVE)

    def _abandon(self) -> None:
        self._publisher.abandon()
        self._reader.interrupt()

    def _interrupt(self) -> None:
        self._publisher.interrupt()
        self._reader.interrupt()

    def _finish(self, position: Position | None) -> bool:
        """Have acknowledged what was read, commit it, give the lease back; return whether all was acknowledged."""
        try:
            last_writes = max(_LAST_WRITES_SECONDS, 2 * self._checkpoint.slowest_write)
            return self._publisher.drain(self._deadline.cut(self._seconds, reserve=last_writes))
        except PublishError:
            self._may_hand_over = False  # what became of the records is not known
            raise
        finally:
            self._publisher.close()
            if unanswered := self._publisher.unanswered:
                logger.warning("the run ends before Kinesis has answered; these may come twice", updates=unanswered)
                count("UpdatesUnanswered", unanswered)
            try:
                self._committer.close()
            finally:
                self._hand_over(position)

    def _hand_over(self, position: Position | None) -> None:
        """Leave to the next run what Kinesis has of what was read, unless an unforeseen error makes that doubtful."""
        if not self._may_hand_over:
            return
        known = (self._committer.committed or position, self._committer.attempted)
        tokens = {one.position_token if one else None for one in known[: 2 if known[1] else 1]}
        publisher, duplicates, parser = self._publisher, self._duplicates, self._parser
        self._handover.leave(
            tokens, lambda: duplicates.after_the_run(update for update in parser.updates(publisher.unacknowledged()))
        )

    def _summarise(self, reason: StopReason) -> Summary:
        now, committed = self._clock.now(), self._committer.committed
        connected, read = self._reader.counters, self._processor.counters
        return Summary(
            stopped=reason,
            updates=read.updates,
            bytes=connected.bytes,
            published=self._publisher.counters.published,
            reconnects=connected.reconnects,
            duplicates_dropped=read.duplicates_dropped,
            rejected=read.rejected,
            committed_token_age_seconds=(now - committed.token_received_at).total_seconds() if committed else None,
            source_lag_seconds=committed.lag(now, self._delay) if committed else None,
            reading_share=connected.seconds / max(self._clock.monotonic() - self._begun_at, 1e-9),
            recovered_gap=self._recovery.recovered,
            unrecoverable_gap=self._recovery.unrecoverable,
        )


def _lease_lost(error: LeaseLostError) -> StopReason:
    logger.error(str(error))
    count("LeaseLost")
    return StopReason.LEASE_LOST
