"""Rate-limited warnings for events that the outside can cause at will; the number left out is logged, too."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from common.observability import logger

if TYPE_CHECKING:
    from collections.abc import Callable

AT_ONCE = 10
"""Warnings that are logged one after the other."""

SECONDS_EACH = 10.0
"""After those, one is logged in so many seconds: 6 a minute, 90 in the longest run."""


class RareWarning:
    """One kind of warning; safe to use from several threads."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._may_log = float(AT_ONCE)
        self._at = monotonic()
        self._left_out = 0

    def warning(self, message: str, **fields: Any) -> None:
        """Log the message with its fields, if it is not one too many; a field that costs something is a function."""
        with self._lock:
            now = self._monotonic()
            self._may_log = min(float(AT_ONCE), self._may_log + (now - self._at) / SECONDS_EACH)
            self._at = now
            if self._may_log < 1.0:
                self._left_out += 1
                return
            self._may_log -= 1.0
            left_out, self._left_out = self._left_out, 0
        if left_out:
            fields["left_out_before"] = left_out
        logger.warning(message, **{name: value() if callable(value) else value for name, value in fields.items()})

    def close(self) -> None:
        """Say how many were left out since the last one that was logged."""
        with self._lock:
            left_out, self._left_out = self._left_out, 0
        if left_out:
            logger.warning("more warnings of this kind were left out", left_out=left_out)
