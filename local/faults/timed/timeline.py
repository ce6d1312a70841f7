"""Runs actions at given seconds after the start, on its own thread."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections import Counter
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable


class Timed(Protocol):
    """What happens `at` seconds after the beginning."""

    @property
    def at(self) -> float:
        """Seconds."""


class Timeline[T: Timed](ABC):
    """Carries a list of things out in the order of their times; `injected` counts what has happened, by name."""

    def __init__(self, things: Iterable[T], name: str) -> None:
        """`name` is the thread's."""
        self.injected: Counter[str] = Counter()
        self._things = sorted(things, key=lambda thing: thing.at)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin to count the seconds."""
        self._thread.start()

    def join(self) -> None:
        """Wait until each thing has happened, or found nothing to happen to."""
        self._thread.join()

    def stop(self) -> None:
        """Let nothing more happen."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        began = time.monotonic()
        for thing in self._things:
            if self._stopping.wait(max(0.0, began + thing.at - time.monotonic())):
                return
            self._happen(thing)

    @abstractmethod
    def _happen(self, thing: T) -> None:
        """Do it, and count it."""
