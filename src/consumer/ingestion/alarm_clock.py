"""Wakes the reader when reading has to end, wherever it waits: a thread beside it, while it reads."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from consumer.deadline import Deadline
    from consumer.ingestion.processor import TargetProcessor
    from consumer.ingestion.reader import StreamReader
    from consumer.ingestion.stop_request import StopRequest
    from consumer.ingestion.time_budget import TimeBudget

_STOP_SECONDS = 30.0
"""A stop that was asked for waits so long for a position token: they come every 15 s, and some arrive late."""

_LOOK_SECONDS = 0.2


class AlarmClock:
    """One run's; `interrupt` is called when its time is up, again and again until reading is over."""

    def __init__(  # noqa: PLR0913, PLR0917 - what it looks at, and whom it wakes
        self,
        budget: TimeBudget,
        deadline: Deadline,
        stop_request: StopRequest,
        processor: TargetProcessor,
        reader: StreamReader,
        interrupt: Callable[[], None],
    ) -> None:
        self._budget = budget
        self._deadline = deadline
        self._stop_request = stop_request
        self._processor = processor
        self._reader = reader
        self._interrupt = interrupt

    @contextmanager
    def running(self) -> Iterator[None]:
        """Watch while the block runs."""
        is_over = threading.Event()
        threading.Thread(target=self._watch, args=(is_over,), name="alarm-clock", daemon=True).start()
        try:
            yield
        finally:
            is_over.set()

    def _watch(self, is_over: threading.Event) -> None:
        while not is_over.wait(min(_LOOK_SECONDS, max(0.01, self._budget.remaining))):
            if self._stop_request.reason is not None:
                self._deadline.bring_forward(_STOP_SECONDS)
                if not self._processor.has_uncommitted:
                    self._reader.interrupt()
            if self._budget.is_exhausted:
                self._interrupt()
