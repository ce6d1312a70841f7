"""The progress of what is sent to Kinesis, as a bar on a terminal."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from collections.abc import Callable

    from feeds.kinesis_sender import KinesisSender


class SendingBar:
    """A bar on standard error while it is entered, and nothing where that is not a terminal.

    Entering gives a function that brings it up to date. `expected` is how many updates there will be, None if that is
    not known.
    """

    def __init__(self, sender: KinesisSender, stream: str, expected: float | None) -> None:
        self._sender = sender
        console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[sent]:,} sent, {task.completed:,.0f} acknowledged, {task.fields[rate]:,.0f}/s"),
            TextColumn("{task.fields[trouble]}", style="yellow", markup=False),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task(stream, total=expected, sent=0, rate=0.0, trouble="")
        self._began = time.monotonic()

    def __enter__(self) -> Callable[[], None]:
        self._bar.start()
        return self._show

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def _show(self) -> None:
        sender, seconds = self._sender, time.monotonic() - self._began
        self._bar.update(
            self._task,
            completed=sender.acknowledged,
            sent=sender.sent,
            rate=sender.acknowledged / seconds if seconds else 0.0,
            trouble=sender.trouble,
        )
