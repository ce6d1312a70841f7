"""Filters let through what was asked for, and nothing else."""

from __future__ import annotations

import pytest

from local.simulator import times
from local.simulator.filters import Filters, UpdateFilter

NOW = times.parse("2024-03-04T23:25:00Z")


def _passes(line, **filters):
    return UpdateFilter(Filters(**filters), lambda: NOW).select([line]) == [line]


def test_no_filter_hands_lines_through(make_line):
    """Without a filter the very same list comes back, undecoded."""
    lines = [make_line(), b"not even JSON"]
    assert UpdateFilter(Filters(late=False), lambda: NOW).select(lines) is lines


@pytest.mark.parametrize(
    ("filters", "fields", "passes"),
    [
        ({"icao_addresses": frozenset({"040172"})}, {}, True),
        ({"icao_addresses": frozenset({"A0B1C2"})}, {"icao_address": "a0b1c2"}, True),
        ({"icao_addresses": frozenset({"A0B1C2"})}, {}, False),
        ({"callsigns": frozenset({"ETH701", "ETH702"})}, {"callsign": "ETH702"}, True),
        ({"callsigns": frozenset({"ETH701"})}, {"callsign": None}, False),
        ({"tail_numbers": frozenset({"ET-AWO"})}, {"tail_number": "ET-AWO"}, True),
        ({"tail_numbers": frozenset({"ET-AWO"})}, {}, False),
        ({"airlines": frozenset({"ET"})}, {"airline_iata": "ET"}, True),
        ({"airlines": frozenset({"ETHIOPIAN AIRLINES"})}, {"airline_name": "Ethiopian Airlines"}, True),
        ({"airlines": frozenset({"ET"})}, {"airline_iata": "LH", "airline_name": "Lufthansa"}, False),
        ({"latitude": (10, 20)}, {"latitude": 10}, True),
        ({"latitude": (10, 20)}, {"latitude": 20}, False),
        ({"longitude": (170, -170)}, {"longitude": 170}, True),
        ({"longitude": (170, -170)}, {"longitude": -179.9}, True),
        ({"longitude": (170, -170)}, {"longitude": -170}, False),
        ({"longitude": (170, -170)}, {"longitude": 0}, False),
        ({"altitude": (0, 30000)}, {"altitude_baro": 0}, True),
        ({"altitude": (0, 30000)}, {"altitude_baro": 30000}, False),
        ({"altitude": (0, 30000)}, {"altitude_baro": None}, False),
        ({"max_age": 60}, {"timestamp": "2024-03-04T23:24:00Z"}, True),
        ({"max_age": 60}, {"timestamp": "2024-03-04T23:23:59Z"}, False),
        ({"max_age": 60}, {"timestamp": "long ago"}, False),
        ({"late": True}, {"timestamp": 12}, False),
    ],
)
def test_each_filter(make_line, filters, fields, passes):
    """First bounds are in, second ones out, and an update without the field does not pass."""
    assert _passes(make_line(**fields), **filters) is passes


def test_filters_add_up(make_line):
    """An update must pass every filter that was asked for."""
    assert _passes(make_line(), callsigns=frozenset({"ETH701"}), latitude=(0, 20))
    assert not _passes(make_line(), callsigns=frozenset({"ETH701"}), latitude=(20, 30))


def test_late_filter_is_per_aircraft_and_keeps_equals(make_line):
    """An update older than one sent for its aircraft is dropped; another aircraft's or an equally old one is not."""
    newer, older = make_line(timestamp="2024-03-04T23:24:05Z"), make_line(timestamp="2024-03-04T23:24:00Z")
    other = make_line(icao_address="A0B1C2", timestamp="2024-03-04T23:24:00Z")
    update_filter = UpdateFilter(Filters(late=True), lambda: NOW)
    assert update_filter.select([newer, older, other]) == [newer, other]
    assert update_filter.select([older, newer]) == [newer]


def test_late_filter_counts_only_what_was_sent(make_line):
    """A newer update that another filter held back does not make an older one late."""
    newer, older = make_line(timestamp="2024-03-04T23:24:05Z", latitude=50), make_line()
    assert UpdateFilter(Filters(late=True, latitude=(0, 20)), lambda: NOW).select([newer, older]) == [older]
