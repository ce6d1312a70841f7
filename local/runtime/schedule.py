"""Scheduled rules as EventBridge and Lambda run them: ticks, and the queue of asynchronous invocations."""

from __future__ import annotations

import json
import math
import threading
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from local.aws.moto import ACCOUNT, REGION
from local.runtime.emulator import EmulatorError
from local.runtime.invocation import InvocationResult, ThrottledError

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.clock import Clock
    from local.stack import ScheduleSettings

    type Invoke = Callable[[bytes], InvocationResult]

SHORTEST_TICK = 1.0
"""Seconds between ticks at the least, however fast the feed runs."""

_FIRST_WAIT, _LONGEST_WAIT = 1.0, 300.0
"""Seconds a throttled event waits, doubling (developer guide, invocation-async-error-handling)."""
_RETRY_WAITS = (60.0, 120.0)
"""Seconds before an event whose invocation failed is tried again, the first and the second time (same page)."""
_SHORTEST_WAIT = 0.05
_RULE_SECONDS = 0.5
"""How often a rule that is off is looked at."""


def tick_interval(every: float, speed: float) -> float:
    """Return seconds between ticks for a rule of `every` seconds, when the feed runs `speed` times as fast."""
    return max(SHORTEST_TICK, 0.0 if math.isinf(speed) else every / speed)


def scheduled_event(rule_arn: str, now: float) -> dict[str, Any]:
    """Build the event that EventBridge sends for a scheduled rule; `now` in seconds since the epoch."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT,
        "time": datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": REGION,
        "resources": [rule_arn],
        "detail": {},
    }


@dataclass(slots=True)
class QueuedEvent:
    """An asynchronous invocation that waits; times in seconds since the epoch."""

    body: bytes
    since: float
    due: float
    throttles: int = 0
    failures: int = 0


class AsynchronousQueue:
    """What happens to asynchronous events, without threads or a clock.

    `scale` shortens all durations alike, as a feed that runs faster shortens the tick.
    """

    def __init__(self, maximum_age: float, maximum_retries: int, scale: float = 1.0) -> None:
        self._maximum_age = maximum_age * scale
        self._maximum_retries = maximum_retries
        self._scale = scale
        self._waiting: list[QueuedEvent] = []

    def put(self, body: bytes, now: float) -> None:
        """Take in an event that is due at once."""
        self._waiting.append(QueuedEvent(body, now, now))

    def take(self, now: float) -> QueuedEvent | None:
        """Return the event that is due longest, or None; those that are too old are discarded."""
        self._waiting = [event for event in self._waiting if now - event.since <= self._maximum_age]
        due = min((event for event in self._waiting if event.due <= now), key=lambda event: event.due, default=None)
        if due is not None:
            self._waiting.remove(due)
        return due

    def throttled(self, event: QueuedEvent, now: float) -> None:
        """Put back an event that found no free concurrency: tried again for as long as its age allows."""
        event.throttles += 1
        self._postpone(event, now, min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** (event.throttles - 1)))

    def failed(self, event: QueuedEvent, now: float) -> None:
        """Put back an event whose invocation ended in error, if a retry is left."""
        event.failures += 1
        if event.failures <= self._maximum_retries:
            self._postpone(event, now, _RETRY_WAITS[min(event.failures, len(_RETRY_WAITS)) - 1])

    def wake_at(self) -> float:
        """Return when the next event is due, in seconds since the epoch; infinity when none waits."""
        return min((event.due for event in self._waiting), default=math.inf)

    def clear(self) -> None:
        """Forget all that waits."""
        self._waiting.clear()

    def _postpone(self, event: QueuedEvent, now: float, seconds: float) -> None:
        event.due = now + max(_SHORTEST_WAIT, seconds * self._scale)
        self._waiting.append(event)


class Schedule:
    """Ticks at the rule's rate, the first time after `first_after` seconds, and invokes the function asynchronously.

    Parameters
    ----------
    settings
        The rule and what the function's asynchronous invocations are set to.
    speed
        How fast the feed runs: tick, age and waits shrink with it, the tick to no less than a second.
    finished
        Called with each result, from the invocation's thread.
    is_on
        Whether the rule is enabled, asked before each tick: somebody may switch it while the stack runs. What waits of
        a rule that is off is forgotten, so that nothing begins after that.
    """

    def __init__(  # noqa: PLR0913 -- what a rule and its asynchronous invocations are made of
        self,
        settings: ScheduleSettings,
        invoke: Invoke,
        clock: Clock,
        *,
        speed: float,
        finished: Callable[[InvocationResult], None],
        is_on: Callable[[], bool] = lambda: True,
        first_after: float = 0.0,
    ) -> None:
        self.interval = tick_interval(settings.every, speed)
        self._settings = settings
        self._invoke = invoke
        self._clock = clock
        self._finished = finished
        self._is_on = is_on
        self._first_after = first_after
        self._queue = AsynchronousQueue(
            settings.maximum_event_age, settings.maximum_retries, self.interval / settings.every
        )
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._paused = False
        self._stopping = False
        self._workers: set[threading.Thread] = set()
        self._thread = threading.Thread(target=self._run, name="schedule", daemon=True)

    def start(self) -> None:
        """Begin to tick, if the rule is enabled."""
        if self._settings.enabled:
            self._thread.start()

    def pause(self) -> None:
        """Tick no more, and forget what waits; what runs goes on."""
        with self._lock:
            self._paused = True
            self._queue.clear()

    def ignore_the_rule(self) -> None:
        """Tick whether or not the rule is enabled: at a run's end all that was sent has to be read."""
        self._is_on = lambda: True
        self._wake.set()

    def resume(self) -> None:
        """Tick again, at once."""
        with self._lock:
            self._paused = False
        self._wake.set()

    @property
    def paused(self) -> bool:
        """Whether it was paused."""
        with self._lock:
            return self._paused

    @property
    def under_way(self) -> int:
        """How many invocations have begun, or are about to: an event counts from the moment it leaves the queue."""
        with self._lock:
            return len(self._workers)

    def stop(self) -> None:
        """Tick no more; return when the invocations under way are done."""
        with self._lock:
            self._stopping = True
            self._queue.clear()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()
        with self._lock:
            workers = list(self._workers)
        for worker in workers:
            if worker.ident is not None:  # the machine may have had no thread left to start it
                worker.join()

    def _run(self) -> None:
        next_tick = self._clock.now() + self._first_after
        while True:
            now = self._clock.now()
            is_on = self._is_on()
            with self._lock:
                if self._stopping:
                    return
                if not is_on:
                    self._queue.clear()
                if self._paused or not is_on:
                    next_tick = now
                elif now >= next_tick:
                    self._queue.put(json.dumps(scheduled_event(self._settings.rule_arn, now)).encode(), now)
                    next_tick = max(now, next_tick + self.interval)
                worker = self._worker(now)
                wake_at = math.inf if self._paused else min(next_tick, self._queue.wake_at())
                if not is_on:
                    wake_at = now + _RULE_SECONDS
            if worker is not None:
                worker.start()
                continue
            self._clock.wait(self._wake, max(0.0, min(wake_at - now, self.interval)))
            self._wake.clear()

    def _worker(self, now: float) -> threading.Thread | None:
        """Return who invokes with the event that is due, if there is one; the lock is held.

        It is known within the lock that took the event: whoever pauses after that sees that one is under way.
        """
        event = self._queue.take(now)
        if event is None:
            return None
        worker = threading.Thread(target=self._work, args=(event,), name="asynchronous invocation", daemon=True)
        self._workers.add(worker)
        return worker

    def _work(self, event: QueuedEvent) -> None:
        try:
            result = self._invoke(event.body)
        except (ThrottledError, EmulatorError):
            self._put_back(event, self._queue.throttled)
        else:
            if result.function_error is not None:
                self._put_back(event, self._queue.failed)
            self._finished(result)
        finally:
            with self._lock:
                self._workers.discard(threading.current_thread())
            self._wake.set()

    def _put_back(self, event: QueuedEvent, how: Callable[[QueuedEvent, float], None]) -> None:
        with self._lock:
            if not self._stopping and not self._paused:
                how(event, self._clock.now())
