"""The terminal view: a live picture during the run (plain lines without a terminal), and a table at its end."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from rich import box
from rich.console import Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from rich.console import Console, RenderableType

_REFRESHES = 4  # a second
_PLAIN_SECONDS = 5.0
_BARS = " ▁▂▃▄▅▆▇█"
_HISTORY = 40  # seconds shown
_LONGEST_LAG = 86_400.0
_RATE_SECONDS = 7.5  # more than the plain lines' distance


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The run at one moment; times in seconds, None where nothing is known yet."""

    phase: str
    released: int | None
    connections: int | None
    consumer_running_for: float | None
    consumer_timeout: int
    runs: int
    failed_runs: int
    covered: int
    source_lag: float | None
    in_kinesis: int
    iterator_age: float | None
    aggregator_invocations: int
    windows_closed: int
    window: int
    notified: int
    suppressed: int
    newest_alerts: tuple[str, ...]
    rejected: int
    troubles: int


class View:
    """Shows snapshots from its own thread, between `with` and its end.

    Parameters
    ----------
    console
        Where to; a terminal gets the live picture.
    take
        Called for a snapshot several times a second.
    title
        What runs.
    """

    def __init__(self, console: Console, take: Callable[[], Snapshot], title: str) -> None:
        self._console = console
        self._take = take
        self._title = title
        self._began = time.monotonic()
        self._released = deque([(self._began, 0)])
        self._delivered = deque([(self._began, 0)])
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="view", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        if not self._console.is_terminal:
            while not self._stopping.wait(_PLAIN_SECONDS):
                self._console.print(self._plain(self._look()), highlight=False, soft_wrap=True)
            return
        with Live(console=self._console, auto_refresh=False, transient=True) as live:
            while not self._stopping.wait(1 / _REFRESHES):
                live.update(self.picture(self._look()), refresh=True)

    def _look(self) -> Snapshot:
        snapshot = self._take()
        now = time.monotonic()
        for history, value in ((self._released, snapshot.released or 0), (self._delivered, snapshot.in_kinesis)):
            history.append((now, value))
            while now - history[0][0] > _HISTORY:
                history.popleft()
        return snapshot

    def picture(self, now: Snapshot) -> RenderableType:
        """Draw a snapshot."""
        grid = Table.grid(padding=(0, 2))
        grid.add_column(style="bold", min_width=10)
        grid.add_column(justify="right", min_width=9)
        grid.add_column(ratio=1)
        if now.released is not None:
            sent = (self._bars(self._released), "cyan")
            line = Text.assemble("updates sent  ", sent, f"  {_rate(self._released):,.0f}/s")
            grid.add_row("source", f"{now.released:,}", line)
        grid.add_row(
            "Kinesis",
            f"{now.in_kinesis:,}",
            Text.assemble(
                "updates read  ", (self._bars(self._delivered), "green"), f"  {_rate(self._delivered):,.0f}/s"
            ),
        )
        grid.add_row("", "", "")
        grid.add_row("consumer", f"run {now.runs + (now.consumer_running_for is not None)}", _consumer_line(now))
        if now.released is not None:
            grid.add_row(
                "checkpoint",
                f"{_percent(now.covered, now.released)}",
                f"of what was sent is committed{_lag(now.source_lag)}",
            )
        elif now.source_lag is not None:
            grid.add_row("source lag", f"{now.source_lag:,.1f} s", "behind the stream")
        grid.add_row("windows", f"{now.windows_closed:,}", _windows_line(now))
        grid.add_row("alerts", f"{now.notified:,}", f"sent, {now.suppressed:,} suppressed")
        for alert in reversed(now.newest_alerts):
            grid.add_row("", "", Text(alert, style="yellow", overflow="ellipsis", no_wrap=True))
        parts: list[RenderableType] = [grid]
        if now.troubles or now.rejected:
            parts.append(Text(f"\n{now.troubles:,} troubles, {now.rejected:,} lines rejected", style="yellow"))
        return Panel(
            Group(*parts),
            title=f"[bold]{self._title}[/bold]",
            subtitle=f"[dim]{now.phase} · {self._elapsed()} · Ctrl-C ends the run[/dim]",
            box=box.ROUNDED,
            border_style="blue",
            padding=(1, 2),
        )

    def _plain(self, now: Snapshot) -> str:
        if now.released is None:
            come = f"{now.in_kinesis:,} in Kinesis ({_rate(self._delivered):,.0f}/s), "
        else:
            come = (
                f"{now.released:,} sent ({_rate(self._released):,.0f}/s), "
                f"{now.in_kinesis:,} in Kinesis, {_percent(now.covered, now.released)} committed, "
            )
        return f"{self._elapsed()}  {now.phase}: {come}windows closed: {now.windows_closed:,}, alerts: {now.notified:,}"

    def _elapsed(self) -> str:
        seconds = int(time.monotonic() - self._began)
        return f"{seconds // 60}:{seconds % 60:02d}"

    def _bars(self, history: deque[tuple[float, int]]) -> str:
        """Draw updates per second of the last seconds, newest on the right."""
        width = 20
        if len(history) < _REFRESHES:
            return " " * width
        newest = history[-1][0]
        per_step = [0] * width
        step = _HISTORY / width
        for (_, before), (at, after) in zip(history, list(history)[1:], strict=False):
            per_step[max(0, width - 1 - int((newest - at) / step))] += after - before
        highest = max(per_step) or 1
        return "".join(_BARS[round(value / highest * (len(_BARS) - 1))] for value in per_step)


def _rate(history: deque[tuple[float, int]]) -> float:
    """Return the updates per second over the last few seconds."""
    if len(history) < 2:  # noqa: PLR2004 -- a rate needs two points
        return 0.0
    at, value = history[-1]
    since, before = next(point for point in history if at - point[0] <= _RATE_SECONDS)
    return (value - before) / (at - since) if at > since else 0.0


def _percent(part: int, whole: int) -> str:
    return f"{100 * min(part, whole) // whole} %" if whole else "-"


def _lag(seconds: float | None) -> str:
    # A recording is years old, and generated traffic with a seed begins on its own day: no lag worth showing.
    return "" if seconds is None or seconds > _LONGEST_LAG else f", source lag {seconds:,.1f} s"


def _consumer_line(now: Snapshot) -> str:
    state = (
        "waits for the next tick"
        if now.consumer_running_for is None
        else f"reading for {now.consumer_running_for:,.0f} of {now.consumer_timeout:,} s"
    )
    failed = f", {now.failed_runs:,} runs failed" if now.failed_runs else ""
    connections = "" if now.connections is None else f", connections so far: {now.connections:,}"
    return f"{state}{connections}{failed}"


def _windows_line(now: Snapshot) -> str:
    age = "" if now.iterator_age is None else f", iterator age {now.iterator_age:,.1f} s"
    return f"of {now.window} s closed, {now.aggregator_invocations:,} invocations{age}"
