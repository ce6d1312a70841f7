"""Exponential backoff with full jitter: a random wait between zero and a bound that doubles with each attempt."""

from __future__ import annotations

import random
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Backoff:
    """Bounds in seconds: `base` for the first attempt, doubled for each further one, never over `cap`."""

    base: float
    cap: float
    random: random.Random = field(default_factory=random.Random)

    def delay(self, attempt: int) -> float:
        """Return the wait in seconds before trying again after failed attempt number `attempt` (1, 2, ...)."""
        bound = min(self.cap, self.base * 2.0 ** min(attempt - 1, 32))
        return self.random.uniform(0.0, bound)
