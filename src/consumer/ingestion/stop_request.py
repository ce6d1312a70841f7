"""A request to stop the run at the next position token: SIGTERM, or a limit given in the event."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from consumer.ingestion.summary import StopReason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from common.clock import Clock


class StopRequest:
    """Tells why to stop at the next token, if there is a reason.

    A signal handler may run between any two instructions; so it sets a plain attribute, and takes no lock.
    """

    def __init__(self, clock: Clock, run_seconds: float | None = None) -> None:
        """Ask for a stop once `run_seconds` have passed; None is never."""
        self.by_signal = False
        self._clock = clock
        self._ends_at = None if run_seconds is None else clock.monotonic() + run_seconds

    @property
    def reason(self) -> StopReason | None:
        """Why to stop; None while there is no reason to."""
        if self.by_signal:
            return StopReason.REQUESTED
        if self._ends_at is not None and self._clock.monotonic() >= self._ends_at:
            return StopReason.RUN_SECONDS
        return None

    @contextmanager
    def on_sigterm(self) -> Iterator[None]:
        """Listen for SIGTERM within the block (on the main thread; elsewhere Python delivers no signals)."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def note(*_: Any) -> None:
            self.by_signal = True

        previous = signal.signal(signal.SIGTERM, note)
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, previous)
