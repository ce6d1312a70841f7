"""The receiver's clock: wall time, which may be set while a receiver runs, but never goes back."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_STEP = 0.001
"""Seconds by which time goes on at each look while the wall's is behind: two observations still differ."""


class NeverFalling:
    """Seconds since the epoch; a small computer without its own clock gets the right time after it has begun."""

    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        self._wall = wall
        self._lock = threading.Lock()
        self._last = wall()

    def __call__(self) -> float:
        """Return now."""
        with self._lock:
            now = self._wall()
            self._last = now if now >= self._last else self._last + _STEP
            return self._last
