"""Signals that end a program: a command first stops what it has started."""

from __future__ import annotations

import contextlib
import queue
import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import FrameType

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_OF_A_SIGNAL = 128
"""A shell's exit code for a program that a signal ended, less the signal's number."""


class SignalledEvent(threading.Event):
    """An event that a signal handler may set, also while the thread that it interrupts is about to wait for it.

    `threading.Event` would wait for itself for ever then: both take its lock. `SimpleQueue.put` is reentrant.
    """

    def __init__(self) -> None:
        super().__init__()
        self._has_come = False
        self._coming: queue.SimpleQueue[None] = queue.SimpleQueue()

    def is_set(self) -> bool:
        """Return whether it was set."""
        return self._has_come

    def set(self) -> None:
        """Set it for good."""
        self._has_come = True
        self._coming.put(None)

    def clear(self) -> None:
        """Refuse: nobody takes a signal back."""
        raise RuntimeError("what a signal asked for stays asked for")

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is set, `timeout` seconds at most; return whether it is."""
        if not self._has_come:
            with contextlib.suppress(queue.Empty):
                self._coming.get(timeout=None if timeout is None else max(0.0, timeout))
                self._coming.put(None)  # for the next one who waits
        return self._has_come


@contextlib.contextmanager
def handled_by(
    handler: Callable[[int, FrameType | None], None], numbers: Sequence[signal.Signals] = _ENDING
) -> Iterator[None]:
    """Have `handler` called for each of the signals that end a program: Ctrl-C, SIGTERM, a closed terminal.

    A signal that the program was started to ignore it goes on ignoring: `nohup` has it outlive its terminal, and a
    shell has a script's background job go on where Ctrl-C ends the script.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # Python delivers signals to the main thread alone
        return
    heeded = [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]
    previous = {number: signal.signal(number, handler) for number in heeded}
    try:
        yield
    finally:
        for number, earlier in previous.items():
            signal.signal(number, earlier)


@contextlib.contextmanager
def ending_in_order() -> Iterator[None]:
    """Turn the first of the signals that end a program into SystemExit, so that every `with` and `finally` is left.

    A second one is ignored: the first is being obeyed.
    """

    def end(number: int, _frame: FrameType | None) -> None:
        for one in _ENDING:
            signal.signal(one, signal.SIG_IGN)
        raise SystemExit(_OF_A_SIGNAL + number)

    with handled_by(end):
        yield
