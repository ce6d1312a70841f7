"""Which of two updates is newer."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from common.recency import measured, order

TIMES = st.integers(0, 20)
UPDATES = st.tuples(TIMES, st.none() | TIMES)


def test_a_clock_that_runs_ahead_does_not_keep_the_state():
    """A measurement cannot be later than its ingestion."""
    wrong, right = (1_000, 10), (12, 13)
    assert order(*wrong) < order(*right)
    assert measured(*wrong) == 10


@given(first=UPDATES, second=UPDATES)
def test_two_updates_are_equal_only_if_their_times_are(first, second):
    """Otherwise one of them is the newer, whoever compares."""
    assert (order(*first) == order(*second)) == (first == second)
    assert (order(*first) < order(*second)) + (order(*second) < order(*first)) == (first != second)


@given(timestamp=TIMES, ingestion=TIMES)
def test_without_an_ingestion_time_it_comes_before_one_that_has_it(timestamp, ingestion):
    """Of two that were measured at the same time by the same clock."""
    if ingestion >= timestamp:
        assert order(timestamp, None) < order(timestamp, ingestion)
