"""Back pressure of commits: what is not committed must be remembered, memory is bounded, so reading waits for them.

Where waiting does not help, because all that a token has closed is committed, there is one way out for each thing that
is read: a slice of a gap is cut shorter, a connection without tokens is opened again, and at last some is forgotten.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.rare_warning import RareWarning
from consumer.stream.connection import StreamInterruptedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from common.clock import Clock
    from consumer.ingestion.connection_keeper import ConnectionKeeper
    from consumer.ingestion.processor import TargetProcessor

_LOOK_SECONDS = 0.05


class SliceTooLargeError(Exception):
    """A time range holds more updates than can be kept apart; less of it may be asked for at once."""


class BackPressure:
    """One run's; all of it is the reader's."""

    def __init__(self, processor: TargetProcessor, keeper: ConnectionKeeper, clock: Clock) -> None:
        self._processor = processor
        self._keeper = keeper
        self._clock = clock
        self._may_interrupt = False
        self._forgotten = RareWarning(clock.monotonic)

    def token_arrived(self) -> None:
        """Note a token to begin again at."""
        self._may_interrupt = True

    def close(self) -> None:
        """Say what was left out of the log."""
        self._forgotten.close()

    def wait(self, on_full: Callable[[], None]) -> None:
        """Wait until enough is committed; call `on_full`, one of those below, if no commit will help.

        Raises
        ------
        Stopped, ConsumerError, StreamInterruptedError
            See `ConnectionKeeper.check`.
        """
        while self._processor.makes_room() and self._processor.is_full:
            self._keeper.excuse()
            self._keeper.check()
            self._clock.sleep(_LOOK_SECONDS)
        if self._processor.is_full:
            on_full()

    def interrupt_once(self) -> None:
        """Have the connection opened again, once between two tokens: the server may send one then. Else go on.

        Raises
        ------
        StreamInterruptedError
            The first time since a new token.
        """
        if not self._may_interrupt:
            self.forget()
            return
        self._may_interrupt = False
        raise StreamInterruptedError("more updates without a position token than can be kept apart")

    def cut_shorter(self) -> None:
        """Have less asked for.

        Raises
        ------
        SliceTooLargeError
            Always.
        """
        raise SliceTooLargeError

    def forget(self) -> None:
        """Go on, at the price of duplicates should the connection break, or the run end, before the next commit."""
        self._processor.forget_older_half()
        self._forgotten.warning(
            "more updates at once than can be kept apart: should the stream be interrupted, some come twice"
        )
