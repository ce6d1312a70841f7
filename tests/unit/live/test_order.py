"""What is newer, of snapshots and of updates."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import recency
from live.errors import SnapshotError
from live.order import Freshness, Order

NUMBERS = st.integers(0, 10**30)


@given(order=st.builds(Order, NUMBERS, NUMBERS, NUMBERS))
def test_an_order_is_read_as_it_was_written(order):
    """It lies in an object's metadata; a sequence number has up to 56 digits."""
    assert Order.from_text(order.text()) == order


@pytest.mark.parametrize("text", ["", "1/2", "1/2/3/4", "1/2/-3", "1/2/x", "1/2/\u0663", "1//3"])
def test_what_is_not_an_order_is_refused(text):
    """Somebody else's object must not be taken for ours."""
    with pytest.raises(SnapshotError, match="expected window start, part and sequence number"):
        Order.from_text(text)


def test_a_later_window_is_newer_than_any_part_of_an_earlier_one():
    """Then the part counts, then the record."""
    assert Order(2, 0, 0) > Order(1, 9, 9) > Order(1, 8, 99) > Order(1, 8, 98)


TIMES = st.integers(0, 20)


@given(first=st.tuples(TIMES, st.none() | TIMES), second=st.tuples(TIMES, st.none() | TIMES))
def test_updates_are_in_the_order_of_the_common_rule(first, second):
    """The fold, the table and the map agree on which update is the newest."""
    assert (Freshness.of(*first) < Freshness.of(*second)) == (recency.order(*first) < recency.order(*second))
