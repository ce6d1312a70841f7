"""Query parameters are read as the API documents them; whatever else is refused by name."""

from __future__ import annotations

import pytest

from local.simulator import times
from local.simulator.filters import Filters
from local.simulator.query import QueryError, StreamQuery, parse

NOW = times.parse("2024-03-05T12:00:00Z")


def test_defaults():
    """Without parameters a client gets the live stream from now on, compressed and unfiltered."""
    assert parse("", NOW) == StreamQuery(position="LATEST", batch=None, gzip=True, filters=Filters())


def test_every_filter():
    """Every filter of the API is understood, in lists and ranges; names are compared in upper case."""
    query = parse(
        "icao_address=040172,a0b1c2&callsign=eth701&tail_number=ET-AWO&airline=ET,Air%20China&latitude_between=-10,10.5"
        "&longitude_between=170,-170&altitude_between=0,40000&max_age=60&late_filter=true&compression=none",
        NOW,
    )
    assert query.filters == Filters(
        icao_addresses=frozenset({"040172", "A0B1C2"}),
        callsigns=frozenset({"ETH701"}),
        tail_numbers=frozenset({"ET-AWO"}),
        airlines=frozenset({"ET", "AIR CHINA"}),
        latitude=(-10, 10.5),
        longitude=(170, -170),
        altitude=(0, 40000),
        max_age=60,
        late=True,
    )
    assert query.gzip is False


def test_batch_mode():
    """Start and end make a batch; a time without an offset is UTC."""
    query = parse("start=2024-03-05T11:00:00&end=2024-03-05T13:30:00%2B01:00", NOW)
    assert query.batch == (NOW - 3600, NOW + 1800)


def test_batch_reaches_back_a_day():
    """A start exactly 24 hours ago is served, one a second older is not."""
    assert parse("start=2024-03-04T12:00:00Z&end=2024-03-05T12:00:00Z", NOW).batch
    with pytest.raises(QueryError, match="within the last 24 hours"):
        parse("start=2024-03-04T11:59:59Z&end=2024-03-05T12:00:00Z", NOW)


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("compression=zip", "compression"),
        ("late_filter=1", "late_filter"),
        ("icao_address=04017", "icao_address"),
        ("icao_address=040172,,040173", "icao_address"),
        ("callsign=", "callsign"),
        ("callsign=TOOLONG99", "callsign"),
        ("tail_number=", "tail_number"),
        ("airline=%20", "airline"),
        ("latitude_between=10", "latitude_between"),
        ("latitude_between=10,5", "latitude_between"),
        ("latitude_between=-91,5", "latitude_between"),
        ("latitude_between=nan,5", "latitude_between"),
        ("longitude_between=5,5", "longitude_between"),
        ("longitude_between=0,181", "longitude_between"),
        ("altitude_between=a,b", "altitude_between"),
        ("altitude_between=1,2,3", "altitude_between"),
        ("max_age=0", "max_age"),
        ("max_age=soon", "max_age"),
        ("max_age=nan", "max_age"),
        ("position_token=", "position_token"),
        ("start=2024-03-05T11:00:00Z", "end"),
        ("end=2024-03-05T11:00:00Z", "start"),
        ("start=yesterday&end=2024-03-05T11:00:00Z", "start"),
        ("start=2024-03-05T12:00:01Z&end=2024-03-05T13:00:00Z", "start"),
        ("start=2024-03-05T11:00:00Z&end=2024-03-05T11:00:00Z", "end"),
        ("position_token=LATEST&start=2024-03-05T11:00:00Z&end=2024-03-05T12:00:00Z", "position_token"),
        ("callsign=A1&callsign=A2", "callsign"),
        ("colour=red", "colour"),
    ],
)
def test_refusals_name_the_parameter(query, parameter):
    """A value that a parameter does not take is refused, with the parameter, what it got and what it takes."""
    with pytest.raises(QueryError) as refusal:
        parse(query, NOW)
    assert refusal.value.parameter == parameter
    assert refusal.value.takes
    assert str(refusal.value).startswith(f"{parameter}: got {refusal.value.got!r}; expected ")
