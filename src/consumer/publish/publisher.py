"""Publishes updates to Kinesis: several calls in flight, each aircraft in order, in bounded memory.

Three kinds of threads: the reader calls `put`, one dispatcher asks the outbox what to send when, and `calls` threads
wait for Kinesis. The reader puts updates into the outbox itself and packs them there, while they are still in its
processor's cache: handing them to another thread first would cost half as much again. One lock guards the outbox.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consumer.errors import PublishError
from consumer.publish.calls import Calls

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from common.clock import Clock
    from consumer.checkpoint.watermark import Interval
    from consumer.publish.outbox import Outbox
    from consumer.publish.put_records import Entry, PutRecords
    from consumer.stream.messages import StreamUpdate

MAX_OUTSTANDING_BYTES = 48 * 1024 * 1024
"""Of memory for updates not acknowledged yet; beyond it `put` waits, and with it the reader, and with it the server."""

UPDATE_OVERHEAD = 640
"""Bytes charged for each update beside its own: the objects around it, and the queue behind an aircraft that is busy,
which takes more than a small update does."""

_SHORT_PAUSE_SECONDS = 1.0
"""A live stream brings updates one by one. While the dispatcher sleeps until something is due so soon, they do not wake
it: woken for each, it would spend more on waking than on them."""

_LAST_ANSWERS_SECONDS = 1.0
"""How long an abandoned run, and the next run in its process, wait for answers that are on their way."""
_CLOSING_SECONDS = 0.2
_LEASE_LOOK_SECONDS = 0.25


@dataclass(slots=True)
class PublisherCounters:
    """What happened so far; written by the dispatcher alone."""

    published: int = 0
    retries: int = 0


class Publisher:
    """Takes updates in the order they were read; tells their intervals when Kinesis has them."""

    def __init__(  # noqa: PLR0913 - its collaborators, and a bound that tests lower
        self,
        put_records: PutRecords,
        outbox: Outbox,
        clock: Clock,
        *,
        on_acknowledged: Callable[[], None],
        on_error: Callable[[], None] = lambda: None,
        may_send: Callable[[], bool] = lambda: True,
        max_outstanding_bytes: int = MAX_OUTSTANDING_BYTES,
    ) -> None:
        """Call `on_acknowledged` after every answer, and `on_error` when a record was refused for good.

        Send nothing while `may_send` is false (the lease has run out).
        """
        self.counters = PublisherCounters()
        self._outbox = outbox
        self._clock = clock
        self._on_acknowledged = on_acknowledged
        self._on_error = on_error
        self._may_send = may_send
        self._max_outstanding_bytes = max_outstanding_bytes
        self._lock = threading.Lock()
        self._updates_in = 0  # both written by the reader alone
        self._bytes_in = 0
        self._bytes_out = 0  # written by the dispatcher alone
        self._lost: list[Sequence[Entry]] = []  # their calls failed after the end
        self._listens = True
        self._hurry = False
        self._closing = False
        self._interrupted = False
        self._abandoned = False
        self._error: BaseException | None = None
        self._work = threading.Event()
        self._progress = threading.Condition()
        self._calls = Calls(put_records, on_answer=self._work.set)
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

    def put(self, updates: Sequence[StreamUpdate], read_bytes: int, interval: Interval) -> None:
        """Take updates of one interval in, so many bytes in all; waits while too much is outstanding.

        Raises
        ------
        PublishError
            An earlier record was refused for good.
        """
        if not self._has_room:
            with self._progress:
                self._progress.wait_for(lambda: self._has_room or self._error or self._interrupted)
        self.raise_if_failed()
        self._bytes_in += read_bytes + len(updates) * UPDATE_OVERHEAD
        self._updates_in += len(updates)
        with self._lock:
            is_sooner_due = self._outbox.add(updates, interval, self._clock.monotonic())
            wakes = self._listens or (is_sooner_due and self._calls.may_send_more)
        if wakes:
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
                timeout = min(timeout, _LAST_ANSWERS_SECONDS)
                self._progress.wait_for(lambda: self._error or not self._calls.in_flight, timeout)
        self.raise_if_failed()
        self._hurry = False
        return self._bytes_in == self._bytes_out

    def close(self) -> None:
        """End the threads; what is not acknowledged stays so. A call still under way is left to its time-out."""
        self._closing = True
        self._work.set()
        self._dispatcher.join(_CLOSING_SECONDS)  # longer only where it lists shards, and then it sends nothing more
        self._calls.close()

    @property
    def outstanding(self) -> int:
        """How many updates were taken in, and Kinesis has not acknowledged."""
        published = self.counters.published  # first: what comes in meanwhile is outstanding
        return self._updates_in - published

    @property
    def unanswered(self) -> int:
        """How many updates were sent and not answered: Kinesis may have them; after `close`."""
        with self._lock:
            return sum(1 for batch in self._calls.unsettled for _ in self._outbox.updates_in(batch))

    def unacknowledged(self) -> Iterator[bytes]:
        """Yield the updates, as read, that Kinesis has not acknowledged, as far as is known; after `close`.

        Answers that came after the end of the run count as well, and those still on their way are waited for, a second
        at most: in Lambda the process stands still between two runs, and wakes up with them in its sockets.
        """
        self._calls.wait_for_answers(_LAST_ANSWERS_SECONDS)
        with self._lock:
            for batch, answer in self._calls.answers():
                self._calls.settled(batch)
                if isinstance(answer, list):
                    self._outbox.settle(batch, answer, self._clock.monotonic())
                else:
                    self._lost.append(batch)
            for batch in self._lost:
                yield from self._outbox.updates_in(batch)
            yield from self._outbox.waiting()
            for batch in self._calls.unsettled:
                yield from self._outbox.updates_in(batch)

    @property
    def _has_room(self) -> bool:
        return self._bytes_in - self._bytes_out <= self._max_outstanding_bytes

    @property
    def _can_send(self) -> bool:
        return not self._abandoned and self._may_send()

    def _dispatch(self) -> None:
        try:
            while True:
                self._work.clear()
                if self._closing:  # looked at after clearing, or the wake-up of a `close` in between is lost
                    return
                now = self._clock.monotonic()
                self._take_answers(now)
                self._outbox.prepare(now)
                if self._closing:  # nobody waited for that answer
                    return
                with self._lock:
                    self._send_due(now)
                    pause = self._pause(now)
                    self._listens = self._calls.may_send_more and (pause is None or pause > _SHORT_PAUSE_SECONDS)
                self._work.wait(pause)
        except BaseException as error:  # noqa: BLE001 - whatever it is, the reader must hear of it
            self._fail(error)

    def _take_answers(self, now: float) -> None:
        took_any = False
        for batch, answer in self._calls.answers():
            took_any = True
            if isinstance(answer, BaseException):
                raise answer
            with self._lock:  # both at once: who looks in between would find the updates nowhere
                settled = self._outbox.settle(batch, answer, now)
                self._calls.settled(batch)
            self.counters.published += settled.updates
            self.counters.retries += settled.retries
            self._bytes_out += settled.read_bytes + settled.updates * UPDATE_OVERHEAD
        if took_any:
            with self._progress:
                self._progress.notify_all()
            self._on_acknowledged()

    def _send_due(self, now: float) -> None:
        while self._calls.may_send_more and self._can_send:
            batch = self._outbox.next_batch(now, hurry=self._hurry, others_in_flight=self._calls.in_flight > 0)
            if not batch:
                return
            self._calls.send(batch)

    def _pause(self, now: float) -> float | None:
        """Return how long the dispatcher may sleep if nothing wakes it, in seconds."""
        if not self._calls.may_send_more:
            return None  # an answer will
        if not self._can_send:
            return _LEASE_LOOK_SECONDS
        return self._outbox.seconds_until_due(now, others_in_flight=self._calls.in_flight > 0)

    def _fail(self, error: BaseException) -> None:
        self._error = error
        with self._progress:
            self._progress.notify_all()
        self._on_error()
