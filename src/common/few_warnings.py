"""A few warnings of an invocation in the log, and how many more there were: a batch may hold thousands of them."""

from __future__ import annotations

from typing import Any, Final, Protocol

AT_MOST: Final = 10
"""Lines of one invocation; the metrics count all."""


class Log(Protocol):
    """The part of a logger that is used here."""

    def warning(self, msg: object, *, extra: dict[str, Any]) -> None:
        """Write a line with fields."""


class FewWarnings:
    """Those of one invocation, of one thread."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._left_out = -AT_MOST

    def warning(self, message: str, *, extra: dict[str, Any]) -> None:
        """Log a line, if it is not one too many."""
        self._left_out += 1
        if self._left_out <= 0:
            self._log.warning(message, extra=extra)

    def close(self) -> None:
        """Say how many were left out."""
        if self._left_out > 0:
            self._log.warning("more records were skipped than are logged", extra={"left_out": self._left_out})
        self._left_out = -AT_MOST
