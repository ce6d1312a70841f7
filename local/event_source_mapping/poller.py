"""The poller of one shard: reads it, makes the invocations that are due, and passes on their results."""

from __future__ import annotations

import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from local.event_source_mapping.failure import Discard
from local.event_source_mapping.observation import WindowClosed
from local.event_source_mapping.shard import Shard, Work
from local.runtime.invocation import InvocationResult, ThrottledError

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.clock import Clock
    from local.event_source_mapping.destination import Destination
    from local.event_source_mapping.observation import Listener
    from local.event_source_mapping.pace import Pace
    from local.event_source_mapping.settings import MappingSettings
    from local.event_source_mapping.shard_reader import ShardReader

type Invoke = Callable[[bytes], InvocationResult]


class ShardPoller:
    """Runs one shard until it is closed and done, or stopped.

    With one lane the shard's thread invokes by itself; with more, a thread a lane does.
    """

    def __init__(  # noqa: PLR0913 - each is a part the mapping owns
        self,
        settings: MappingSettings,
        reader: ShardReader,
        invoke: Invoke,
        destination: Destination,
        *,
        clock: Clock,
        pace: Pace,
        listener: Listener,
    ) -> None:
        self.shard = Shard(settings, reader.shard_id, pace)
        self._reader = reader
        self._invoke = invoke
        self._destination = destination
        self._clock = clock
        self._pace = pace
        self._listener = listener
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._closed = threading.Event()
        self._draining = threading.Event()
        self._work: SimpleQueue[Work | None] = SimpleQueue()
        self._answers: SimpleQueue[tuple[Work, InvocationResult | Exception]] = SimpleQueue()
        self._next_poll = 0.0
        self._failed_reads = 0
        self._read_out = False
        self.finished = False
        self.drained = False
        self._thread = threading.Thread(target=self._run, name=f"shard {reader.shard_id}", daemon=True)
        self._lanes = [
            threading.Thread(target=self._run_lane, name=f"shard {reader.shard_id} lane {place}", daemon=True)
            for place in range(settings.parallelization_factor if settings.parallelization_factor > 1 else 0)
        ]

    def start(self) -> None:
        """Start the threads."""
        for thread in (*self._lanes, self._thread):
            thread.start()

    def close(self) -> None:
        """Note that the shard takes no more records: what it holds is read, its windows close, and it finishes."""
        self._closed.set()
        self._wake.set()

    def drain(self) -> None:
        """Note that the run ends: once the tip is reached, open windows and waiting batches are not waited for.

        The tip is looked for at once: whoever ends the run waits for it.
        """
        self._draining.set()
        self._wake.set()

    def stop(self) -> None:
        """Ask the threads to end after the invocations they are in."""
        self._stopping.set()
        self._wake.set()
        for _ in self._lanes:
            self._work.put(None)

    def join(self) -> None:
        """Wait until the threads have ended."""
        for thread in (self._thread, *self._lanes):
            if thread.is_alive():
                thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            busy = self._take_answers() + self._send_work() + self._poll()
            self._pass_on()
            self.drained = self.shard.ended and self.shard.idle
            if self.drained and self._read_out:
                self.finished = True
                break
            if not busy and not self._stopping.is_set():
                self._wait()
        for _ in self._lanes:
            self._work.put(None)

    def _wait(self) -> None:
        now = self._clock.now()
        due = self.shard.wake_at(now)
        until = now + self._pace.poll_interval
        if self._wants_more:
            until = min(until, self._next_poll)
        if due is not None:
            until = min(until, due)
        if not self._wake.is_set():
            self._clock.wait(self._wake, max(0.001, until - now))

    # -- invoking

    def _send_work(self) -> int:
        work = self.shard.take(self._clock.now())
        for one in work:
            if self._lanes:
                self._work.put(one)
            else:
                self._take_answer(one, self._answer(one))
        return len(work)

    def _run_lane(self) -> None:
        while (work := self._work.get()) is not None and not self._stopping.is_set():
            self._answers.put((work, self._answer(work)))
            self._wake.set()

    def _answer(self, work: Work) -> InvocationResult | Exception:
        try:
            return self._invoke(work.event)
        except Exception as error:  # noqa: BLE001 - whatever keeps the function from running is tried again later
            return error

    def _take_answers(self) -> int:
        taken = 0
        while not self._answers.empty():
            self._take_answer(*self._answers.get())
            taken += 1
        return taken

    def _take_answer(self, work: Work, answer: InvocationResult | Exception) -> None:
        now = self._clock.now()
        if isinstance(answer, InvocationResult):
            self.shard.complete(work, answer, now)
            return
        throttled = isinstance(answer, ThrottledError)
        self.shard.postpone(work, now, throttled=throttled)
        if not throttled and not self._stopping.is_set():
            self._listener.trouble(
                f"{self.shard.shard_id}: the function could not be invoked, trying again: {answer!r}"
            )

    # -- reading

    @property
    def _wants_more(self) -> bool:
        return not self._read_out and self.shard.has_room

    def _poll(self) -> int:
        now = self._clock.now()
        # Looked at before the read, so that the read saw all there was when it was said.
        closed, draining = self._closed.is_set(), self._draining.is_set()
        at_once = draining and not self.shard.ended and not self._failed_reads
        if not self._wants_more or (now < self._next_poll and not at_once):
            return 0
        try:
            read = self._reader.read(self._pace.poll_limit)
        except (BotoCoreError, ClientError) as error:
            self._failed_reads += 1
            self.shard.own_counters.read_errors += 1
            self._next_poll = now + self._pace.retry_wait(self._failed_reads)
            self._listener.trouble(f"{self.shard.shard_id}: cannot be read, trying again: {error}")
            return 0
        self._failed_reads = 0
        self._listener.records_read(self.shard.shard_id, read.records)
        self.shard.offer(read.records, self._clock.now())
        if read.at_tip:
            self.shard.caught_up(now)
            self._next_poll = now + self._pace.poll_interval
        self._read_out = read.ended or (closed and read.at_tip)
        if self._read_out or (draining and read.at_tip):
            self.shard.end()
        return 1 if read.records or not read.at_tip else 0

    # -- reporting

    def _pass_on(self) -> None:
        for effect in self.shard.effects():
            if isinstance(effect, Discard):
                self._deliver(effect)
                self._listener.discarded(effect)
            elif isinstance(effect, WindowClosed):
                self._listener.window_closed(effect)
            else:
                self._listener.batch_failed(effect)

    def _deliver(self, discard: Discard) -> None:
        kept = False
        try:
            kept = self._destination.send(discard, self._clock.now())
        except (BotoCoreError, ClientError) as error:
            self.shard.own_counters.destination_failures += 1
            self._listener.trouble(f"{self.shard.shard_id}: the on-failure destination did not take a batch: {error}")
        if not kept:
            self.shard.own_counters.unkept += max(1, len(discard.records))
