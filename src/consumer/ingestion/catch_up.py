"""Decides when a periodic run has caught up: it has everything that was there when it began."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


class CatchUp:
    """Tells at each token whether the run has caught up.

    It has if that token's interval held an update ingested after the run began, or, where the filter lets few updates
    pass, if none has come for a while. A wrong answer loses nothing: it makes this run longer, or the next one, which
    goes on at the token.
    """

    def __init__(self, began: datetime, *, quiet_seconds: float) -> None:
        """Catch up with what was ingested by `began`; take so many seconds without an update for the end of it."""
        self._began = began
        self._quiet_seconds = quiet_seconds
        self._updates = 0
        self._last_update_at = 0.0

    def connected(self, monotonic: float) -> None:
        """Note a new connection: the server has not been silent before it."""
        self._last_update_at = monotonic

    def is_done(self, updates: int, reached: datetime | None, monotonic: float) -> bool:
        """Judge at a token.

        `updates` is how many the run has read so far, `reached` how far the stream had come by the updates of the last
        interval (`StreamTime`), and `monotonic` when the token came, in seconds.
        """
        if updates == self._updates:
            return monotonic - self._last_update_at >= self._quiet_seconds
        self._updates, self._last_update_at = updates, monotonic
        return reached is not None and reached >= self._began
