"""Which legs an aircraft can fly."""

from __future__ import annotations

import pytest

from common.plausibility import FASTEST_KT, NEAR_NM, can_fly, is_nowhere


@pytest.mark.parametrize(
    ("miles", "seconds", "can"),
    [
        (NEAR_NM, 0, True),
        (NEAR_NM + 0.01, 0, False),
        (NEAR_NM + FASTEST_KT, 3_600, True),
        (NEAR_NM + FASTEST_KT + 1, 3_600, False),
        (NEAR_NM + FASTEST_KT, -3_600, True),
        (300, 5, False),
    ],
)
def test_a_leg_is_plausible_up_to_the_fastest_speed(miles, seconds, can):
    """Short ones always are; a leg back in time is judged as the way back."""
    assert can_fly(miles, seconds) is can


@pytest.mark.parametrize(("position", "nowhere"), [((0.0, 0.0), True), ((-0.0, 0.0), True), ((0.0, 1e-7), False)])
def test_the_point_zero_alone_is_nowhere(position, nowhere):
    """The equator and the prime meridian are flown over."""
    assert is_nowhere(*position) is nowhere
