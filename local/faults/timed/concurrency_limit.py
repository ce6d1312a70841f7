"""Reserved concurrency of a schedule: Lambda's own setting belongs to the stack, which outlives the schedule."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from local.runtime.invocation import InvocationResult, ThrottledError

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.runtime.function import Function


class ConcurrencyLimit:
    """Lets so many invocations through at once, as reserved concurrency does, and keeps the results.

    `ended` is called with each as soon as it has ended.
    """

    def __init__(self, function: Function, most: int, ended: Callable[[InvocationResult], None]) -> None:
        self._ended = ended
        self.results: list[InvocationResult] = []
        self._function = function
        self._most = most
        self._lock = threading.Lock()
        self._under_way = 0

    def invoke(self, event: bytes) -> InvocationResult:
        """Invoke, or be throttled."""
        with self._lock:
            if self._under_way >= self._most:
                raise ThrottledError(f"{self._under_way} of {self._most} invocations are under way")
            self._under_way += 1
        try:
            result = self._function.invoke(event)
        finally:
            with self._lock:
                self._under_way -= 1
        self.note(result)
        return result

    def note(self, result: InvocationResult) -> None:
        """Take note of an invocation, one that went past this gate too."""
        self._ended(result)
        self.results.append(result)
