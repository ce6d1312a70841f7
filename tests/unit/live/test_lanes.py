"""Operations on many numbers in one integer give what a loop over them gives."""

from __future__ import annotations

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live import lanes

SMALL = st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=40)
WIDE = st.lists(st.integers(0, 2**64 - 2), min_size=1, max_size=40)


def packed(numbers):
    """The numbers as lanes."""
    return sum(number << 64 * index for index, number in enumerate(numbers))


@given(numbers=WIDE)
def test_lanes_are_listed_in_their_order(numbers):
    """And `present` tells which of them are not 0."""
    count = len(numbers)
    assert lanes.listed(packed(numbers), count) == numbers
    assert lanes.listed(lanes.present(packed(numbers), count), count) == [int(one != 0) for one in numbers]


@given(count=st.integers(1, 300))
def test_ones_and_places(count):
    """1, 1, 1 ... and 0, 1, 2 ..."""
    assert lanes.listed(lanes.ones(count), count) == [1] * count
    assert lanes.listed(lanes.places(count), count) == list(range(count))


@pytest.mark.parametrize(("kind", "bits"), [("i", 32), ("q", 64)])
@given(data=st.data())
def test_a_signed_column_begins_at_the_least_number_of_its_type(kind, bits, data):
    """So that no lane is negative."""
    half = 2 ** (bits - 1)
    numbers = data.draw(st.lists(st.integers(-half, half - 1), min_size=1, max_size=40))
    found = lanes.listed(lanes.signed(array(kind, numbers), len(numbers)), len(numbers))
    assert found == [number + half for number in numbers]


@given(numbers=SMALL, divisor=st.integers(1, 2**32 - 1))
def test_a_division_is_rounded_down(numbers, divisor):
    """By the reciprocal, exactly."""
    found = lanes.listed(lanes.divided(packed(numbers), divisor, len(numbers)), len(numbers))
    assert found == [number // divisor for number in numbers]


@given(
    pairs=st.lists(st.tuples(st.integers(0, 2**64 - 1), st.booleans()), min_size=1).filter(
        lambda pairs: any(there for _, there in pairs)
    )
)
def test_the_least_is_found_among_those_that_are_there(pairs):
    """What is not there may be less."""
    numbers, there = [number for number, _ in pairs], [int(is_there) for _, is_there in pairs]
    least = lanes.least(packed(numbers), packed(there), len(pairs))
    assert least == min(number for number, is_there in pairs if is_there)


@given(numbers=SMALL, power=st.integers(0, 40))
def test_a_bound_that_any_lane_reaches_is_exceeded(numbers, power):
    """It is a power of two."""
    assert lanes.exceeds(packed(numbers), 2**power, len(numbers)) == (max(numbers) >= 2**power)


@given(numbers=SMALL)
def test_shuffled_bytes_give_the_numbers_back(numbers):
    """Planes that are all 0 are left out."""
    planes = lanes.planes(packed(numbers), len(numbers))
    assert lanes.numbers(planes, len(numbers)).tolist() == numbers
    assert not planes or any(planes[-1])
