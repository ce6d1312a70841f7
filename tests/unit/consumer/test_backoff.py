"""Full jitter: a random wait between zero and a bound that doubles up to its cap."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.backoff import Backoff


class FixedRandom(Random):
    """Draws always the same share of what it may."""

    def __init__(self, share):
        super().__init__()
        self.share = share

    def uniform(self, a, b):
        """Return the point at that share of the way."""
        return a + (b - a) * self.share


@pytest.mark.parametrize(("attempt", "bound"), [(1, 0.5), (2, 1), (3, 2), (6, 16), (7, 30), (50, 30), (10**9, 30)])
def test_the_bound_doubles_up_to_the_cap(attempt, bound):
    """The longest wait doubles with each attempt and never passes the cap, however many attempts there were."""
    assert Backoff(0.5, 30, FixedRandom(1.0)).delay(attempt) == bound


@given(seed=st.integers(), attempt=st.integers(1, 10_000))
def test_the_wait_lies_within_its_bound(seed, attempt):
    """No wait is negative, or longer than the bound of its attempt."""
    assert 0 <= Backoff(0.5, 30, Random(seed)).delay(attempt) <= min(30, 0.5 * 2 ** min(attempt - 1, 10))


def test_the_jitter_is_full():
    """Waits are spread over the whole range from zero on, so that many clients do not come back together."""
    backoff = Backoff(1, 1, Random(7))
    waits = sorted(backoff.delay(1) for _ in range(1000))
    assert all(abs(wait - rank / 1000) < 0.06 for rank, wait in enumerate(waits))


def test_two_consumers_wait_differently():
    """By default each has randomness of its own."""
    first, second = Backoff(1, 30), Backoff(1, 30)
    assert [first.delay(5) for _ in range(4)] != [second.delay(5) for _ in range(4)]
