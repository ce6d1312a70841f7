"""Processes target updates: drops duplicates, rejects invalid ones, and passes the rest to the publisher."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from common.icao_address import normalized
from common.normal_form import MAX_ADDRESS
from consumer.checkpoint.position import NO_DELAY, Position
from consumer.checkpoint.rejected_lines import RejectedLine
from consumer.ingestion import frontier, own_processor
from consumer.ingestion.deduplicator import KEPT_INTERVALS, identify
from consumer.ingestion.frontier import Frontier
from consumer.ingestion.stream_time import StreamTime
from consumer.publish.limits import MAX_RECORD_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from common.clock import Clock
    from common.update_log import UpdateLog
    from consumer.checkpoint.position import TimeRange
    from consumer.checkpoint.rejected_lines import RejectedStore
    from consumer.checkpoint.watermark import Watermark
    from consumer.ingestion.deduplicator import DuplicateFilter, Identified
    from consumer.ingestion.own_processor import OwnProcessor
    from consumer.publish.publisher import Publisher
    from consumer.stream.messages import StreamUpdate

MAX_REJECTED_BYTES = 4 * 1024 * 1024
"""Rejected lines that are held in memory, of all intervals; more are written before their token is committed."""

_SURELY_FITS = MAX_RECORD_BYTES - 1 - 4 * MAX_ADDRESS
"""Bytes of an update that fits into a record with a line end and whatever key it has."""


@dataclass(slots=True)
class ProcessorCounters:
    """What was read so far; written by the reader alone."""

    updates: int = 0
    duplicates_dropped: int = 0
    rejected: int = 0


class TargetProcessor:
    """Hands valid updates on to the publisher, and knows how far the stream has come."""

    def __init__(  # noqa: PLR0913 - its collaborators, each of its own type
        self,
        publisher: Publisher,
        watermark: Watermark,
        duplicates: DuplicateFilter,
        rejected: RejectedStore,
        clock: Clock,
        *,
        delay: timedelta = NO_DELAY,
        update_log: UpdateLog | None = None,
        own: OwnProcessor | None = None,
    ) -> None:
        """Of a stream that is late by `delay`; some updates are shown by `update_log`, new ones pass `own`, if any."""
        self.counters = ProcessorCounters()
        self.newest_ingestion_time: datetime | None = None
        """How far the stream had come at the last token, by what is known since an earlier run."""
        self.stream_time_reached: datetime | None = None
        """The same, by the updates of the last interval alone; None if they do not say."""
        self.reached: Position | None = None
        """The newest position that closed an interval, committed or not."""
        self._publisher = publisher
        self._watermark = watermark
        self._duplicates = duplicates
        self._rejected = rejected
        self._clock = clock
        self._delay = delay
        self._update_log = update_log
        self._own = own
        self._rejected_bytes = 0
        self._has_rejected = False  # since the last position
        self._read_since_position = False
        self._read_since_token = False  # which may not have moved the position
        self._is_in_frontier = False  # the last update
        self._known: frozenset[str] = frozenset()
        self._known_for = 0  # so many intervals more
        self._stream_time = StreamTime()
        self._frontier = Frontier()

    def recognise(self, duplicates: DuplicateFilter) -> None:
        """Drop what the run before handed on, too."""
        self._duplicates = duplicates

    @property
    def has_uncommitted(self) -> bool:
        """Whether something was read since the last position: stopping now would have it read again."""
        return self._read_since_position or self._has_rejected

    def token_arrived(self) -> bool:
        """Return whether a new token may move the position: not where repeats of earlier updates came right before it.

        After a reconnect the server may begin earlier than asked, and send old tokens again. Where it stands is known
        by the first update that is new, by the last that was expected to come again, or once nothing comes between two
        tokens.
        """
        is_behind = self._read_since_token and (self._duplicates.is_repeating or self._is_in_frontier)
        self._read_since_token = False
        return not is_behind

    def token_repeated(self) -> None:
        """Note that the newest token came again: repeats that came before it lie before it."""
        if not self._watermark.current.taken:
            self._read_since_position = False

    def connected(self) -> None:
        """Expect again what came since the newest token."""
        self._duplicates.connected()

    @property
    def is_full(self) -> bool:
        """Whether too much is remembered to take in more: `makes_room` says whether waiting helps."""
        return self._duplicates.is_full

    def makes_room(self) -> bool:
        """Forget what was committed meanwhile; return whether more will be."""
        self._duplicates.forget(self._watermark.committed)
        return self._watermark.uncommitted > 0

    def forget_older_half(self) -> None:
        """Make room where `makes_room` cannot: what is forgotten would be published again if it came again."""
        self._duplicates.forget_older_half()

    def raise_if_failed(self) -> None:
        """Raise PublishError if Kinesis refused records for good, even if no update has come since."""
        self._publisher.raise_if_failed()

    def resume(self, position: Position) -> None:
        """Go on from an earlier run's position."""
        self.go_back(position)
        self._frontier.resume(position.frontier)
        self._known, self._known_for = frozenset(position.frontier), KEPT_INTERVALS

    def go_back(self, position: Position) -> None:
        """Take the stream to have come to `position` and no further, whatever was read since."""
        self.newest_ingestion_time = position.newest_ingestion_time
        self._stream_time.clear()

    def process(self, updates: Sequence[StreamUpdate]) -> None:
        """Hand the updates to the publisher, but for duplicates; may wait for it (back pressure).

        Raises
        ------
        PublishError
            Kinesis refuses records for good.
        CheckpointError
            See `reject`: one was too large for a record.
        UpdateProcessorError
            See `own_processor.choose`. The updates are remembered and not published: no later run may know of them.
        """
        self.counters.updates += len(updates)
        sizes = [len(update.data) for update in updates]
        if max(sizes, default=0) > _SURELY_FITS:
            # Before they are remembered: should this fail, they have to come again, and be no duplicates then.
            updates = [update for update in updates if self._fits(update)]
        identified = identify(updates)
        new = self._duplicates.new_ones(updates, identified)
        self._is_in_frontier = False
        if self._known and new:
            new = self._unknown(new, identified if len(new) == len(updates) else identify(new))
        if updates:
            self._read_since_position = self._read_since_token = True
        self._frontier.note(identified.identities, may_repeat=len(new) != len(updates))
        self._stream_time.note([time for update in updates if (time := update.ingestion_time) is not None])
        self.counters.duplicates_dropped += len(updates) - len(new)
        published = new if self._own is None or not new else own_processor.choose(self._own, new)
        if self._update_log is not None:
            self._show(self._update_log, updates, new, published)
        new = published
        if not new:
            return
        interval = self._watermark.current
        interval.taken += len(new)
        if len(new) != len(sizes):
            sizes = [len(update.data) for update in new]
        self._publisher.put(new, sum(sizes), interval)

    def _unknown(self, updates: Sequence[StreamUpdate], identified: Identified) -> Sequence[StreamUpdate]:
        """Return the updates that the checkpoint did not name: a server may begin earlier than asked."""
        named = [key in self._known for key in frontier.keys_of(identified.identities)]
        self._is_in_frontier = named[-1]
        return [update for update, is_named in zip(updates, named, strict=True) if not is_named]

    @staticmethod
    def _show(log: UpdateLog, updates: Sequence[StreamUpdate], *chosen: Sequence[StreamUpdate]) -> None:
        new, published = ({update.data for update in some} for some in chosen)
        for data in log.pick(update.data for update in updates):
            left_out = "left out by the update processor" if data in new else "dropped as a duplicate"
            log.show(data, "published" if data in published else left_out)

    def _fits(self, update: StreamUpdate) -> bool:
        if len(update.data) + 1 + len(normalized(update.icao_address).encode()) <= MAX_RECORD_BYTES:
            return True
        self.reject(update.data, len(update.data), "larger than a Kinesis record may be (1 MiB)")
        return False

    def reject(self, line: bytes, length: int, reason: str) -> None:
        """Keep a line that is not a target update, to be written with the next checkpoint.

        Raises
        ------
        CheckpointError
            Many were waiting, and could not be written.
        """
        self.counters.rejected += 1
        rejected = RejectedLine(line, length, reason, self._clock.now())
        self._watermark.current.rejected.append(rejected)
        self._has_rejected = True
        self._rejected_bytes += rejected.held_bytes
        if self._rejected_bytes > MAX_REJECTED_BYTES:
            self._write_rejected()

    def _write_rejected(self) -> None:
        """Write all rejected lines that wait, if they really are too many: some were committed since they came."""
        with self._watermark.rejected_lock:
            intervals = self._watermark.rejected_before()
            lines = [line for interval in intervals for line in interval.rejected]
            self._rejected_bytes = sum(line.held_bytes for line in lines)
            if self._rejected_bytes > MAX_REJECTED_BYTES:
                self._rejected.write(lines)
                for interval in intervals:
                    interval.rejected.clear()
                self._rejected_bytes = 0

    def reach(self, token: str, received_at: datetime, gap: TimeRange | None = None) -> Position:
        """Close the interval: everything up to `token` was read, but for the `gap` before it."""
        self.stream_time_reached = self._stream_time.close(received_at - self._delay)
        self.newest_ingestion_time = self.stream_time_reached or self.newest_ingestion_time
        position = Position(
            position_token=token,
            token_received_at=received_at,
            newest_ingestion_time=self.newest_ingestion_time,
            read=self._frontier.read,
            gap=gap,
        )
        if self._watermark.close(position):
            self._has_rejected = self._read_since_position = False
            self._duplicates.next_interval(self._watermark.closed, self._watermark.committed)
            self.reached = position
            self._known_for -= 1
            if not self._known_for:
                self._known = frozenset()
        return position

    def complete(self, position: Position) -> Position:
        """Add the frontier to a position that was reached; called once it is to be committed, on any thread."""
        if position.read is None:
            return position
        return replace(position, frontier=self._frontier.at(position.read))
