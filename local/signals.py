"""Ends a command in good order when it is told to end: what it has started ends with it."""

from __future__ import annotations

import contextlib
import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_OF_A_SIGNAL = 128
"""A shell's exit code for a program that a signal ended, less the signal's number."""


@contextlib.contextmanager
def ending_in_order() -> Iterator[None]:
    """Turn the first of the signals that end a program into SystemExit, so that every `with` and `finally` is left.

    A second one is ignored: the first is being obeyed.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # Python delivers signals to the main thread alone
        return

    def end(number: int, _frame: FrameType | None) -> None:
        for one in _ENDING:
            signal.signal(one, signal.SIG_IGN)
        raise SystemExit(_OF_A_SIGNAL + number)

    previous = {number: signal.signal(number, end) for number in _ENDING}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
