"""ALERT_PATTERNS: several JSON objects in one text."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.alert_patterns import parse
from common.environment import ConfigurationError

FIRST, SECOND = '{"data":{"squawk":["7500"]}}', '{"data":{"callsign":[{"prefix":"ETH"}]}}'


def test_each_pattern_is_given_as_written_and_as_what_it_says():
    """Errors can quote the operator's own text."""
    assert parse(f"{FIRST}\n{SECOND}") == [(FIRST, json.loads(FIRST)), (SECOND, json.loads(SECOND))]


def test_empty_parameters_are_blank_lines():
    """The template joins five parameters, of which most are empty."""
    assert [text for text, _ in parse(f"{FIRST}\n\n{SECOND}\n\n")] == [FIRST, SECOND]


@given(
    st.lists(
        st.dictionaries(st.text().filter("$or".__ne__), st.lists(st.text(), min_size=1), min_size=1, max_size=3),
        min_size=1,
        max_size=5,
    ),
    st.sampled_from([None, 1]),
)
def test_a_pattern_with_line_ends_in_it_is_one(patterns, indent):
    """It is read to where its JSON ends, as in a variable that was changed by hand."""
    text = "\n".join(json.dumps(pattern, indent=indent) for pattern in patterns)
    assert [parsed for _, parsed in parse(text)] == patterns


@pytest.mark.parametrize("text", ["", " \n\n"])
def test_no_pattern_at_all_is_refused(text):
    """With nothing to match, every alert would be skipped."""
    with pytest.raises(ConfigurationError, match="ALERT_PATTERNS: not set"):
        parse(text)


@pytest.mark.parametrize("broken", ['{"data":', "7700", '["data"]', '{"data":{"speed":[NaN]}}', '{"a":' * 100_000])
def test_what_is_no_object_is_named(broken):
    """The error quotes what it could not read."""
    with pytest.raises(ConfigurationError, match=r"ALERT_PATTERNS: pattern 2, .*(not JSON|not a JSON)"):
        parse(f"{FIRST}\n{broken}")
