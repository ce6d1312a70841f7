"""Polling and retry intervals of a mapping: Lambda does not publish most of these, so they are settings."""

from __future__ import annotations

from dataclasses import dataclass

SHORTEST_POLL = 0.1
"""Seconds between two reads of a shard at the least: each is a request to the local AWS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Waits in seconds.

    Lambda polls a shard about once a second. `poll_limit` is the most records of one GetRecords call (the API's own
    limit is 10,000). A failed batch is tried again after `first_retry`, then twice as long each time, up to
    `longest_retry`. A throttled or unreachable function is asked again after `throttled`.
    """

    poll_interval: float = 1.0
    poll_limit: int = 10_000
    discovery_interval: float = 1.0
    first_retry: float = 1.0
    longest_retry: float = 60.0
    throttled: float = 0.5
    first_batch_waits: bool = True
    """Whether a shard's very first batch waits for the batching window, too: somebody may be looking at a first run."""

    @classmethod
    def at(cls, speed: float) -> Pace:
        """Return the pace beside a feed that runs `speed` times as fast: a poll has to come as much sooner.

        Never sooner than after `SHORTEST_POLL`. Retries keep their waits: what they wait for runs no faster. The first
        batch goes at once, so that the first aircraft is on the map as many seconds earlier.
        """
        interval = min(cls().poll_interval, max(SHORTEST_POLL, cls().poll_interval / speed))
        return cls(poll_interval=interval, first_batch_waits=False)

    def retry_wait(self, failures: int) -> float:
        """Seconds before the next try, after this many failures in a row (1 and up)."""
        return float(min(self.longest_retry, self.first_retry * 2 ** min(failures - 1, 30)))
