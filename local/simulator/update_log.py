"""The log that a Tracking Stream server serves: lines in ingestion order, each with a position.

Who appends to it, and when, is another matter: `feed` at the pace of a source's own times, a receiver as it hears.
"""

from __future__ import annotations

import abc
import math
import threading
from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST_LOOK_BACK = 24 * 3600.0
"""Seconds: batch mode reaches back this far, and no request reaches further."""

_BESIDE_A_LINE = 81
"""Bytes that a line takes beside its content: the object's head, its time, and a place in two lists."""


class NoLongerKeptError(LookupError):
    """A line of the feed was released longer ago than the feed keeps lines."""


class UpdateLog(abc.ABC):
    """An append-only log of released lines; all methods may be called from any thread.

    Parameters
    ----------
    identity
        What tells this log's content apart from others': position tokens are good for one content.
    released_before
        Every line ingested before this time (seconds since the epoch) has been released: at first there is none.
    keep
        Seconds of the log's own time for which a line is kept: at least `LONGEST_LOOK_BACK`. None keeps everything.
    keep_bytes
        Memory that lines may take up; beyond it the oldest are forgotten. None is without bound.

    Raises
    ------
    ValueError
        `keep` is too short.
    """

    def __init__(self, identity: str, *, released_before: float, keep: float | None, keep_bytes: int | None) -> None:
        if keep is not None and keep < LONGEST_LOOK_BACK:
            raise ValueError(
                f"keep: got {keep:g}; expected at least {LONGEST_LOOK_BACK:g} seconds, as batch mode needs"
            )
        self.identity = identity
        self.finished = threading.Event()
        self._keep = keep
        self._keep_bytes = keep_bytes
        self._bytes = 0
        self._lock = threading.Lock()
        self._lines: list[bytes] = []
        self._ingestion_times: list[float] = []
        self._dropped = 0
        self._released_before = released_before
        self._listeners: set[threading.Event] = set()

    @abc.abstractmethod
    def now(self) -> float:
        """Return the log's own time in seconds since the epoch: that of its lines' ingestion times."""

    @abc.abstractmethod
    def seconds_behind(self, position: int) -> float:
        """Return for how long the line at `position` has been there, in seconds of the wall clock; 0 if it is not."""

    @property
    def count(self) -> int:
        """How many lines have been released so far: the position of the next one."""
        with self._lock:
            return self._dropped + len(self._lines)

    @property
    def first(self) -> int:
        """The position of the oldest line that is kept."""
        with self._lock:
            return self._dropped

    def lines(self, start: int, stop: int) -> list[bytes]:
        """Return the lines at the positions from `start` to before `stop`, as far as they are released.

        Raises
        ------
        NoLongerKeptError
            Some of them were dropped.
        """
        with self._lock:
            if start < self._dropped:
                raise NoLongerKeptError(f"line {start} of the feed is no longer kept; the oldest is {self._dropped}")
            return self._lines[start - self._dropped : max(start, stop) - self._dropped]

    @property
    def kept_from(self) -> float:
        """Since when every line is kept, in seconds since the epoch."""
        with self._lock:
            return self._ingestion_times[0] if self._dropped and self._ingestion_times else -math.inf

    def position_at(self, ingestion_time: float) -> int:
        """Return the position of the first released line that was ingested at or after `ingestion_time`."""
        with self._lock:
            return self._dropped + bisect_left(self._ingestion_times, ingestion_time)

    def complete_before(self, ingestion_time: float) -> bool:
        """Return whether every line ingested before `ingestion_time` has been released."""
        with self._lock:
            return ingestion_time <= self._released_before

    def subscribe(self) -> threading.Event:
        """Return an event that is set whenever lines are released; clear it before looking for them."""
        event = threading.Event()
        with self._lock:
            self._listeners.add(event)
        return event

    def unsubscribe(self, event: threading.Event) -> None:
        """Forget an event that `subscribe` gave."""
        with self._lock:
            self._listeners.discard(event)

    def _append(self, updates: Sequence[tuple[float, bytes]], *, released_before: float) -> None:
        """Release lines, with ingestion times that never fall."""
        with self._lock:
            self._ingestion_times.extend(ingested for ingested, _ in updates)
            self._lines.extend(line for _, line in updates)
            self._released_before = max(self._released_before, released_before)
            self._bytes += sum(len(line) for _, line in updates) + _BESIDE_A_LINE * len(updates)
            if self._keep is not None and self._ingestion_times:
                self._drop(bisect_left(self._ingestion_times, self._ingestion_times[-1] - self._keep))
            while self._keep_bytes is not None and self._bytes > self._keep_bytes and len(self._lines) > 1:
                self._drop(len(self._lines) // 10 + 1)
        self._notify()

    def _drop(self, count: int) -> None:
        """Forget the oldest lines, many at a time: taking them off a list's front moves all the others."""
        if count > len(self._lines) // 10:
            self._bytes -= sum(map(len, self._lines[:count])) + _BESIDE_A_LINE * count
            del self._lines[:count], self._ingestion_times[:count]
            self._dropped += count

    def _finish(self) -> None:
        """Release nothing more, and wake whatever waits for lines."""
        with self._lock:
            self._released_before = math.inf
        self.finished.set()
        self._notify()

    def _notify(self) -> None:
        with self._lock:
            listeners = tuple(self._listeners)
        for event in listeners:
            event.set()
