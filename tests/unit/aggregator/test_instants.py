"""Instants as microseconds: exact both ways, and written as few decimals as they need."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.instants import EPOCH, moment, offset, parse, sortable_text, text

FIRST, LAST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
INSTANTS = st.datetimes(timezones=st.just(UTC))


@given(origin=INSTANTS, instant=INSTANTS)
def test_an_offset_leads_back_to_its_instant(origin, instant):
    """No microsecond is lost, however far apart the two are."""
    assert moment(origin, offset(origin, instant)) == instant


@pytest.mark.parametrize(("microseconds", "edge"), [(-(10**18), FIRST), (10**18, LAST)])
def test_what_no_calendar_holds_is_its_first_or_last_instant(microseconds, edge):
    """An update with a wild time must not end the invocation."""
    assert moment(EPOCH, microseconds) == edge


@pytest.mark.parametrize(
    ("microsecond", "written"),
    [(0, "2024-03-04T23:24:00Z"), (120_000, "2024-03-04T23:24:00.120Z"), (7, "2024-03-04T23:24:00.000007Z")],
)
def test_a_text_has_as_many_decimals_as_are_needed(microsecond, written):
    """None, three or six: as the API writes its times."""
    assert text(datetime(2024, 3, 4, 23, 24, 0, microsecond, tzinfo=UTC)) == written


@given(instants=st.lists(INSTANTS, min_size=2))
def test_sortable_texts_sort_as_the_instants(instants):
    """DynamoDB compares texts."""
    assert sorted(map(sortable_text, instants)) == [sortable_text(one) for one in sorted(instants)]


def test_a_window_edge_without_a_zone_is_refused():
    """It could be any of a day's hours."""
    assert parse("2024-03-04T23:24:00+01:00") - EPOCH == timedelta(seconds=1_709_591_040)
    with pytest.raises(ValueError, match="no time zone; expected an RFC 3339 time"):
        parse("2024-03-04T23:24:00")
