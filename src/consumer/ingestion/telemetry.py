"""The run's metrics, written at every commit: a run lasts fifteen minutes, too long to wait for its end."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from common.observability import MetricUnit, add_counts, logger, metrics
from consumer.checkpoint.position import NO_DELAY

if TYPE_CHECKING:
    from datetime import timedelta

    from common.clock import Clock
    from consumer.checkpoint.position import Position
    from consumer.ingestion.processor import TargetProcessor
    from consumer.ingestion.reader import StreamReader
    from consumer.publish.publisher import Publisher


_lock = threading.Lock()
"""Of the metrics in the making, which belong to the process: the committer's thread and the main one both write."""


class Telemetry:
    """Turns counters that only grow into metrics of what was added since the last time."""

    def __init__(
        self,
        clock: Clock,
        reader: StreamReader,
        processor: TargetProcessor,
        publisher: Publisher,
        *,
        delay: timedelta = NO_DELAY,
    ) -> None:
        """Of a stream that is late by `delay`, which is no lag."""
        self._clock = clock
        self._delay = delay
        self._reader = reader
        self._processor = processor
        self._publisher = publisher
        self._reported: dict[str, float] = {}

    def committed(self, position: Position) -> None:
        """Write the metrics at a commit."""
        now = self._clock.now()
        with _lock:
            self._add_counts()
            age = (now - position.token_received_at).total_seconds()
            metrics.add_metric("CommittedTokenAge", MetricUnit.Seconds, age)
            if (lag := position.lag(now, self._delay)) is not None:
                metrics.add_metric("SourceLag", MetricUnit.Seconds, lag)
            metrics.flush_metrics()
        logger.debug(
            "committed",
            token_age_seconds=age,
            source_lag_seconds=lag,
            updates=self._processor.counters.updates,
            published=self._publisher.counters.published,
        )

    def finished(self, reading_share: float) -> None:
        """Write what is left when reading has ended; `reading_share` from 0 to 1."""
        with _lock:
            self._add_counts()
            metrics.add_metric("ReadingShare", MetricUnit.Percent, 100 * reading_share)
            metrics.flush_metrics()

    def _add_counts(self) -> None:
        connected, read, sent = self._reader.counters, self._processor.counters, self._publisher.counters
        counts: dict[str, float] = {
            "UpdatesReceived": read.updates,
            "UpdatesPublished": sent.published,
            "DuplicatesDropped": read.duplicates_dropped,
            "LinesRejected": read.rejected,
            "PutRetries": sent.retries,
            "Reconnects": connected.reconnects,
        }
        add_counts((name, value - self._reported.get(name, 0)) for name, value in counts.items())
        counts["BytesReceived"] = connected.bytes
        metrics.add_metric("BytesReceived", MetricUnit.Bytes, connected.bytes - self._reported.get("BytesReceived", 0))
        self._reported = counts


def count(name: str, value: float = 1, unit: MetricUnit = MetricUnit.Count) -> None:
    """Write one metric by itself, at once."""
    with _lock:
        metrics.add_metric(name, unit, value)
        metrics.flush_metrics()
