"""Sends messages of the stream to Kinesis as the consumer does: with its publisher, so in order for each aircraft."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, cast

from common.clock import SystemClock
from consumer.checkpoint.watermark import Interval
from consumer.errors import PublishError
from consumer.publish import record_format
from consumer.publish.publisher import Publisher
from consumer.publish.put_records import PutRecords
from consumer.publish.shard_map import ListShards
from feeds.errors import FeedError
from feeds.kinesis import sentence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mypy_boto3_kinesis import KinesisClient

    from feeds.kinesis import Kinesis

FORMATS = ("single", "envelope")

_LOOK_SECONDS = 0.25


class KinesisSender:
    """Takes messages from one thread; another may look at the counters, and stop it."""

    def __init__(self, kinesis: Kinesis, stream: str, form: str) -> None:
        """Send to a stream in one of `FORMATS`."""
        self.failed = threading.Event()
        self.sent = 0
        self.rejected = 0
        self._kinesis = kinesis
        self._stream = stream
        client = cast("KinesisClient", kinesis)
        made = record_format.envelopes(ListShards(client, stream)) if form == "envelope" else record_format.single()
        self._parser = made.parser
        self._interval = Interval()
        self._publisher = Publisher(
            PutRecords(client, stream),
            made.outbox,
            SystemClock(),
            on_acknowledged=lambda: None,
            on_error=self.failed.set,
        )

    @property
    def acknowledged(self) -> int:
        """How many updates Kinesis has."""
        return self._publisher.counters.published

    @property
    def retries(self) -> int:
        """How many records were sent once more."""
        return self._publisher.counters.retries

    @property
    def throttled(self) -> int:
        """How many records Kinesis refused as too many."""
        return self._kinesis.throttled

    @property
    def trouble(self) -> str:
        """Why the last call was not taken in whole; empty if it was."""
        return self._kinesis.trouble

    def start(self) -> None:
        """Begin to send."""
        self._publisher.start()

    def send(self, messages: Sequence[bytes]) -> None:
        """Take messages (`{"target": ...}` without line ends) in; waits while too much is not acknowledged yet.

        Raises
        ------
        FeedError
            Kinesis refuses records for good.
        """
        block = b"\n".join([*messages, b""])
        try:
            self._publisher.raise_if_failed()
            for run in self._parser.runs([block]):
                if not isinstance(run, list):
                    self.rejected += 1
                    continue
                self._interval.taken += len(run)
                self.sent += len(run)
                self._publisher.put(run, sum(len(update.data) for update in run), self._interval)
        except PublishError as error:
            raise self._said(error) from error

    def interrupt(self) -> None:
        """Let `send` wait no longer: an end is near."""
        self._publisher.interrupt()

    def drain(self, timeout: float, hurry: threading.Event) -> bool:
        """Send what is left, in order; return whether Kinesis has all of it.

        Given up when nothing was acknowledged for `timeout` seconds, or `hurry` is set.

        Raises
        ------
        FeedError
            Kinesis refuses records for good.
        """
        waited, before = 0.0, self.acknowledged
        try:
            while not self._publisher.drain(_LOOK_SECONDS):
                waited = waited + _LOOK_SECONDS if self.acknowledged == before else 0.0
                before = self.acknowledged
                if hurry.is_set() or waited > timeout:
                    return False
        except PublishError as error:
            raise self._said(error) from error
        return True

    def close(self) -> None:
        """End the threads; what is not acknowledged stays so."""
        self._publisher.close()
        self._kinesis.close()

    def _said(self, error: PublishError) -> FeedError:
        return FeedError(sentence(error, self._stream, self._kinesis.region))
