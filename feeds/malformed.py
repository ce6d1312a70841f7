"""Counts unreadable input from a receiver, and reports it once a minute at most."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from common.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable

_SECONDS_EACH = 60.0
_SHOWN, _REASON = 60, 80
"""Characters of the text and of what is wrong with it."""


class Malformed:
    """What was malformed so far; `tell` gets a sentence of bounded length, the first one at once."""

    def __init__(self, tell: Callable[[str], None], monotonic: Callable[[], float] = time.monotonic) -> None:
        self.count = 0
        self._tell = tell
        self._monotonic = monotonic
        self._output = 0
        self._next_at = monotonic()

    def note(self, reason: str, text: bytes, count: int = 1) -> None:
        """Take note of something malformed, and why; or of several of which this is one."""
        self.count += count
        if (now := self._monotonic()) < self._next_at:
            return
        since, self._output, self._next_at = self.count - self._output, self.count, now + _SECONDS_EACH
        shown = printable(text[: 4 * _SHOWN].decode("ascii", errors="replace"), _SHOWN)
        self._tell(f"malformed, left out: {since}; the last one: {printable(reason, _REASON)}, got {shown!r}")
