"""A day's parts: all addresses, each in one part, no more in a part than a run has time for."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flights.parts import as_part, as_plan, planned
from flights.row_groups import RowGroup

DAY = date(2024, 3, 4)


def _hour(addresses, rows):
    """Return the row groups of an hour whose rows are of these aircraft, in their order, so many of each."""
    of_rows = [address for address in sorted(addresses) for _ in range(rows)]
    groups = [of_rows[begin : begin + 10] for begin in range(0, len(of_rows), 10)]
    return [RowGroup(group[0], group[-1], len(group), 0, 1, 7) for group in groups]


ADDRESSES = st.sets(st.text("0123456789ABCDEF", min_size=6, max_size=6), min_size=1, max_size=30)


@given(st.lists(st.tuples(ADDRESSES, st.integers(1, 30)), max_size=5), st.integers(1, 200))
def test_each_address_is_in_one_part(hours, most):
    """From the first address to the last, without a gap; the same row groups in any order have the same parts."""
    groups = [group for addresses, rows in hours for group in _hour(addresses, rows)]
    plan = planned(DAY, "ab", groups, 9, most)
    assert plan == planned(DAY, "ab", groups[::-1], 9, most)
    assert [part.number for part in plan.parts] == list(range(len(plan.parts)))
    assert (plan.parts[0].begin, plan.parts[-1].end) == ("", "")
    assert [part.end for part in plan.parts[:-1]] == [part.begin for part in plan.parts[1:]]
    assert sorted({part.begin for part in plan.parts}) == [part.begin for part in plan.parts]


@given(st.lists(st.tuples(ADDRESSES, st.integers(1, 30)), min_size=1, max_size=5), st.integers(50, 200))
def test_no_part_has_more_than_it_may(hours, most):
    """But for a row group of each hour that reaches into it, and what has the same first address as another.

    A day that one run has time for is not cut.
    """
    groups = [group for addresses, rows in hours for group in _hour(addresses, rows)]
    parts = planned(DAY, "ab", groups, 9, most).parts
    if sum(one.rows for one in groups) <= 2 * most:
        assert len(parts) == 1
        return
    for part in parts:
        begun = [one for one in groups if one.first >= part.begin and (not part.end or one.first < part.end)]
        if len({one.first for one in begun}) > 1:
            reaching = [one for one in groups if one.first < part.begin and one.last >= part.begin]
            assert sum(one.rows for one in begun) <= most
            assert len(reaching) <= len(hours)


def test_it_has_a_name_of_its_own():
    """Whatever it depends on: parts of two plans are never joined."""
    groups = [RowGroup(f"{number}", f"{number}", 10, 0, 1, number) for number in range(9)]
    plans = [
        planned(DAY, "ab", groups, 9, 20),
        planned(DAY, "ac", groups, 9, 20),
        planned(DAY, "ab", groups, 9, 30),
        planned(DAY, "ab", groups, 5, 20),
    ]
    assert len({plan.parts[0].plan for plan in plans}) == len(plans)
    assert [plans[0].parts[0].until, plans[3].parts[0].until] == [8, 5]
    assert len({part.key for part in plans[0].parts}) == len(plans[0].parts)


def test_bounds_are_letters_and_digits():
    """They go through SQL, keys and events; another address is in a part all the same."""
    groups = [RowGroup(first, first, 10, 0, 1, 0) for first in ("A", "B'; --", "C", "É")]
    assert [part.begin for part in planned(DAY, "ab", groups, 9, 10).parts] == ["", "C"]


def test_an_event_has_what_a_plan_has():
    """As JSON; anything else is refused."""
    plan = planned(DAY, "ab", [], 9, 10)
    given = msgspec.to_builtins(plan)
    assert as_plan(given) == plan
    assert as_part(given["parts"][0]) == plan.parts[0]
    for wrong in ({"day": "2024-03-04/.."}, {"plan": "../x"}, {"begin": "' OR"}, {"end": None}, {"number": "1"}):
        with pytest.raises(msgspec.ValidationError):
            as_part({**given["parts"][0], **wrong})
