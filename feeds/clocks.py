"""The receiver's clock: wall time, which may be set while a receiver runs, but never goes back."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_WORTH_TELLING: Final = 1.0
"""Seconds by which the wall's clock was set back: less does not mislead whoever looks at the map."""


class NeverFalling:
    """Seconds since the epoch; a small computer without its own clock gets the right time after it has begun.

    Where the wall's clock is set forward, this one follows. Where it is set back, this one goes on at the pace of time
    and stays ahead of it: what is due every few seconds still is, and ingestion times do not fall.

    Parameters
    ----------
    tell
        Gets a sentence when the wall's clock was set back.
    wall, monotonic
        Seconds: since the epoch, and of a clock that nobody sets.
    """

    def __init__(
        self,
        tell: Callable[[str], None],
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tell = tell
        self._wall, self._monotonic = wall, monotonic
        self._lock = threading.Lock()
        self._ahead_of_monotonic = wall() - monotonic()
        self._known_ahead = 0.0

    def __call__(self) -> float:
        """Return now."""
        with self._lock:
            wall, monotonic = self._wall(), self._monotonic()  # in this order, a pause between them takes us not ahead
            self._ahead_of_monotonic = max(self._ahead_of_monotonic, wall - monotonic)
            now = monotonic + self._ahead_of_monotonic
            ahead = max(0.0, now - self._wall())  # asked again: after a pause the first answer is old
            set_back = ahead - self._known_ahead
            if abs(set_back) > _WORTH_TELLING:
                self._known_ahead = ahead
        if set_back > _WORTH_TELLING:
            self._tell(
                f"the machine's clock was set back by {set_back:,.0f} s: the updates' times, which cannot fall, are "
                f"{ahead:,.0f} s ahead of it until the feeder is started again"
            )
        return now
