"""The watermark: a token is safe exactly when every update before it is acknowledged."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.checkpoint.position import Position
from consumer.checkpoint.watermark import MAX_OPEN_INTERVALS, Watermark

NOW = datetime(2024, 3, 4, 23, 24, 2, tzinfo=UTC)


def position(token):
    """The position at a token."""
    return Position(position_token=str(token), token_received_at=NOW)


@given(sizes=st.lists(st.integers(1, 4), min_size=1, max_size=8), data=st.data())
def test_a_token_is_safe_exactly_when_all_before_it_is_acknowledged(sizes, data):
    """Whatever the order of acknowledgements, tokens come out in order, each at once, and none too early."""
    watermark = Watermark()
    updates, taken, safe = [], [], []

    def check():
        assert watermark.has_settled == bool(safe[len(taken) :])
        taken.extend(interval.closed_by.position_token for interval in watermark.take_settled())
        assert taken == safe

    closed = 0
    outstanding = [0] * len(sizes)

    def count_safe():
        unsettled = [number for number in range(closed) if outstanding[number]]
        safe[:] = [str(number) for number in range(min(unsettled, default=closed))]

    for number, size in enumerate(sizes):
        watermark.current.taken += size
        outstanding[number] = size
        updates += [(number, watermark.current)] * size
        # Some are acknowledged before their interval is closed, and in any order.
        for _ in range(data.draw(st.integers(0, len(updates)))):
            of, interval = updates.pop(data.draw(st.integers(0, len(updates) - 1)))
            interval.acknowledged += 1
            outstanding[of] -= 1
            count_safe()
            check()
        watermark.close(position(number))
        closed += 1
        count_safe()
        check()
    for of, interval in data.draw(st.permutations(updates)):
        interval.acknowledged += 1
        outstanding[of] -= 1
        count_safe()
        check()
    assert taken == [str(number) for number in range(len(sizes))]


def test_an_interval_without_updates_is_safe_at_once():
    """A quiet stream moves its checkpoint on: a token with nothing before it needs no acknowledgement."""
    watermark = Watermark()
    watermark.close(position("a"))
    assert [interval.closed_by for interval in watermark.take_settled()] == [position("a")]


def test_the_open_interval_is_never_safe():
    """Without a token after them there is nothing to commit, although all is acknowledged."""
    watermark = Watermark()
    watermark.current.taken = watermark.current.acknowledged = 3
    assert not watermark.current.is_settled
    assert not watermark.has_settled
    assert watermark.take_settled() == []


def test_what_was_rejected_comes_with_its_interval():
    """Rejected lines are handed out with the token after them, to be written before it is committed."""
    watermark = Watermark()
    watermark.current.rejected.append("line")
    watermark.close(position("a"))
    assert [interval.rejected for interval in watermark.take_settled()] == [["line"]]
    assert watermark.current.rejected == []


def test_tokens_without_updates_take_no_room():
    """However many come behind an update that is not acknowledged, the last of them is what is safe in the end."""
    watermark = Watermark()
    interval = watermark.current
    interval.taken = 1
    for number in range(10 * MAX_OPEN_INTERVALS):
        assert watermark.close(position(number))
    assert watermark.closed == 1
    interval.acknowledged = 1
    assert [one.closed_by for one in watermark.take_settled()] == [position(10 * MAX_OPEN_INTERVALS - 1)]


def test_tokens_beyond_the_bound_are_skipped():
    """What follows counts as before the next token that can be noted: it is safe later, and none is safe too early."""
    watermark = Watermark()
    intervals = []
    for number in range(2 * MAX_OPEN_INTERVALS):
        interval = watermark.current
        interval.taken += 1
        intervals.append(interval)
        assert watermark.close(position(number)) == (number < MAX_OPEN_INTERVALS)
    assert watermark.uncommitted == MAX_OPEN_INTERVALS
    for interval in intervals:
        interval.acknowledged += 1
    safe = [one.closed_by.position_token for one in watermark.take_settled()]
    assert safe == [str(number) for number in range(MAX_OPEN_INTERVALS)]
    assert watermark.close(position("late"))
    assert [one.taken for one in watermark.take_settled()] == [MAX_OPEN_INTERVALS]


def test_the_newest_token_that_was_skipped_is_safe_at_the_end():
    """A run may stop at it and drain: once all is acknowledged nothing of what it read has to come again."""
    watermark = Watermark()
    intervals = []
    for number in range(MAX_OPEN_INTERVALS + 5):
        watermark.current.taken += 1
        intervals.append(watermark.current)
        watermark.close(position(number))
    watermark.end()
    for interval in intervals[:-1]:
        interval.acknowledged += 1
    assert watermark.take_settled()[-1].closed_by == position(MAX_OPEN_INTERVALS - 1)
    intervals[-1].acknowledged += 1
    assert [one.closed_by for one in watermark.take_settled()] == [position(MAX_OPEN_INTERVALS + 4)]


@pytest.mark.parametrize("skipped", [0, 1])
def test_what_was_read_since_the_newest_token_is_not_safe_at_the_end(skipped):
    """There is no token behind it: none that has been committed or replaced stands in for it."""
    watermark = Watermark()
    for number in range(MAX_OPEN_INTERVALS + skipped):
        watermark.current.taken = watermark.current.acknowledged = watermark.current.taken + 1
        watermark.close(position(number))
    watermark.take_settled()
    watermark.close(position("newer"))
    watermark.take_settled()
    watermark.current.taken = watermark.current.acknowledged = 1
    watermark.end()
    assert watermark.take_settled() == []
