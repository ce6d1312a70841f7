"""One lane of a shard: batches strictly one after the other, with windows, retries and splits; time is an argument.

A shard has as many lanes as its mapping's ParallelizationFactor, and a partition key keeps to its lane. Whatever is
to be sent again goes to the front, so no record overtakes another of its lane.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from local.event_source_mapping.batch import Batch, Buffer, cut_batch, cut_in_window
from local.event_source_mapping.failure import Condition, Discard, Verdict, interpret
from local.event_source_mapping.observation import BatchFailed, Counters, WindowClosed
from local.event_source_mapping.window import Window

if TYPE_CHECKING:
    from local.event_source_mapping.event import EventWriter
    from local.event_source_mapping.pace import Pace
    from local.event_source_mapping.record import PendingRecord
    from local.event_source_mapping.settings import MappingSettings
    from local.runtime.invocation import InvocationResult

type Effect = WindowClosed | BatchFailed | Discard


class Lane:
    """The state machine of one lane. `effects` collects what happened, for the caller to pass on and clear."""

    def __init__(self, settings: MappingSettings, writer: EventWriter, shard_id: str, pace: Pace) -> None:
        self._settings = settings
        self._writer = writer
        self._shard_id = shard_id
        self._pace = pace
        self._buffer = Buffer(settings.batch_size)
        self._again: deque[Batch] = deque()
        self._in_flight: Batch | None = None
        self._not_before = 0.0
        self._failures_in_a_row = 0
        # No window opens before this moment: time does not run backwards within a shard.
        self._floor = 0.0
        self.window: Window | None = None
        self.counters = Counters()
        self.effects: list[Effect] = []

    @property
    def idle(self) -> bool:
        """Whether nothing waits, nothing is being sent and no window is open."""
        return not (self.buffered or self._again or self._in_flight or self.window)

    @property
    def buffered(self) -> int:
        """Records that wait for their first invocation."""
        return len(self._buffer)

    @property
    def buffered_bytes(self) -> int:
        """What they take up in events."""
        return self._buffer.bytes

    def add(self, record: PendingRecord) -> None:
        """Take in a record that passed the filter."""
        self._buffer.add(record)

    def take(self, now: float, *, read_until: float, ended: bool) -> Batch | None:
        """Give the batch that is due now, if one is; it is in flight until `complete` or `postpone`.

        `read_until`: all that arrived in the shard before then has been added. `ended`: nothing will ever follow.
        """
        if self._in_flight is not None or now < self._not_before:
            return None
        while True:
            batch = self._next_again() if self._again else self._cut(now, read_until=read_until, ended=ended)
            if batch is None or self._still_wanted(batch, now):
                break
        self._in_flight = batch
        if batch is not None and batch.first_tried is None:
            batch.first_tried = now
        return batch

    def event(self, batch: Batch) -> bytes:
        """Write the event for a batch."""
        return self._writer.event(batch.records, self.window, final=batch.final, early=batch.early)

    def wake_at(self, now: float) -> float | None:
        """Tell when something falls due even if nothing new is read; None when nothing will."""
        if self._in_flight is not None:
            return None
        head = self._buffer.head
        if not self._again and head is None:
            return None
        due = self._not_before
        if not self._again and head is not None:
            due = max(due, head.received + self._batching_window)
        return due if due > now else None

    def postpone(self, batch: Batch, now: float) -> None:
        """Try the same batch later: it was throttled or never reached the function, which counts as no retry."""
        self._in_flight = None
        self._again.appendleft(batch)
        self._not_before = now + self._pace.throttled

    def complete(self, batch: Batch, result: InvocationResult, now: float) -> None:
        """Take the function's answer."""
        self._in_flight = None
        self.counters.invocations += 1
        batch.invocations += 1
        batch.request_id = result.request_id
        batch.function_error = result.function_error
        verdict = interpret(
            result,
            batch.records,
            report_failures=self._settings.report_batch_item_failures,
            windowed=self._settings.tumbling_window > 0,
        )
        if verdict.done is None:
            self._failures_in_a_row = 0
            self._succeeded(batch, verdict)
        else:
            self.counters.function_errors += 1
            self.effects.append(
                BatchFailed(self._shard_id, len(batch.records), verdict.done, batch.invocations, verdict.reason)
            )
            self._failed(batch, verdict, now)

    # -- what to send

    @property
    def _batching_window(self) -> float:
        is_held = self._pace.first_batch_waits or self.counters.invocations > 0
        return self._settings.batching_window if is_held else 0.0

    def _next_again(self) -> Batch:
        batch = self._again.popleft()
        if self.window is not None and (rest := batch.cut_to_fit(len(self.window.state))) is not None:
            self._again.appendleft(rest)
        return batch

    def _cut(self, now: float, *, read_until: float, ended: bool) -> Batch | None:
        settings, head = self._settings, self._buffer.head
        waited = head is not None and now - head.received >= self._batching_window
        if not settings.tumbling_window:
            return cut_batch(self._buffer, waited=waited or ended)
        if self.window is None and head is not None:
            self.window = Window.at(max(head.arrival, self._floor), settings.tumbling_window)
        if self.window is None:
            return None
        over = ended or read_until >= self.window.end
        return cut_in_window(self._buffer, self.window, waited=waited, over=over)

    def _still_wanted(self, batch: Batch, now: float) -> bool:
        """Drop what is too old, and a final invocation that has nothing to finish."""
        age = self._settings.maximum_record_age
        if age >= 0 and batch.records:
            expired = tuple(record for record in batch.records if now - record.arrival > age)
            if expired:
                self._discard(batch, expired, "RecordAgeExceeded")
                batch.records = tuple(record for record in batch.records if now - record.arrival <= age)
                if not batch.records:
                    # What may be left is a final invocation for the state alone, with its own attempts.
                    batch.retries, batch.invocations, batch.first_tried = 0, 0, None
        elif age >= 0 and batch.first_tried is not None and now - batch.first_tried > age:
            self._discard_window(batch, "RecordAgeExceeded")
            return False
        if batch.records:
            return True
        if batch.final and self.window is not None and self.window.records:
            return True
        if batch.final:
            self._close(batch)
        return False

    # -- what an answer leads to

    def _succeeded(self, batch: Batch, verdict: Verdict) -> None:
        self.counters.consumed += len(batch.records)
        if self.window is None:
            return
        self.window.take_in(batch.records, verdict.state)
        if not batch.final:
            self._end_early_if_too_large()
            return
        if batch.early:
            self.counters.windows_terminated_early += 1
        else:
            self.counters.windows_closed += 1
        self.effects.append(
            WindowClosed(self._shard_id, self.window.start, self.window.end, self.window.records, batch.early)
        )
        self._close(batch)

    def _failed(self, batch: Batch, verdict: Verdict, now: float) -> None:
        done, batch.records = batch.records[: verdict.done], batch.records[verdict.done :]
        self.counters.consumed += len(done)
        splits = self._settings.bisect and (done or len(batch.records) > 1)
        if splits:
            # A split uses up no retry and waits for nothing: the halves are separate batches.
            self._failures_in_a_row = 0
            self.counters.bisects += 1
            middle = 0 if done else (len(batch.records) + 1) // 2
            self._again.appendleft(Batch(batch.records[middle:], final=batch.final, early=batch.early))
            if middle:
                self._again.appendleft(Batch(batch.records[:middle]))
        elif 0 <= self._settings.maximum_retries <= batch.retries:
            self._failures_in_a_row = 0
            self._give_up(batch)
        else:
            batch.retries += 1
            self._failures_in_a_row += 1
            self._not_before = now + self._pace.retry_wait(self._failures_in_a_row)
            self._again.appendleft(batch)
        if done and self.window is not None:
            self.window.take_in(done, verdict.state)
            self._end_early_if_too_large()

    def _give_up(self, batch: Batch) -> None:
        if batch.records:
            # Of a final batch the records are lost to the window, the state is not: the next cut finishes it.
            self._discard(batch, batch.records, "RetryAttemptsExhausted")
        else:
            self._discard_window(batch, "RetryAttemptsExhausted")

    def _end_early_if_too_large(self) -> None:
        if self.window is not None and self.window.overflows:
            self._again.appendleft(Batch((), final=True, early=True))

    def _close(self, batch: Batch) -> None:
        if self.window is not None:
            self._floor = max(self._floor, self.window.start if batch.early else self.window.end)
        if batch.early and self.window is not None and self._again:
            # Batches of the same window wait to be sent again: it goes on with fresh state.
            self.window = Window(self.window.start, self.window.end)
            return
        self.window = None

    def _discard(self, batch: Batch, records: tuple[PendingRecord, ...], condition: Condition) -> None:
        self.counters.discarded += len(records)
        event = self._writer.event(records, self.window, final=batch.final, early=batch.early)
        self._report(batch, records, condition, (records[0], records[-1]), event)

    def _discard_window(self, batch: Batch, condition: Condition) -> None:
        """Give up a window's state: its records are processed, so only the state goes to the destination."""
        window = self.window
        if window is not None and window.first is not None and window.last is not None:
            self._report(batch, (), condition, (window.first, window.last), self.event(batch))
        self._close(batch)

    def _report(
        self,
        batch: Batch,
        records: tuple[PendingRecord, ...],
        condition: Condition,
        bounds: tuple[PendingRecord, PendingRecord],
        event: bytes,
    ) -> None:
        self.effects.append(
            Discard(
                shard_id=self._shard_id,
                condition=condition,
                records=records,
                first=bounds[0],
                last=bounds[1],
                event=event,
                invocations=batch.invocations,
                request_id=batch.request_id,
                function_error=batch.function_error,
            )
        )
