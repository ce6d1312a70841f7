"""One invocation: folds the event's updates into the window's state, and writes what is due to the sinks."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from aggregator import instants
from aggregator.events import decoding
from aggregator.events.batch import Batch
from aggregator.events.decoding import Undecodable
from aggregator.sinks import delivery_log, firehose, row_schema
from aggregator.sinks.live_snapshots import Progress
from aggregator.state import codec
from aggregator.state.splitting import PACKED_BYTES, PartFolder
from aggregator.state.window_part import WindowPart
from common import kinesis_event
from common.few_warnings import FewWarnings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from aggregator.sinks.delivery_log import DeliveryRecord
    from common.few_warnings import Log
    from common.kinesis_event import TumblingWindow


SECOND = 1_000_000
"""Microseconds."""


class RowsSink(Protocol):
    """The sink of window rows; see `firehose.WindowRowsSink`."""

    def write(self, records: Sequence[bytes], accepted: set[int]) -> None:
        """Send what is not in `accepted`, adding to it."""


class StateSink(Protocol):
    """The sink of each aircraft's latest state; see `aircraft_table.AircraftTable`."""

    def write(self, part: WindowPart, now: float) -> int:
        """Write what is newer."""


class Deliveries(Protocol):
    """The store of a failed invocation's progress; see `delivery_log.DeliveryLog`."""

    def load(self, window_start: str, shard_id: str) -> DeliveryRecord:
        """Return the record of an earlier attempt."""

    def save(self, window_start: str, shard_id: str, record: DeliveryRecord, now: float) -> None:
        """Save the record for the next attempt."""


class LiveSink(Protocol):
    """The sink of the live objects; see `live_snapshots.LiveSnapshots`."""

    def write(self, window: TumblingWindow, progress: Progress) -> int:
        """Write the closed parts and the open one; return how many aircraft closed ones leave out."""


@dataclass(slots=True)
class Outcome:
    """What an invocation did: `state` goes back to Lambda, the counts become metrics."""

    state: dict[str, Any]
    counted: int = 0
    duplicates: int = 0
    undecodable: int = 0
    misplaced: int = 0
    fields_ignored: int = 0
    rows_written: int = 0
    splits: int = 0
    snapshots_failed: int = 0
    aircraft_left_out: int = 0
    closed: bool = False
    shown_age: float | None = None
    """Seconds from the provider's ingestion of the batch's first update until it was in a snapshot; None without."""


@dataclass(frozen=True, slots=True)
class Aggregator:
    """Folds batches and writes closed windows. `clock` gives seconds since the epoch."""

    rows_sink: RowsSink
    state_sink: StateSink
    live_sink: LiveSink
    deliveries: Deliveries
    log: Log
    clock: Callable[[], float]
    packed_bytes: int = PACKED_BYTES

    def process(self, event: Mapping[str, Any]) -> Outcome:
        """Take one event of the mapping and return its outcome.

        Raises
        ------
        ValueError
            The event has no tumbling window.
        StateError
            The state was not written by a version that this one reads.
        Exception
            A sink failed. The invocation must fail, too: its retry gets the same state and records, and writes the
            rest.
        """
        window = kinesis_event.tumbling_window(event)
        outcome = Outcome(state={})
        folder = PartFolder(codec.decode(window.state, instants.parse(window.start)), self.packed_bytes)
        ingested = self._fold(event, folder, outcome)
        closed = [part for part in folder.full_parts if not part.is_empty]
        outcome.splits = len(folder.full_parts)
        outcome.closed = window.is_final
        ends = window.is_final or window.is_terminated_early
        # Ended early, even an empty part is named, so that the next one's number is known not to be taken.
        if (ends and not folder.part.is_empty) or window.is_terminated_early:
            closed.append(folder.part)
        sequence = kinesis_event.last_sequence_number(event)
        first_number = None
        if closed:
            record = self.deliveries.load(window.start, window.shard_id)
            contents = [delivery_log.digest(part) for part in closed]
            first_number = record.first_number(closed[-1], contents[-1])
            if sequence is not None and not folder.full_parts:
                # The table can take many seconds: what came is shown before, as if the window went on.
                goes_on = replace(window, is_final=False, is_terminated_early=False)
                number = first_number + folder.part.number
                self._show(goes_on, Progress((), folder.part, number, sequence), ingested, outcome)
            outcome.rows_written = self._write(window, list(zip(closed, contents, strict=True)), record, first_number)
        if not ends:
            outcome.state = codec.encode(folder.part)
        self._show(window, _progress(window, folder, first_number, sequence), ingested, outcome)
        return outcome

    def _fold(self, event: Mapping[str, Any], folder: PartFolder, outcome: Outcome) -> float | None:
        """Fold the event's updates; return when the first of them was ingested, in seconds since the epoch."""
        counted = updates = 0
        ingested: float | None = None
        ignored: Counter[str] = Counter()
        skipped = FewWarnings(self.log)
        for read in decoding.read(event, ignored):
            if isinstance(read, Batch):
                if not updates and (first := read.ingestion_times[0]) is not None:
                    ingested = first * read.tick / SECOND
                updates += len(read.updates)
                counted += folder.add_all(read)
            elif isinstance(read, Undecodable):  # raising would hold up the shard; the raw archive has it
                folder.part.undecodable += read.updates
                outcome.undecodable += read.updates
                skipped.warning(
                    "record is not a target update; counted and skipped",
                    extra={
                        "sequence_number": read.sequence_number,
                        "updates": read.updates,
                        "reason": read.reason,
                    },
                )
            else:
                outcome.misplaced += 1
                skipped.warning(
                    "envelope names another shard, so its updates are not in the window; counted and skipped",
                    extra={"sequence_number": read.sequence_number},
                )
        skipped.close()
        outcome.counted, outcome.duplicates = counted, updates - counted
        outcome.fields_ignored = ignored.total()
        return ingested

    def _show(self, window: TumblingWindow, progress: Progress, ingested: float | None, outcome: Outcome) -> None:
        """Write the live objects. Should that fail, the window goes on: the next invocation writes them all."""
        try:
            outcome.aircraft_left_out += self.live_sink.write(window, progress)
        except Exception as error:  # noqa: BLE001 - no window may fail for a picture of it
            outcome.snapshots_failed += 1
            self.log.warning(
                "live snapshot could not be written; the next invocation writes it whole",
                extra={"window_start": window.start, "shard_id": window.shard_id, "reason": str(error)[:500]},
            )
        else:
            if ingested is not None and outcome.shown_age is None:
                outcome.shown_age = self.clock() - ingested

    def _write(
        self, window: TumblingWindow, parts: Sequence[tuple[WindowPart, str]], record: DeliveryRecord, first_number: int
    ) -> int:
        """Write the parts, each with its content's digest: the table first, then Firehose; return the rows written.

        The table's writes are idempotent, Firehose's are not: what comes last is repeated least. Whatever
        fails after a record was accepted leaves the progress behind, of all parts of this invocation.
        """
        try:
            written = sum(
                self._write_part(window, part, first_number + part.number, content, record) for part, content in parts
            )
            if window.is_terminated_early:
                last, content = parts[-1]
                record.ended_early = delivery_log.EndedEarly(content, first_number + last.number)
                self.deliveries.save(window.start, window.shard_id, record, self.clock())
        except Exception:
            self._leave_progress(window, record)
            raise
        return written

    def _write_part(
        self, window: TumblingWindow, part: WindowPart, number: int, content: str, record: DeliveryRecord
    ) -> int:
        name = row_schema.PartName(window.start, window.end, window.shard_id, number)
        lines = list(row_schema.rows(part, name))
        if record.holds_other_content(number, content):
            self.log.warning(
                "part was tried before with other records and is written again; the later of its rows in the sink hold",
                extra={"window_start": window.start, "shard_id": window.shard_id, "part": number},
            )
        progress = record.of_part(number, content)
        self.state_sink.write(part, self.clock())
        self.rows_sink.write(firehose.pack(lines), progress.accepted)
        return len(lines)

    def _leave_progress(self, window: TumblingWindow, record: DeliveryRecord) -> None:
        if not any(progress.accepted for progress in record.parts.values()):
            return
        try:
            self.deliveries.save(window.start, window.shard_id, record, self.clock())
        except Exception as error:  # noqa: BLE001 - the sink's own failure is the one to raise, and rows have unique keys
            self.log.warning(
                "progress of the delivery could not be kept; the retry may repeat rows, which have unique keys",
                extra={"window_start": window.start, "shard_id": window.shard_id, "reason": str(error)},
            )


def _progress(window: TumblingWindow, folder: PartFolder, first_number: int | None, sequence: str | None) -> Progress:
    """Return what the invocation leaves; `first_number` is None where it wrote no rows."""
    part = folder.part
    if first_number is None:
        return Progress((), part, None, sequence)
    closed = [(first_number + one.number, one) for one in folder.full_parts]
    number = first_number + part.number
    if window.is_final or window.is_terminated_early:
        closed.append((number, part))
    if window.is_terminated_early:
        part, number = WindowPart(part.origin), number + 1
    return Progress(closed, part, number, sequence)
