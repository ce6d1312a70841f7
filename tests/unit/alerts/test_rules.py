"""The rules: which updates call for an alert, and under which name."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.rules import findings
from common.target_update import decode


def update(**fields):
    """An update with these fields and its key."""
    return decode(msgspec.json.encode({"icao_address": "78121E", "timestamp": "2021-03-20T13:00:00Z", **fields}))


def rules(**fields):
    """The names of the rules that speak for an update with these fields."""
    return [finding.rule for finding in findings(update(**fields))]


@pytest.mark.parametrize(
    ("squawk", "meaning"), [("7500", "unlawful interference"), ("7600", "radio failure"), ("7700", "general emergency")]
)
def test_each_emergency_code_is_named_by_its_meaning(squawk, meaning):
    """The three emergency codes alert, and the title says which one it is and what it stands for."""
    (finding,) = findings(update(squawk=squawk))

    assert finding.rule == "emergency_squawk"
    assert finding.title == f"Squawk {squawk}, {meaning}"


@pytest.mark.parametrize("squawk", ["7501", "7000", "77000", " 7700", ""])
def test_a_code_that_only_looks_alike_is_no_emergency(squawk):
    """Only the exact four digits are an emergency."""
    assert "emergency_squawk" not in rules(squawk=squawk)


@pytest.mark.parametrize(
    ("fields", "steep"),
    [
        ({"vertical_rate": -6001, "on_ground": False}, True),
        ({"vertical_rate": -6000, "on_ground": False}, False),
        ({"vertical_rate": -6000.5, "on_ground": False}, True),
        ({"vertical_rate": -9000, "on_ground": True}, False),
        ({"vertical_rate": -9000}, True),
        ({"vertical_rate": -9000, "on_ground": None}, True),
        ({"vertical_rate": -9000, "on_ground": "yes"}, True),
        ({"vertical_rate": -9000, "on_ground": True, "speed": 250, "altitude_baro": 15000}, False),
        ({"vertical_rate": -9000, "on_ground": True, "speed": 251}, True),
        ({"vertical_rate": -9000, "on_ground": True, "altitude_baro": 15001}, True),
        ({"vertical_rate": 9000, "on_ground": False}, False),
        ({"on_ground": False}, False),
    ],
)
def test_a_descent_is_steep_below_6000_feet_a_minute_in_flight(fields, steep):
    """Below -6,000 ft/min is steep, exactly -6,000 is not, nor is anything on the ground; unsaid, it is in flight."""
    assert ("steep_descent" in rules(**fields)) is steep


def test_an_emergency_that_descends_steeply_is_two_alerts():
    """Each rule speaks for itself: an update can call for several alerts."""
    assert rules(squawk="7700", vertical_rate=-7200, on_ground=False) == ["emergency_squawk", "steep_descent"]


def test_what_only_the_operators_own_pattern_knows_still_alerts():
    """An update that came through the filter and that no built-in rule knows alerts under the generic rule."""
    assert rules(callsign="ETH701") == ["pattern"]


def test_the_generic_rule_is_silent_where_a_built_in_rule_speaks():
    """One cause raises one alert: the generic rule is for updates no other rule knows."""
    assert rules(squawk="7600", callsign="ETH701") == ["emergency_squawk"]


@given(
    squawk=st.none() | st.from_regex(r"[0-7]{4}", fullmatch=True),
    vertical_rate=st.none() | st.integers(-20_000, 20_000),
    on_ground=st.none() | st.booleans(),
)
def test_every_update_that_passed_the_filter_is_alerted_on(squawk, vertical_rate, on_ground):
    """Whatever the filter let through, there is at least one finding, and no rule speaks twice."""
    found = rules(squawk=squawk, vertical_rate=vertical_rate, on_ground=on_ground)

    assert found
    assert len(set(found)) == len(found)
