"""The box around a circle: it holds the circle, across 180 degrees and at the poles, too."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.geography import around
from common.geodesy import distance_nm


def holds(box, latitude, longitude):
    """Whether a box that may cross 180 degrees holds a position."""
    west, south, east, north = box
    across = west <= longitude <= east if west <= east else longitude >= west or longitude <= east
    return across and south <= latitude <= north


@given(
    latitude=st.floats(-90, 90),
    longitude=st.floats(-180, 180),
    radius=st.floats(1, 2_000),
    other_latitude=st.floats(-90, 90),
    other_longitude=st.floats(-180, 180),
)
def test_whatever_lies_in_the_circle_lies_in_the_box(latitude, longitude, radius, other_latitude, other_longitude):
    """A box that is too small loses aircraft."""
    if distance_nm(latitude, longitude, other_latitude, other_longitude) < radius * 0.999_999:
        assert holds(around(latitude, longitude, radius), other_latitude, other_longitude)


def test_a_circle_across_180_degrees_has_its_west_in_the_east():
    """As a bounding box of GeoJSON has it (RFC 7946, 5.2)."""
    west, south, east, north = around(0, 179.5, 60)
    assert west == pytest.approx(178.5, abs=0.01)
    assert east == pytest.approx(-179.5, abs=0.01)
    assert (south, north) == pytest.approx((-1, 1), abs=0.01)


def test_a_circle_with_a_pole_in_it_goes_all_around():
    """Every meridian passes it."""
    assert around(89.5, 10, 60) == (-180.0, pytest.approx(88.5, abs=0.01), 180.0, 90.0)
