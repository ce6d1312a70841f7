"""How far the stream has come, by the ingestion times of what was read: the one rule of which times count.

A wrong clock must not hide how far the stream has come: a recovery begins at that time, the lag is measured from it,
and it decides whether a run has caught up. So each time is compared with those beside it, and with our clock:

- A time of a year that the checkpoint does not take is left out: committed, it would stop every later run.
- In an interval, a time more than 30 s ahead of three quarters of the others is left out. Of two that are so far apart
  the older one counts: a time too early fetches a little twice, a time too late loses what lies between.
- Nothing is ingested after it was received, so a time ahead of our clock is left out, even if it is the only one of its
  interval, which then says nothing. Only where most of the last 64 updates are ahead is our clock slow, or the stream
  faster than time, as in a simulation.
"""

from __future__ import annotations

from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING

from consumer.checkpoint.document import YEARS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

_TIMES = 64
"""So many of the newest updates are judged by: of an interval, and of all that was read."""

_AHEAD_OF_THE_OTHERS = timedelta(seconds=30)
"""A recovery begins twice as much earlier (`recovery_plan`)."""


class StreamTime:
    """Remembers the ingestion times that were read last."""

    def __init__(self) -> None:
        self._times: deque[datetime] = deque(maxlen=_TIMES)
        self._of_interval = 0

    def note(self, times: Collection[datetime]) -> None:
        """Take note of the ingestion times of updates, as they come."""
        self._times.extend(times)
        self._of_interval += len(times)

    def close(self, there: datetime) -> datetime | None:
        """Return how far the stream had come by the updates since the last call; None if they do not say.

        `there` is where the stream stands now by our clock: the time, less the stream's delay by design.
        """
        first = max(0, len(self._times) - self._of_interval)
        times, self._of_interval = [time for time in list(self._times)[first:] if time.year in YEARS], 0
        if not self._is_ahead(there):
            times = [time for time in times if time <= there]
        return _newest(times) if times else None

    def clear(self) -> None:
        """Forget all: what comes now follows from somewhere else."""
        self._times.clear()
        self._of_interval = 0

    def _is_ahead(self, there: datetime) -> bool:
        return sum(time > there for time in self._times) > _TIMES // 2


def _newest(times: Iterable[datetime]) -> datetime:
    """Return the newest of some times, but for what is far ahead of the others; a quarter may be wrong."""
    in_order = sorted(times)
    usual = in_order[max(0, len(in_order) - 1 - (len(in_order) + 3) // 4)]
    return max(time for time in in_order if time - usual <= _AHEAD_OF_THE_OTHERS)
