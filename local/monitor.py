"""Follows a run: what the mappings report, how the consumer's runs ended, and what went wrong."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from local.audit import envelope

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from local.event_source_mapping import BatchFailed, Discard, WindowClosed
    from local.event_source_mapping.record import KinesisRecord
    from local.runtime.function_log import FunctionLog
    from local.runtime.invocation import InvocationResult

_LOG_LINES = 5


def say_nothing(_text: str) -> None:
    """Swallow a line: what fails because everything is being killed is no news."""


class Watch:
    """Takes note from any thread, and tells a person what is worth it.

    Parameters
    ----------
    tell
        Prints a line.
    consumer_log
        The consumer's log, whose last lines say why a run failed.
    verbose
        Every detail is asked for; the functions' logs are shown anyway.
    """

    def __init__(self, tell: Callable[[str], None], consumer_log: FunctionLog, *, verbose: bool) -> None:
        self.tell = tell
        self._consumer_log = consumer_log
        self._verbose = verbose
        self._lock = threading.Lock()
        self._results: list[InvocationResult] = []
        self._troubles = 0
        self._mappings: list[MappingWatch] = []

    def mapping(self) -> MappingWatch:
        """Make a listener for one event source mapping."""
        self._mappings.append(MappingWatch(self))
        return self._mappings[-1]

    @property
    def in_kinesis(self) -> int:
        """How many updates the pollers have read: what is in Kinesis, a moment ago."""
        return max((mapping.updates for mapping in self._mappings), default=0)

    @property
    def results(self) -> list[InvocationResult]:
        """The consumer's invocations so far."""
        with self._lock:
            return list(self._results)

    @property
    def troubles(self) -> int:
        """How many things went wrong."""
        with self._lock:
            return self._troubles

    def run_finished(self, result: InvocationResult) -> None:
        """Take note of an invocation of the consumer."""
        with self._lock:
            self._results.append(result)
        if result.function_error is not None:
            kind, message = result.payload.get("errorType"), result.payload.get("errorMessage")
            self.trouble(f"a run of the consumer failed: {kind}: {message}{self.consumers_last_words()}")
        elif isinstance(result.payload, dict) and result.payload.get("graceful") is not True:
            self.trouble(f"a run of the consumer did not end at a token: {result.payload.get('stopped')}")

    def trouble(self, text: str) -> None:
        """Count something that went wrong, and tell it."""
        with self._lock:
            self._troubles += 1
        self.tell(text)

    def detail(self, text: str) -> None:
        """Tell what only who asks for every detail wants to know."""
        if self._verbose:
            self.tell(text)

    def consumers_last_words(self) -> str:
        """Return the last lines of the consumer's log, unless they are shown anyway."""
        lines = [] if self._verbose else self._consumer_log.newest(_LOG_LINES)
        return "".join(f"\n    {line}" for line in lines)


class MappingWatch:
    """Listens to one event source mapping; `updates` is how many its pollers have read so far."""

    def __init__(self, watch: Watch) -> None:
        self.updates = 0
        self._watch = watch
        self._lock = threading.Lock()

    def records_read(self, shard_id: str, records: Sequence[KinesisRecord]) -> None:
        """Count the updates, those in envelopes too."""
        updates = sum(envelope.count(record.data, shard_id) for record in records)
        with self._lock:
            self.updates += updates

    def window_closed(self, event: WindowClosed) -> None:
        """Say so, where every detail is asked for."""
        early = ", early" if event.early else ""
        self._watch.detail(f"window closed: {event.shard_id}, {event.records:,} records{early}")

    def batch_failed(self, event: BatchFailed) -> None:
        """Say which batch failed, and why."""
        self._watch.trouble(
            f"{event.shard_id}: a batch of {event.records:,} failed (attempt {event.attempt}): {event.reason}"
        )

    def discarded(self, event: Discard) -> None:
        """Say which records were given up."""
        self._watch.trouble(f"{event.shard_id}: {len(event.records):,} records given up: {event.condition}")

    def trouble(self, text: str) -> None:
        """Say what is no function's fault."""
        self._watch.trouble(text)
