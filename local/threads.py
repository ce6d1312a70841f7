"""Sees to it that no thread of a run ends with an error unnoticed: a source, poller or server that dies is no end."""

from __future__ import annotations

import sys
import threading
import traceback
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable


def report_error() -> None:
    """Report the current exception as if the thread ended with it: for servers, which catch what a request raises."""
    threading.excepthook(threading.ExceptHookArgs((*sys.exc_info(), threading.current_thread())))


class ThreadWatch:
    """While it is entered, takes note of each thread that ends with an exception; `failed` is set by the first.

    `tell` prints a line for a person; `traces` is for whoever wants to see all of what happened.
    """

    def __init__(self, tell: Callable[[str], None], *, traces: bool = False) -> None:
        self.failed = threading.Event()
        self.failures: list[str] = []
        self._tell = tell
        self._traces = traces
        self._before = threading.excepthook

    def __enter__(self) -> Self:
        self._before = threading.excepthook
        threading.excepthook = self._note
        return self

    def __exit__(self, *_: object) -> None:
        threading.excepthook = self._before

    def _note(self, died: threading.ExceptHookArgs) -> None:
        if died.exc_type is SystemExit:
            return
        name = "a thread" if died.thread is None else f"the thread {died.thread.name!r}"
        text = f"{name} ended with an error: {died.exc_type.__name__}: {died.exc_value}{_place(died)}"
        self.failures.append(text)
        self.failed.set()
        if self._traces:
            text += "\n" + "".join(traceback.format_exception(died.exc_type, died.exc_value, died.exc_traceback))
        self._tell(text.rstrip())


def _place(died: threading.ExceptHookArgs) -> str:
    frames = traceback.extract_tb(died.exc_traceback)
    return f" ({frames[-1].filename}, line {frames[-1].lineno})" if frames else ""
