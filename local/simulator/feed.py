"""The feed: everything the provider has ingested, released line by line as simulated time passes."""

from __future__ import annotations

import math
import threading
from bisect import bisect_right
from typing import TYPE_CHECKING, Protocol

from local.clock import SystemClock
from local.simulator import times
from local.simulator.update_log import UpdateLog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from local.clock import Clock

_TICK_SECONDS = 0.02
"""Lines due within this time are released together: at thousands a second, waking up for each would cost more."""

_RELEASED_AT_ONCE = 1000

_LONG_SECONDS, _LATE_SECONDS = 30.0, 5.0
"""Seconds of the wall clock: a silence that is reported, and a delay."""

_SAME_LATENESS_SECONDS = 0.5
"""Lines are as late as those before them if it is within this."""


def _say_nothing(_text: str) -> None:
    """Swallow a sentence."""


def _duration(seconds: float) -> str:
    for unit, length in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.0f} seconds"


class Source(Protocol):
    """Where a feed's lines come from. `start` is in seconds since the epoch; `identity` tells two contents apart."""

    kind: str
    endless: bool
    start: float
    identity: str

    def updates(self) -> Iterator[tuple[float, bytes]]:
        """Yield ingestion times (seconds since the epoch, never falling) and lines, from the start."""


class Feed(UpdateLog):
    """A log of a source's lines, and the simulated clock that releases them.

    Simulated time begins at the source's start when `start()` is called, and runs `speed` times as fast as `clock`.
    With `speed=math.inf` everything is released at once: simulated time is then that of the newest line, and once all
    is released it goes on at the pace of `clock`. All methods may be called from any thread. A source that raises ends
    the feed: `failure` holds what it raised, and so does the thread's end.

    Parameters
    ----------
    source
        Generated traffic or a recording.
    speed
        Simulated seconds per second, or `math.inf`.
    duration
        Simulated seconds after which nothing more is released; None is until the source ends.
    keep
        Simulated seconds for which a released line is kept (see `UpdateLog`). None keeps everything.
    keep_bytes
        Memory that released lines may take up; beyond it the oldest are forgotten. None is without bound.
    tell
        Gets a sentence when the next line is long in coming, and when lines come later than they should.

    Raises
    ------
    ValueError
        A figure is out of range, or an endless source was to be released at once.
    """

    def __init__(  # noqa: PLR0913 -- each has its default; a settings object would only move the list
        self,
        source: Source,
        *,
        speed: float = 1.0,
        duration: float | None = None,
        keep: float | None = None,
        keep_bytes: int | None = None,
        tell: Callable[[str], None] = _say_nothing,
        clock: Clock | None = None,
    ) -> None:
        if not speed > 0:
            raise ValueError(f"speed: got {speed:g}; expected a number above 0, or infinity for all at once")
        if duration is not None and not duration > 0:
            raise ValueError(f"duration: got {duration:g}; expected a number of seconds above 0")
        if math.isinf(speed) and source.endless and duration is None:
            raise ValueError("speed: generated traffic has no end, so releasing all at once needs a duration")
        super().__init__(source.identity, released_before=source.start, keep=keep, keep_bytes=keep_bytes)
        self.source = source
        self.speed = speed
        self.failure: Exception | None = None
        self._end = source.start + (math.inf if duration is None else duration)
        self._tell = tell
        self._late = _LATE_SECONDS
        self._lateness = [(0, 0.0)]  # from which position on lines came how many seconds late
        self._clock: Clock = clock or SystemClock()
        self._started_at: float | None = None
        self._finished_at: float | None = None
        self._stopping = threading.Event()
        self._releaser = threading.Thread(target=self._release, name="feed", daemon=True)

    def replace(self, source: Source) -> None:
        """Release another source's lines; before `start()`. What has a duration lasts as long from its start.

        For traffic that is to begin when all else is ready: simulated time is then that of the machine's clock.
        """
        self._end += source.start - self.source.start
        self._released_before = source.start
        self.source, self.identity = source, source.identity

    def start(self) -> None:
        """Begin to release; simulated time begins to pass."""
        with self._lock:
            if self._started_at is not None:
                raise RuntimeError("the feed was started before: a feed runs once")
            self._started_at = self._clock.now()
        self._releaser.start()

    def stop(self) -> None:
        """Release nothing more. Simulated time goes on; what was released stays."""
        self._stopping.set()
        if self._started_at is not None:
            self._releaser.join()
        self._finish()

    def now(self) -> float:
        """Return simulated time in seconds since the epoch."""
        with self._lock:
            if self._started_at is None:
                return self.source.start
            if not math.isinf(self.speed):
                return self.source.start + (self._clock.now() - self._started_at) * self.speed
            newest = self._ingestion_times[-1] if self._ingestion_times else self.source.start
            return newest + (self._clock.now() - self._finished_at if self._finished_at is not None else 0.0)

    def seconds_behind(self, position: int) -> float:
        """Return for how long the line at `position` has been there, in seconds of the wall clock; 0 if it is not.

        By as much as the source itself was late with the line, no reader is.
        """
        now = self.now()
        with self._lock:
            index = position - self._dropped
            if index >= len(self._lines) or math.isinf(self.speed):
                return 0.0
            _, late = self._lateness[self._lateness_at(position)]
            return max(0.0, (now - self._ingestion_times[max(0, index)]) / self.speed - late)

    def _lateness_at(self, position: int) -> int:
        """Return the index of the lateness that the line at `position` came with."""
        return max(0, bisect_right(self._lateness, (position, math.inf)) - 1)

    def _release(self) -> None:
        """Release the source's lines in time; the feed's own thread."""
        due: list[tuple[float, bytes]] = []
        horizon = self.now() if not math.isinf(self.speed) else math.inf
        try:
            for update in self.source.updates():
                if update[0] >= self._end or self._stopping.is_set():
                    break
                if update[0] > horizon or len(due) == _RELEASED_AT_ONCE:
                    self._append_due(due, released_before=update[0])
                    due = []
                    horizon = max(horizon, self._wait_until(update[0]))
                due.append(update)
            if not self._stopping.is_set():
                self._append_due(due, released_before=math.inf)
        except Exception as error:
            self.failure = error
            self._append(due, released_before=self.source.start)  # what came before it is good
            raise
        finally:
            self._finish()

    def _append_due(self, due: list[tuple[float, bytes]], *, released_before: float) -> None:
        """Release lines, and note how late the source is with them."""
        if due and not math.isinf(self.speed):
            late = max(0.0, (self.now() - due[0][0]) / self.speed)
            with self._lock:
                if abs(late - self._lateness[-1][1]) > _SAME_LATENESS_SECONDS:
                    del self._lateness[: self._lateness_at(self._dropped)]
                    self._lateness.append((self._dropped + len(self._lines), late))
        self._append(due, released_before=released_before)

    def _wait_until(self, due: float) -> float:
        """Wait until simulated time has come to `due`, or the feed is stopped; return simulated time."""
        if math.isinf(self.speed):
            return math.inf
        now = self.now()
        wait, late = (due - now) / self.speed, (now - due) / self.speed
        if wait > _LONG_SECONDS:
            self._tell(
                f"the source is silent until {times.whole_second(int(due))} of its time: {_duration(wait)} from now"
            )
        elif late > self._late:
            self._late = 4 * late  # said again when it has become much worse
            kept = (due - self.source.start) / (now - self.source.start) * self.speed
            began = (due - self.source.start) / self.speed < 1
            self._tell(
                f"the source began {_duration(late)} late"
                if began
                else f"the source is {_duration(late)} late: what --speed {self.speed:g} asks for cannot be made here; "
                f"it comes at some {kept:.3g} times the speed of time, and takes as much longer"
            )
        while (now := self.now()) < due:
            if self._clock.wait(self._stopping, max(_TICK_SECONDS, (due - now) / self.speed)):
                break
        return now

    def _finish(self) -> None:
        with self._lock:
            if self._finished_at is None:
                self._finished_at = self._clock.now()
        super()._finish()
