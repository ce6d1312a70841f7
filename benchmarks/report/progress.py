"""Says how far a run of the benchmarks is: a live line in a terminal, a line now and then anywhere else."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import Console

_EVERY = 10.0
"""Seconds between two lines where there is no terminal, at the least."""


class Progress:
    """Of so many benchmarks, which one is at work, with what, and what comes next.

    Parameters
    ----------
    console
        Where to.
    names
        The benchmarks, in their order.
    now
        Seconds of a clock that is not stepped.
    """

    def __init__(self, console: Console, names: Sequence[str], now: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._names = list(names)
        self._now = now
        self._status = console.status("")
        self._place = -1
        self._began = self._told_at = now()

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._console.is_terminal:
            self._status.stop()

    def begin(self, name: str) -> None:
        """Note that a benchmark begins."""
        self._place = self._names.index(name)
        self._began = self._now()
        self._tell("begins" + self._next())

    def step(self, text: str) -> None:
        """Note what it is at."""
        if self._console.is_terminal or self._now() - self._told_at >= _EVERY:
            self._tell(text)

    def end(self) -> None:
        """Note that it is done."""
        if not self._console.is_terminal:
            self._tell(f"done in {self._now() - self._began:.0f} s")

    def _tell(self, text: str) -> None:
        line = f"{self._place + 1} of {len(self._names)}, {self._names[self._place]}: {text}"
        self._told_at = self._now()
        if self._console.is_terminal:
            self._status.update(line)
        else:
            self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def _next(self) -> str:
        following = self._names[self._place + 1 :]
        return f"; next is {following[0]}" if following else "; it is the last one"
