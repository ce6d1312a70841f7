"""The environment is read with its types, and an error names the variable, what it holds and what it takes."""

from __future__ import annotations

import pytest

from common import environment
from common.environment import ConfigurationError


@pytest.mark.parametrize("value", ["bucket", " bucket ", "bucket\n"])
def test_a_text_is_taken_without_the_blanks_around_it(value):
    """A value pasted with a line end works."""
    assert environment.text({"NAME": value}, "NAME") == "bucket"


@pytest.mark.parametrize("environ", [{}, {"NAME": ""}, {"NAME": "  "}])
def test_an_empty_text_is_one_not_set(environ):
    """A template passes an empty parameter as an empty string: the default holds."""
    assert environment.text(environ, "NAME", "default") == "default"
    assert environment.text(environ, "NAME", "") == ""
    assert environment.number(environ, "NAME", 7.0, low=1, high=5) == 7.0


@pytest.mark.parametrize("environ", [{}, {"NAME": ""}, {"NAME": "  "}])
def test_a_text_without_default_must_be_set(environ):
    """The error names the variable and says who sets it."""
    with pytest.raises(ConfigurationError, match=r"^NAME: not set; expected a value\. template\.yaml sets it"):
        environment.text(environ, "NAME")


@pytest.mark.parametrize(("value", "number"), [("1", 1.0), ("5", 5.0), (" 2.5 ", 2.5), ("1e0", 1.0)])
def test_a_number_within_its_bounds_is_taken(value, number):
    """Both bounds belong to the range."""
    assert environment.number({"NAME": value}, "NAME", 3.0, low=1, high=5) == number


@pytest.mark.parametrize("value", ["0.99", "5.01", "-3", "inf", "nan", "five", "1,5"])
def test_another_number_is_refused(value):
    """Outside the bounds, or no number at all: the error shows what was got and what is taken."""
    with pytest.raises(ConfigurationError, match=rf"^NAME: got '{value}'; expected a number from 1 to 5$"):
        environment.number({"NAME": value}, "NAME", 3.0, low=1, high=5)
