"""Publishes records to Kinesis: several calls in flight, each key in order, in bounded memory.

Three kinds of threads: the reader calls `put`; one dispatcher owns the sequencer and decides; senders wait for
Kinesis. What passes between them are two queues; the sequencer needs no lock.
"""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consumer.backoff import Backoff
from consumer.errors import PublishError
from consumer.sequencer import MAX_BATCH_RECORDS, Record, Sequencer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from common.clock import Clock
    from consumer.put_records import PutRecords

LINGER_SECONDS = 0.25
"""How long a record may wait for company. Well under the second within which it should be with Kinesis."""

CALLS_IN_FLIGHT = 4
"""A call takes some 20 ms: four of 500 records fill a stream of many shards."""

MAX_OUTSTANDING_BYTES = 32 * 1024 * 1024
"""Data and keys not acknowledged yet; beyond it `put` waits, and with it the reader, and with it the server."""


_LAST_ANSWERS_SECONDS = 1.0


@dataclass(slots=True)
class PublisherCounters:
    """What happened so far; written by the dispatcher alone."""

    published: int = 0
    retries: int = 0


class Publisher:
    """Takes records in the order they were read; tells each record's interval when Kinesis has it."""

    def __init__(  # noqa: PLR0913 - its collaborators, and two bounds that tests lower
        self,
        put_records: PutRecords,
        clock: Clock,
        *,
        on_acknowledged: Callable[[], None],
        on_error: Callable[[], None] = lambda: None,
        may_send: Callable[[], bool] = lambda: True,
        linger: float = LINGER_SECONDS,
        max_outstanding_bytes: int = MAX_OUTSTANDING_BYTES,
    ) -> None:
        """Call `on_acknowledged` after every answer, and `on_error` when a record was refused for good.

        Send nothing while `may_send` is false (the lease has run out).
        """
        self.counters = PublisherCounters()
        self._put_records = put_records
        self._clock = clock
        self._on_acknowledged = on_acknowledged
        self._on_error = on_error
        self._may_send = may_send
        self._max_outstanding_bytes = max_outstanding_bytes
        self._sequencer = Sequencer(linger=linger)
        self._inbox: deque[Record] = deque()
        self._answers: deque[tuple[Sequence[Record], list[bool] | BaseException]] = deque()
        self._bytes_in = 0  # written by the reader alone
        self._bytes_out = 0  # written by the dispatcher alone
        self._in_flight = 0
        self._under_way: list[Sequence[Record]] = []
        self._hurry = False
        self._closing = False
        self._interrupted = False
        self._abandoned = False
        self._error: BaseException | None = None
        self._work = threading.Event()
        self._progress = threading.Condition()
        self._senders = ThreadPoolExecutor(CALLS_IN_FLIGHT, thread_name_prefix="put-records")
        self._dispatcher = threading.Thread(target=self._dispatch, name="publisher", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._dispatcher.start()

    def interrupt(self) -> None:
        """From now on, never let `put` wait: the run is ending, and its reader must notice."""
        self._interrupted = True
        with self._progress:
            self._progress.notify_all()

    def abandon(self) -> None:
        """Send nothing more, and let nobody wait: what is sent from now on could not be committed."""
        self._abandoned = True
        self.interrupt()

    def put(self, record: Record) -> None:
        """Take a record in; waits while too much is outstanding.

        Raises
        ------
        PublishError
            An earlier record was refused for good.
        """
        if not self._has_room:
            with self._progress:
                self._progress.wait_for(lambda: self._has_room or self._error or self._interrupted)
        self.raise_if_failed()
        self._bytes_in += record.size
        self._inbox.append(record)
        if len(self._inbox) in (1, MAX_BATCH_RECORDS):
            self._work.set()

    def raise_if_failed(self) -> None:
        """Raise PublishError if a record was refused for good."""
        if self._error is not None:
            raise PublishError(str(self._error)) from self._error

    def drain(self, timeout: float) -> bool:
        """Send what is left without lingering; return whether all was acknowledged within `timeout` seconds.

        Raises
        ------
        PublishError
            A record was refused for good.
        """
        self._hurry = True
        self._work.set()
        with self._progress:
            self._progress.wait_for(
                lambda: self._error or self._abandoned or self._bytes_in == self._bytes_out, timeout
            )
            if self._abandoned:  # the answers on their way tell the next run what it need not send again
                self._progress.wait_for(lambda: self._error or not self._in_flight, min(timeout, _LAST_ANSWERS_SECONDS))
        self.raise_if_failed()
        self._hurry = False
        return self._bytes_in == self._bytes_out

    def close(self) -> None:
        """End the threads; what is not acknowledged stays so. A call still under way is left to its time-out."""
        self._closing = True
        self._work.set()
        self._dispatcher.join()
        self._senders.shutdown(wait=not self._in_flight, cancel_futures=True)

    @property
    def unanswered(self) -> int:
        """How many records were sent and not answered: Kinesis may have them; after `close`."""
        return sum(map(len, self._under_way))

    def unacknowledged(self) -> Iterator[Record]:
        """Yield what Kinesis has not acknowledged, as far as is known; after `close`."""
        yield from self._inbox
        yield from self._sequencer.waiting()
        for batch in self._under_way:
            yield from batch

    @property
    def _has_room(self) -> bool:
        return self._bytes_in - self._bytes_out <= self._max_outstanding_bytes

    @property
    def _can_send(self) -> bool:
        return not self._abandoned and self._may_send()

    def _dispatch(self) -> None:
        backoff = Backoff(base=0.05, cap=5.0)
        try:
            while True:
                self._work.clear()
                if self._closing:  # looked at after clearing, or the wake-up of a `close` in between is lost
                    return
                now = self._clock.monotonic()
                self._take_answers(now, backoff)
                while self._inbox:
                    self._sequencer.add(self._inbox.popleft(), now)
                self._send_due(now)
                self._work.wait(self._pause(now))
        except BaseException as error:  # noqa: BLE001 - whatever it is, the reader must hear of it
            self._fail(error)

    def _take_answers(self, now: float, backoff: Backoff) -> None:
        took_any = bool(self._answers)
        while self._answers:
            batch, answer = self._answers.popleft()
            self._in_flight -= 1
            if isinstance(answer, BaseException):
                raise answer
            self._under_way.remove(batch)
            for record, is_acknowledged in zip(batch, answer, strict=True):
                if is_acknowledged:
                    self.counters.published += 1
                    self._bytes_out += record.size
                    record.interval.acknowledged += 1
                    self._sequencer.acknowledged(record, now)
                else:
                    self.counters.retries += 1
                    record.attempts += 1
                    self._sequencer.failed(record, now + backoff.delay(record.attempts))
        if took_any:
            with self._progress:
                self._progress.notify_all()
            self._on_acknowledged()

    def _send_due(self, now: float) -> None:
        while self._in_flight < CALLS_IN_FLIGHT and self._can_send:
            batch = self._sequencer.next_batch(now, hurry=self._hurry, others_in_flight=self._in_flight > 0)
            if not batch:
                return
            self._in_flight += 1
            self._under_way.append(batch)
            self._senders.submit(self._send, batch)

    def _send(self, batch: Sequence[Record]) -> None:
        answer: list[bool] | BaseException
        try:
            answer = self._put_records.send(batch)
        except BaseException as error:  # noqa: BLE001 - handed to the dispatcher, which hands it to the reader
            answer = error
        self._answers.append((batch, answer))
        self._work.set()

    def _pause(self, now: float) -> float | None:
        """Return how long the dispatcher may sleep if nothing wakes it, in seconds."""
        if self._in_flight >= CALLS_IN_FLIGHT:
            return None
        if not self._can_send:
            return LINGER_SECONDS
        return self._sequencer.seconds_until_due(now, others_in_flight=self._in_flight > 0)

    def _fail(self, error: BaseException) -> None:
        self._error = error
        with self._progress:
            self._progress.notify_all()
        self._on_error()
