"""A function's log while it runs: the newest lines, and the metrics among them (CloudWatch embedded metric format)."""

from __future__ import annotations

import re
import threading
from collections import Counter, deque
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

_PLATFORM = ("START RequestId: ", "END RequestId: ", "REPORT RequestId: ")
_METRICS = '"_aws"'
_KEPT_LINES = 40

_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""What a terminal acts on, or what turns text around: a function may log what others have sent it."""


class FunctionLog:
    """Takes the lines of all of a function's execution environments; safe for several threads.

    `echo`, if there is one, gets each line but the metrics, with the function's name before it.
    """

    def __init__(self, name: str, echo: Callable[[str], None] | None = None) -> None:
        self._name = name
        self._echo = echo
        self._lock = threading.Lock()
        self._newest: deque[str] = deque(maxlen=_KEPT_LINES)
        self._sums: Counter[str] = Counter()
        self._last: dict[str, float] = {}

    def write(self, line: str) -> None:
        """Take one line."""
        if _METRICS in line and self._take_metrics(line):
            return
        line = _CONTROL.sub("?", line)
        if not line.strip():
            return
        if not line.startswith(_PLATFORM):
            with self._lock:
                self._newest.append(line)
        if self._echo is not None:
            self._echo(f"{self._name}: {line}")

    def newest(self, count: int = 10) -> list[str]:
        """Return the last lines the function wrote."""
        with self._lock:
            return list(self._newest)[-count:]

    def total(self, metric: str) -> float:
        """Return the sum of a metric's values so far."""
        with self._lock:
            return self._sums[metric]

    def last(self, metric: str) -> float | None:
        """Return a metric's newest value, or None before the first."""
        with self._lock:
            return self._last.get(metric)

    def _take_metrics(self, line: str) -> bool:
        """Add up a line in embedded metric format; return False if it is something else."""
        try:
            entry = msgspec.json.decode(line, type=dict[str, Any])
            names = [metric["Name"] for one in entry["_aws"]["CloudWatchMetrics"] for metric in one["Metrics"]]
            values = {name: entry[name] if isinstance(entry[name], list) else [entry[name]] for name in names}
        except (msgspec.DecodeError, KeyError, TypeError):
            return False
        with self._lock:
            for name, numbers in values.items():
                self._sums[name] += sum(numbers)
                if numbers:
                    self._last[name] = numbers[-1]
        return True
