"""One run of the consumer, from taking the lease to the summary."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from common.observability import logger
from consumer.checkpoint.committer import Committer
from consumer.checkpoint.position import NO_DELAY
from consumer.checkpoint.watermark import Watermark
from consumer.errors import ConsumerError, LeaseHeldError, LeaseLostError, UpdateProcessorError
from consumer.ingestion import recovery_plan, run_end
from consumer.ingestion.alarm_clock import AlarmClock
from consumer.ingestion.catch_up import CatchUp
from consumer.ingestion.connection_keeper import ConnectionKeeper
from consumer.ingestion.deduplicator import DuplicateFilter
from consumer.ingestion.end_of_reading import EndOfReading, Stopped
from consumer.ingestion.handover import Handover
from consumer.ingestion.processor import TargetProcessor
from consumer.ingestion.reader import StreamReader
from consumer.ingestion.recovery import Recovery
from consumer.ingestion.run_end import RunEnd
from consumer.ingestion.status import RunStatus
from consumer.ingestion.summary import StopReason, Summary
from consumer.ingestion.telemetry import Telemetry, count
from consumer.ingestion.time_budget import TimeBudget
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
    from consumer.ingestion.own_processor import OwnProcessor
    from consumer.ingestion.status import StatusWriter
    from consumer.ingestion.stop_request import StopRequest
    from consumer.publish.put_records import PutRecords
    from consumer.publish.record_format import RecordFormat
    from consumer.stream.client import StreamClient

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
        own_processor: OwnProcessor | None = None,
    ) -> None:
        """End by the `deadline`, whatever anything waits for; without a checkpoint begin at `start_position`.

        With `stop_when_caught_up`, end once everything that was there at the beginning is read. `handover` connects the
        runs of one process. The default format is one record per update. `status`, if given, writes how the run is
        doing. The stream is late by `delay`. `update_log` shows some of the updates; `own_processor` sees the new ones.
        """
        record_format = record_format or formats.single()
        self._checkpoint = checkpoint
        self._clock = clock
        seconds = deadline.left
        reading_ends = deadline.earlier(partial(run_end.reserve, checkpoint, seconds))
        self._start_position = start_position
        self._begun_at = clock.monotonic()
        self._handover = handover or Handover()
        budget = TimeBudget(lambda: reading_ends.left, reserve=0.0)
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
            self._publisher,
            watermark,
            self._duplicates,
            rejected,
            clock,
            delay=delay,
            update_log=update_log,
            own=own_processor,
        )
        catch_up = CatchUp(clock.now() - delay, quiet_seconds=timing.quiet) if stop_when_caught_up else None
        end = EndOfReading(self._processor, self._committer, budget, stop_request, clock, catch_up)
        keeper = ConnectionKeeper(
            client,
            self._processor,
            self._committer,
            budget,
            end,
            clock,
            deadline=reading_ends,
            stale_seconds=timing.stale,
            catch_up=catch_up,
        )
        self._reader = StreamReader(
            keeper,
            end,
            self._processor,
            self._committer,
            budget,
            clock,
            redactor=client.redactor,
            parser=record_format.parser,
            delay=delay,
        )
        self._alarm_clock = AlarmClock(
            budget, deadline, stop_request, self._processor, self._reader, interrupt=self._interrupt
        )
        self._end = RunEnd(
            self._publisher,
            self._committer,
            checkpoint,
            self._handover,
            record_format.parser,
            deadline,
            run_seconds=seconds,
        )
        self._delay = delay
        self._telemetry = Telemetry(clock, self._reader, self._processor, self._publisher, delay=delay)
        self._recovery = Recovery(
            self._reader, self._processor, self._committer, budget, clock, seconds=seconds, delay=delay
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
        try:
            try:
                with self._alarm_clock.running():
                    reason = self._read(position)
            finally:
                is_drained = self._end.finish(position, self._duplicates)
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
            self._end.may_hand_over = True
            return stopped.reason
        except UpdateProcessorError:
            raise  # what it was given is remembered and not published: were that left to the next run, it would be lost
        except ConsumerError:
            self._end.may_hand_over = True
            raise
        finally:
            self._reader.close()
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

    def _abandon(self) -> None:
        self._publisher.abandon()
        self._reader.interrupt()

    def _interrupt(self) -> None:
        self._publisher.interrupt()
        self._reader.interrupt()

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
