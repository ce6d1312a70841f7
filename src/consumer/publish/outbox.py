"""The outbox interface, which decides what is sent to Kinesis and when: see `SingleOutbox` and `EnvelopeOutbox`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from consumer.checkpoint.watermark import Interval
    from consumer.publish.put_records import Entry


class Settled(NamedTuple):
    """What an answer settled: updates Kinesis has, their bytes as they were read, and records to be sent again."""

    updates: int
    read_bytes: int
    retries: int


class Outbox(Protocol):
    """What waits to be sent, and in which order. `now` is in seconds of one monotonic clock."""

    def add(self, updates: Sequence[Any], interval: Interval, now: float) -> bool:
        """Take updates in; return whether something is due sooner now than `seconds_until_due` said."""

    def prepare(self, now: float) -> None:
        """Do what waits for Kinesis itself before anything can be sent; called without the lock."""

    def next_batch(self, now: float, *, hurry: bool, others_in_flight: bool) -> Sequence[Entry]:
        """Return what to send now; empty when nothing is due."""

    def settle(self, batch: Sequence[Any], answer: Sequence[str | None], now: float) -> Settled:
        """Act on the answer to a batch."""

    def seconds_until_due(self, now: float, *, others_in_flight: bool) -> float | None:
        """Return how long nothing will be due; None if only an answer can change that."""

    def updates_in(self, batch: Sequence[Any]) -> Iterator[bytes]:
        """Yield the updates of a batch, as read."""

    def waiting(self) -> Iterator[bytes]:
        """Yield the updates that were not given out, or came back, as read."""
