"""A clock that stands still until a test moves it."""

from __future__ import annotations

import threading


class ManualClock:
    """`local.clock.Clock` for tests: `advance` is what makes time pass, and everybody who waits sees it."""

    def __init__(self, now=1_700_000_000.0):
        self._now = now
        self._lock = threading.Lock()

    def now(self):
        """Return seconds since the epoch."""
        with self._lock:
            return self._now

    def advance(self, seconds):
        """Let `seconds` pass at once."""
        with self._lock:
            self._now += seconds

    def wait(self, event, seconds):
        """Wait until `event` is set or the clock has been moved by `seconds`; return whether it is set."""
        until = self.now() + seconds
        while self.now() < until:
            if event.wait(0.001):
                return True
        return event.is_set()
