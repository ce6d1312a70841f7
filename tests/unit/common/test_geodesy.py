"""Great-circle distances agree with known ones, and behave as distances do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.geodesy import EARTH_RADIUS_NM, distance_nm

POSITIONS = st.tuples(st.floats(-90, 90), st.floats(-180, 180))


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ((0, 0), (0, 1), 60.04),  # a degree of a great circle on the mean sphere
        ((51.4775, -0.461389), (40.639722, -73.778889), 2_991),  # Heathrow to Kennedy, 2,999 on the ellipsoid
        ((0, 179.5), (0, -179.5), 60.04),  # across the anti-meridian
        ((90, 0), (-90, 0), 10_807.3),  # half the circumference
        ((31.1, 121.4), (31.1, 121.4), 0),
    ],
)
def test_known_distances(start, end, expected):
    """The formula gives the distances others publish, within the sphere's error."""
    assert distance_nm(*start, *end) == pytest.approx(expected, rel=1e-3)


@given(POSITIONS, POSITIONS)
def test_a_distance_has_no_direction_and_is_half_the_globe_at_most(start, end):
    """There and back are the same, and rounding never leaves the sphere."""
    there = distance_nm(*start, *end)
    assert there == pytest.approx(distance_nm(*end, *start), abs=1e-6)
    assert 0 <= there <= 3.1415927 * EARTH_RADIUS_NM
