"""Decides when to stop, by the remaining time and the observed interval between position tokens."""

from __future__ import annotations

from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

RESERVE_SECONDS = 1.5
"""Kept for the end: the last records acknowledged, the last checkpoint written."""

DEFAULT_TOKEN_INTERVAL = 15.0
"""Seconds between tokens until some were seen (API: "at least every 15 s plus latency")."""

_LONGEST = 2 * DEFAULT_TOKEN_INTERVAL
"""Seconds of stream time that one interval may take: where few aircraft are, hours may lie between two updates."""

_SLACK = 1.03
_OBSERVED = 8


class TimeBudget:
    """Tells at each token whether another one would come in time.

    A graceful stop comes right after a token, so that nothing has to be sent again. Stopping at the first token in the
    last N seconds would waste up to N seconds; this waits for the last token that fits.

    While catching up, tokens come faster than they will once the stream is live again. So within one interval of the
    live edge, the interval is measured in stream time (from the newest `ingestion_time` of one token to that of the
    next) where that is longer.
    """

    def __init__(self, remaining: Callable[[], float], *, reserve: float = RESERVE_SECONDS) -> None:
        self._remaining = remaining
        self._reserve = reserve
        self._wall: deque[float] = deque(maxlen=_OBSERVED)
        self._stream: deque[float] = deque(maxlen=_OBSERVED)
        self._last: float | None = None
        self._furthest: datetime | None = None  # from a clock that is behind, and back, no stream time passes
        self._lag = timedelta.max

    def connected(self, monotonic: float, newest_ingestion_time: datetime | None) -> None:
        """Note a new connection; the time until its first token is at most an interval, so it counts as one."""
        self._last = monotonic
        self._advance(newest_ingestion_time)

    def token_arrived(self, monotonic: float, newest_ingestion_time: datetime | None, now: datetime) -> None:
        """Observe a token: when it came (seconds), and how far the stream had come by then."""
        if newest_ingestion_time is not None and newest_ingestion_time > now:
            newest_ingestion_time = None  # our clock is behind: it cannot say how far the stream is (`StreamTime`)
        if newest_ingestion_time is not None:
            self._lag = now - newest_ingestion_time
        passed = self._advance(newest_ingestion_time)
        if self._last is not None:
            self._wall.append(monotonic - self._last)
            if passed is not None:
                self._stream.append(min(_LONGEST, passed.total_seconds()))
        self._last = monotonic

    def _advance(self, newest: datetime | None) -> timedelta | None:
        """Note how far the stream has come; return by how much that is further, None if it is not known."""
        before = self._furthest
        if newest is not None:
            self._furthest = newest if before is None else max(before, newest)
        return None if newest is None or before is None or self._furthest is None else self._furthest - before

    @property
    def expected_interval(self) -> float:
        """Seconds within which the next token is expected: the longest of the last few intervals."""
        if not self._wall:
            return DEFAULT_TOKEN_INTERVAL
        stream = max(self._stream, default=0.0)
        wall = max(self._wall)
        near_live = self._lag.total_seconds() < stream + wall
        return max(wall, stream) if near_live else wall

    @property
    def remaining(self) -> float:
        """Seconds until the reserve begins; negative within it."""
        return self._remaining() - self._reserve

    @property
    def is_exhausted(self) -> bool:
        """Whether reading must stop now, token or not."""
        return self.remaining <= 0

    def fits(self, seconds: float) -> bool:
        """Return whether something that takes about `seconds` would be done in time."""
        return self.remaining > seconds * _SLACK

    @property
    def another_token_fits(self) -> bool:
        """Whether the next token is expected in time."""
        return self.fits(self.expected_interval)
