"""The low watermark: which position token is safe to commit, while reading goes on and puts are in flight.

Updates are counted by the token interval they were read in. An interval is closed by the next token; it is settled
when as many of its updates are acknowledged as were taken. A token is safe when its interval and all before it are.

Counting updates needs no lock: only the reader writes `taken` and `rejected`, only the publisher writes `acknowledged`,
and `taken` no longer changes once `closed_by` is set. Closing an interval takes one, since a token without
updates moves the position of the interval before it.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from consumer.checkpoint.position import Position
    from consumer.checkpoint.rejected_lines import RejectedLine

MAX_OPEN_INTERVALS = 1_000
"""Tokens that wait for an acknowledgement; the next ones are skipped, and what follows them counts as before them.
At the live edge, with a token every 15 s, that is four hours."""


@dataclass(slots=True, eq=False)
class Interval:
    """What was read between two position tokens."""

    taken: int = 0
    acknowledged: int = 0
    rejected: list[RejectedLine] = field(default_factory=list)
    closed_by: Position | None = None

    @property
    def is_settled(self) -> bool:
        """Whether it is closed and every update in it is acknowledged."""
        return self.closed_by is not None and self.acknowledged == self.taken


class Watermark:
    """The intervals in line, oldest first; the last one is open."""

    def __init__(self) -> None:
        self.current = Interval()
        self.committed = 0
        """Intervals whose closing token is in the checkpoint; written by the committer alone."""
        self.closed = 0
        """Intervals that were closed; the number of the one closed last."""
        self._waiting: deque[Interval] = deque()
        self._skipped: Position | None = None  # the newest one, if the open interval began before it
        self._lock = threading.Lock()
        self.rejected_lock = threading.Lock()
        """Held while rejected lines are written: what is committed after them must wait for the end of it."""

    def close(self, position: Position) -> bool:
        """Close the current interval: the stream has reached `position`; return whether that could be noted.

        An empty interval is not queued: it moves the position of the interval before it.
        """
        with self._lock:
            waiting = self._waiting
            if waiting and not self.current.taken and not self.current.rejected:
                waiting[-1].closed_by = position
                return True
            if len(waiting) >= MAX_OPEN_INTERVALS:
                self._skipped = position
                return False
            self._close(position)
            return True

    def end(self) -> None:
        """Close the open interval by the newest position that could not be noted, if there is one; nothing is read now.

        What was read after that position has to be acknowledged as well, and is read again all the same.
        """
        with self._lock:
            if self._skipped is not None:
                self._close(self._skipped)

    def _close(self, position: Position) -> None:
        self.closed += 1
        interval, self.current, self._skipped = self.current, Interval(), None
        interval.closed_by = position
        self._waiting.append(interval)

    def rejected_before(self) -> list[Interval]:
        """Return the intervals that may hold rejected lines: those in line, and the open one."""
        with self._lock:
            return [*self._waiting, self.current]

    @property
    def uncommitted(self) -> int:
        """How many intervals are closed, and their tokens not in the checkpoint yet."""
        return self.closed - self.committed

    @property
    def has_settled(self) -> bool:
        """Whether `take_settled` would give something."""
        try:
            return self._waiting[0].is_settled
        except IndexError:  # none waits; looking first would not do, as the committer may take the last one meanwhile
            return False

    def take_settled(self) -> list[Interval]:
        """Return, and no longer hold, the settled intervals at the head of the line."""
        settled = []
        with self._lock:
            while self.has_settled:
                settled.append(self._waiting.popleft())
        return settled
