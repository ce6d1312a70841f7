"""The consumer's waits under faults: seconds where a deployment has minutes."""

from __future__ import annotations

LEASE_SECONDS, SILENCE_SECONDS, STALE_SECONDS = 1.5, 0.8, 1.2
"""The consumer's waits in a schedule (`src/consumer/timing.py`): a thirtieth of a deployment's and more."""


def waits() -> dict[str, str]:
    """Return the variables that shorten the consumer's waits."""
    return {
        "LEASE_SECONDS": str(LEASE_SECONDS),
        "SILENCE_SECONDS": str(SILENCE_SECONDS),
        "STALE_SECONDS": str(STALE_SECONDS),
    }
