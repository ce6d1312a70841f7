"""Ctrl-C and SIGTERM for commands that drain: the first stops gracefully, a second at once."""

from __future__ import annotations

import contextlib
import signal
from typing import TYPE_CHECKING

from local.signals import SignalledEvent, handled_by

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType


class Stopping:
    """`asked` is set by the first signal, `hurry` by the second."""

    def __init__(self) -> None:
        self.asked = SignalledEvent()
        self.hurry = SignalledEvent()

    @contextlib.contextmanager
    def on_signals(self) -> Iterator[None]:
        """Take the signals of a person and of a process manager as requests, while this is entered."""

        def ask(_number: int, _frame: FrameType | None) -> None:
            (self.hurry if self.asked.is_set() else self.asked).set()

        with handled_by(ask, (signal.SIGINT, signal.SIGTERM)):
            yield
