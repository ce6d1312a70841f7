"""Addresses, callsigns and times in the one way that keys and comparisons use."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

import msgspec
import pytest

from common import normal_form


class Named(msgspec.Struct, frozen=True):
    """As much of an update as is normalized."""

    icao_address: str
    callsign: str | None = None


def test_addresses_are_in_upper_case_and_without_blanks():
    """One that is written otherwise changes nothing of the others."""
    updates = [Named("78121E"), Named(" 4ca7b1 ")]
    assert normal_form.addresses(updates) == ["78121E", "4CA7B1"]
    assert normal_form.are_addressed(updates)


@pytest.mark.parametrize("address", ["", " ", "A" * 33])
def test_an_address_that_no_key_holds_leaves_all_as_they_are(address):
    """They are looked at one by one then."""
    updates = [Named("4ca7b1", " X "), Named(address)]
    assert not normal_form.normalize(updates)
    assert not normal_form.are_addressed(updates)
    assert updates[0] == Named("4ca7b1", " X ")


def test_callsigns_lose_their_padding_and_a_blank_one_is_absent():
    """Feeds pad them to eight characters."""
    updates = [Named("4ca7b1", "CCA8302 "), Named("78121E", "   "), Named("78121F", "BAW1"), Named("781220", "")]
    assert normal_form.normalize(updates)
    assert [update.callsign for update in updates] == ["CCA8302", None, "BAW1", None]


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2024-03-04T23:24:00Z", datetime(2024, 3, 4, 23, 24, tzinfo=UTC)),
        (" 2024-03-04t23:24:00 ", datetime(2024, 3, 4, 23, 24, tzinfo=UTC)),
        ("2024-03-05T00:24:00+01:00", datetime(2024, 3, 4, 23, 24, tzinfo=UTC)),
        ("2016-12-31T23:59:60Z", datetime(2017, 1, 1, tzinfo=UTC)),
        ("yesterday", None),
        ("9999-12-31T23:59:60Z", None),
    ],
)
def test_a_time_without_a_zone_is_utc_and_a_leap_second_the_one_after(text, instant):
    """Nothing that is not a time is taken for one."""
    assert normal_form.instant(text) == instant


def test_the_calendars_first_and_last_year_are_no_times_of_the_feed():
    """Moved by a zone they would leave it."""
    usual, last = datetime(2024, 3, 4, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
    assert normal_form.are_within_years([SimpleNamespace(timestamp=usual, ingestion_time=None)])
    assert not normal_form.are_within_years([SimpleNamespace(timestamp=usual, ingestion_time=last)])
