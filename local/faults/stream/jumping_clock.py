"""A clock that can be set forward and back while it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.clock import SystemClock

if TYPE_CHECKING:
    import threading

_LOOK_SECONDS = 0.05


class JumpingClock:
    """The machine's clock plus all jumps so far; a wait ends when the jumped clock says so, or a little later."""

    def __init__(self) -> None:
        self._ahead = 0.0
        self._clock = SystemClock()

    def jump(self, seconds: float) -> None:
        """Set the clock forward, or back where `seconds` is negative."""
        self._ahead += seconds

    def now(self) -> float:
        """Return seconds since the epoch."""
        return self._clock.now() + self._ahead

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Wait until `event` is set or `seconds` have passed; return whether it is set.

        It returns before the time is up, so that who waits looks at the clock again: it may have jumped.
        """
        return event.wait(min(seconds, _LOOK_SECONDS))
