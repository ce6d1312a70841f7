"""The receiver interface of the feeder, and the retry of one that cannot be reached."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

from common.printable import printable
from consumer.backoff import Backoff

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from feeds.observation import Observation

LOOK_SECONDS = 0.25
"""How long a receiver may wait for something new: between two looks, updates that are due go out."""

RECONNECTING = Backoff(base=1.0, cap=30.0)
"""Seconds, with full jitter: several feeders of one receiver do not come back at the same moment."""


_WORKED_SECONDS = 30.0
"""A receiver that is lost sooner than this after it came back is waited for as if it had not come back."""


class Receiver(Protocol):
    """Something that hears aircraft."""

    def read(self, stop: threading.Event) -> list[Observation]:
        """Return what was heard, after `LOOK_SECONDS` at most where nothing is; tries again by itself what failed."""

    def close(self) -> None:
        """Hang up."""


class Connection:
    """Whether a receiver can be reached, and when it is tried again; says what changes."""

    def __init__(
        self, name: str, tell: Callable[[str], None], backoff: Backoff, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._name = name
        self._tell = tell
        self._backoff = backoff
        self._monotonic = monotonic
        self._failures = 0
        self._retry_at = 0.0
        self._works_since: float | None = None

    def wait(self, stop: threading.Event) -> bool:
        """Wait for a moment if it is too early to try again; return whether it is time."""
        early = self._retry_at - self._monotonic()
        if early > 0:
            stop.wait(min(early, LOOK_SECONDS))
        return early <= 0 and not stop.is_set()

    def works(self, doing: str) -> None:
        """Note that the receiver has sent what it should."""
        if self._works_since is None:
            self._works_since = self._monotonic()
            self._tell(f"{self._name}: {doing}")

    def failed(self, reason: str) -> None:
        """Note a failure, and wait the longer the more there were in a row."""
        now = self._monotonic()
        if self._works_since is not None and now - self._works_since > _WORKED_SECONDS:
            self._failures = 0
        self._works_since = None
        self._failures += 1
        delay = self._backoff.delay(self._failures)
        self._retry_at = now + delay
        self._tell(f"{self._name}: {printable(reason, 200)}; trying again in {delay:.1f} s")
