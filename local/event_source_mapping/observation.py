"""Observing a mapping: its counters and events."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local.event_source_mapping.failure import Discard
    from local.event_source_mapping.record import KinesisRecord


@dataclass(slots=True)
class Counters:
    """Totals since the start. Every record read ends in exactly one of `consumed`, `filtered` and `discarded`.

    `unkept` are the discarded records that no on-failure destination took, or that had none; a window's lost state
    counts as one there.
    """

    invocations: int = 0
    read: int = 0
    consumed: int = 0
    filtered: int = 0
    discarded: int = 0
    function_errors: int = 0
    throttles: int = 0
    service_errors: int = 0
    windows_closed: int = 0
    windows_terminated_early: int = 0
    bisects: int = 0
    destination_failures: int = 0
    unkept: int = 0
    read_errors: int = 0

    @property
    def progress(self) -> tuple[int, ...]:
        """What changes only while the mapping gets on: a batch that fails again and again moves none of it."""
        done = (self.consumed, self.filtered, self.discarded)
        return (self.read, *done, self.windows_closed, self.windows_terminated_early)

    def __add__(self, other: Counters) -> Counters:
        """Add up, field by field."""
        return Counters(**{one.name: getattr(self, one.name) + getattr(other, one.name) for one in fields(self)})


@dataclass(frozen=True, slots=True)
class WindowClosed:
    """A window's final invocation succeeded; `early` when its state had outgrown the limit."""

    shard_id: str
    start: int
    end: int
    records: int
    early: bool


@dataclass(frozen=True, slots=True)
class BatchFailed:
    """An invocation failed, wholly or from record `done` on; `attempt` counts the batch's invocations from 1."""

    shard_id: str
    records: int
    done: int
    attempt: int
    reason: str


class Listener(Protocol):
    """Gets a mapping's events, from the shards' own threads: be quick, and be safe for several threads."""

    def records_read(self, shard_id: str, records: Sequence[KinesisRecord]) -> None:
        """Take note of what a read gave, before any filter."""

    def window_closed(self, event: WindowClosed) -> None:
        """Take note that a window is complete."""

    def batch_failed(self, event: BatchFailed) -> None:
        """Take note that a batch failed and what happens next is a split, a retry or a discard."""

    def discarded(self, event: Discard) -> None:
        """Take note that records were given up."""

    def trouble(self, text: str) -> None:
        """Take note of what is no function's fault: a failing read, invocation or destination."""


class SilentListener:
    """Listens and says nothing."""

    def records_read(self, shard_id: str, records: Sequence[KinesisRecord]) -> None:
        """Do nothing."""

    def window_closed(self, event: WindowClosed) -> None:
        """Do nothing."""

    def batch_failed(self, event: BatchFailed) -> None:
        """Do nothing."""

    def discarded(self, event: Discard) -> None:
        """Do nothing."""

    def trouble(self, text: str) -> None:
        """Do nothing."""
