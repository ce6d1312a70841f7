"""Texts of parameters: what a program prints for a coordinate is taken, and nothing that is none."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import parameters

PRINTED = [
    "0.30000000000000004",  # 0.1 + 0.2, in any language
    "3.3000000000000003",
    "-0.30899047851562506",  # as a map library gives an edge of what it shows
    "0.0000012345678901234567",  # JavaScript writes exponents from 1e-7 on
    "1e-7",
    "1.2345678901234567e-05",  # Python from 1e-5 on
    "-5e-324",
    "0",
    "-0.0",
    "89.99999999999999",
]


@pytest.mark.parametrize("text", PRINTED)
def test_a_coordinate_is_taken_as_languages_print_it(text):
    """In a box and in a path; the value is the double that was printed."""
    assert parameters.number(text, -90, 90) == float(text)
    box = parameters.bounding_box(f"{text},{text},{text},{text}")
    assert box == (float(text),) * 4


@given(st.floats(-180, 180), st.floats(-90, 90))
def test_every_double_is_taken_as_python_prints_it(longitude, latitude):
    """Whatever a client computes."""
    assert parameters.bounding_box(f"{longitude},{latitude},{longitude},{latitude}") == (longitude, latitude) * 2
    assert parameters.number(repr(latitude), -90, 90) == latitude


@pytest.mark.parametrize("text", [".", "e5", "1e", "1e1000", "nan", "inf", "0x1", "1_0", "\u0661", "1" * 21])
def test_what_is_no_number_is_refused(text):
    """Nor is what no double holds."""
    with pytest.raises(ValueError, match=re.escape(text)):
        parameters.number(text, -(10**30), 10**30)
    with pytest.raises(ValueError, match=re.escape(text)):
        parameters.bounding_box(f"{text},0,1,1")


@pytest.mark.parametrize(
    "text", ["180.1,0,1,1", "0,90.5,1,1", "1e2,0,1,1", "0,1,0,0", "0,0,1", "0,0,1,1,1", "0, 0,1,1"]
)
def test_what_is_no_box_is_refused(text):
    """Off the globe, upside down, of another number of edges."""
    with pytest.raises(ValueError, match=re.escape(text)):
        parameters.bounding_box(text)
