"""How old a position is when the page draws it, calculated from the parts; `live_freshness` measures it on one machine.

Each wait is taken as equally likely from nothing to its longest, and as independent of the others.
"""

from __future__ import annotations

SHARD_READ_SECONDS = 1.0
"""Lambda reads a shard once a second (developer guide, Using Lambda to process records from Amazon Kinesis)."""
CACHE_SECONDS = 1.0
"""CloudFront's time to live for an open snapshot."""
POLL_SECONDS = 1.0
"""The page's shortest wait, which it keeps to until there is a new snapshot."""
WORK_SECONDS = 0.7
"""Assumed: to Kinesis 0.1, Lambda's read 0.1, the aggregator and its write to S3 0.3, S3 to CloudFront to page 0.2."""

_STEP = 0.02


def drawn_within(batch_seconds: float, linger_seconds: float, share: float = 0.95) -> float:
    """Return the seconds within which a share of all positions is drawn, since they were received."""
    waits = (linger_seconds, SHARD_READ_SECONDS, batch_seconds, CACHE_SECONDS, POLL_SECONDS)
    likely = [1.0]
    for longest in waits:
        steps = max(1, round(longest / _STEP))
        sums = [0.0] * (len(likely) + steps - 1)
        for index, probability in enumerate(likely):
            for step in range(steps):
                sums[index + step] += probability / steps
        likely = sums
    reached = 0.0
    for index, probability in enumerate(likely):
        reached += probability
        if reached >= share:
            return WORK_SECONDS + (index + len(waits) / 2) * _STEP
    raise AssertionError("the probabilities do not add up to one")
