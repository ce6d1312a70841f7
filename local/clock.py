"""Clocks, passed as arguments to whatever waits or reads the time, so that tests control time.

The machine's clock is read once, and goes on by the monotonic one: a clock that is stepped, or a machine that sleeps,
changes no wait and no age, and every process of a run gets the same time.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import threading

_LONGEST_LOOK = 1.0
"""Seconds that may pass between two looks of somebody who waits; what is beyond was a process that stood still."""

_offset = time.time() - time.monotonic()


class Clock(Protocol):
    """A clock in seconds since the epoch, and a wait that an event can end early."""

    def now(self) -> float:
        """Return seconds since the epoch."""

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Wait until `event` is set or `seconds` have passed; return whether it is set."""


def offset() -> float:
    """Return the epoch's distance from the monotonic clock's zero, in seconds: for `take_over` in another process."""
    return _offset


def take_over(offset: float) -> None:
    """Tell the time that another process of this machine tells, whose offset this is."""
    global _offset  # noqa: PLW0603 -- a process has one time
    _offset = offset


class SystemClock:
    """The machine's own clock, as it was when this process began."""

    def now(self) -> float:
        """Return seconds since the epoch."""
        return time.monotonic() + _offset

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Wait until `event` is set or `seconds` have passed; return whether it is set."""
        return event.wait(seconds)


class StallTimeout:
    """How long to wait without any progress; whoever waits asks `expired` at each look, several times a second.

    Only the time in which we looked counts: a process that was frozen, and whose counterparts were too, has not waited.
    """

    def __init__(self, seconds: float, clock: Clock) -> None:
        self.seconds = seconds
        self._clock = clock
        self.spent = 0.0
        self._looked = clock.now()

    def restart(self) -> None:
        """Begin again: there was progress."""
        self.spent, self._looked = 0.0, self._clock.now()

    def expired(self) -> bool:
        """Return whether nothing has moved for longer than `seconds`."""
        now = self._clock.now()
        self.spent += min(max(0.0, now - self._looked), _LONGEST_LOOK)
        self._looked = now
        return self.spent > self.seconds
