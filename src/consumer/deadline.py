"""The deadline of a run: made once, passed down, and the bound of every wait."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from consumer.errors import DeadlineError

if TYPE_CHECKING:
    from collections.abc import Callable

    from common.clock import Clock

_LOOK_SECONDS = 0.1
"""How soon a wait notices that the deadline was brought forward."""


class Deadline:
    """A moment of the monotonic clock, so that a step of the wall clock neither ends a run early nor late.

    Any thread, and any signal handler, can bring it forward; everything that waits notices at once, or within a tenth
    of a second.
    """

    def __init__(self, clock: Clock, seconds: float) -> None:
        """End `seconds` from now."""
        self._clock = clock
        self._ends_at = clock.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds until then; negative after it."""
        return self._ends_at - self._clock.monotonic()

    @property
    def is_over(self) -> bool:
        """Whether nothing may wait any more."""
        return self.left <= 0

    def cut(self, seconds: float, *, reserve: float = 0.0) -> float:
        """Return `seconds`, or what is left but for `reserve` where that is less; never negative."""
        return max(0.0, min(seconds, self.left - reserve))

    def bring_forward(self, seconds: float) -> None:
        """End `seconds` from now, unless the deadline is earlier anyway."""
        self._ends_at = min(self._ends_at, self._clock.monotonic() + seconds)

    def earlier(self, reserve: Callable[[], float]) -> Deadline:
        """Return the moment `reserve()` seconds before this one, asked again each time: both move together."""
        return _Earlier(self, reserve)

    def call[T](self, what: str, function: Callable[[], T]) -> T:
        """Run `function` on a separate thread; return what it returns, or raise what it raises.

        For calls whose own time-outs do not bound the whole: a client that tries three times, or an answer that arrives
        in drops. A call that is not done in time is left behind; its thread holds nothing but the call.

        Raises
        ------
        DeadlineError
            `what` was not done by the deadline; whether it will be is not known.
        """
        outcome: list[T] = []
        errors: list[BaseException] = []
        is_done = threading.Event()

        def run() -> None:
            try:
                outcome.append(function())
            except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
                errors.append(error)
            is_done.set()

        if not self.is_over:
            threading.Thread(target=run, name=what, daemon=True).start()
            while not is_done.wait(self.cut(_LOOK_SECONDS)) and not self.is_over:
                pass
        if errors:
            raise errors[0]
        if not outcome:
            raise DeadlineError(f"{what}: no answer within the time of the run")
        return outcome[0]


class _Earlier(Deadline):
    def __init__(self, end: Deadline, reserve: Callable[[], float]) -> None:
        self._end = end
        self._reserve = reserve

    @property
    def left(self) -> float:
        return self._end.left - self._reserve()

    def bring_forward(self, seconds: float) -> None:
        self._end.bring_forward(seconds + self._reserve())
