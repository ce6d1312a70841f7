"""Any filter pattern is refused with a text or decides on any data, in time that grows with the text and not beyond."""

from __future__ import annotations

import fnmatch
import json
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from local.event_source_mapping.filter import PatternError, RecordFilter
from tests.fuzz import targets

KEYS = st.sampled_from(["data", "a", "b", "$or", "prefix", "suffix", "anything-but", "numeric", "exists", "wildcard"])
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["", "a", "*", "\\", "<", ">="])
trees = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.just("equals-ignore-case"), inner, max_size=3)
    ),
    max_leaves=10,
)
operators = st.dictionaries(KEYS | st.just("equals-ignore-case"), trees, min_size=1, max_size=2)
patterns = st.one_of(
    trees,
    st.fixed_dictionaries({"data": trees}),
    st.fixed_dictionaries({"data": st.dictionaries(KEYS, st.lists(operators | scalars, min_size=1, max_size=3))}),
)


@settings(max_examples=120)
@given(pattern=patterns, data=trees)
@example(pattern={"data": {"a": [{"numeric": [[], 5]}]}}, data={"a": 5})
@example(pattern={"data": {"a": [{"numeric": ["<", 10**400]}]}}, data={"a": 1e308})
@example(pattern={"data": {"a": [{"prefix": {"equals-ignore-case": []}}]}}, data={"a": "x"})
def test_any_pattern_is_refused_or_decides_on_any_data(pattern, data):
    """Operators in wrong places, of wrong types and nested in each other raise nothing but a PatternError."""
    targets.record_filter(json.dumps(pattern), json.dumps(data).encode())


@given(pattern=st.text(max_size=60), data=st.binary(max_size=60))
def test_any_text_is_refused_as_a_pattern_or_decides_on_any_bytes(pattern, data):
    """Neither has to be JSON."""
    targets.record_filter(pattern, data)


@pytest.mark.parametrize("depth", [2, 45, 99, 100, 400, 700, 100_000])
@pytest.mark.parametrize(
    ("before", "inside", "after"), [('{"a":', "[1]", "}"), ("[", "1", "]"), ('{"$or":[', "{}", "]}")]
)
def test_nesting_without_end_neither_ends_the_stack_nor_hangs(depth, before, inside, after):
    """A pattern nested over 100 levels is refused; data nested so deep is dropped, as data that is no JSON is."""
    deep = before * depth + inside + after * depth
    too_deep = depth > 50
    is_pattern = before == '{"a":' and not too_deep  # arrays in arrays are none, and `$or` takes two objects
    assert targets.record_filter('{"data":' + deep + "}", deep.encode()) is (True if is_pattern else None)
    there = targets.record_filter('{"data":{"there":[1]}}', f'{{"there":1,"beside":{deep}}}'.encode())
    assert there is not too_deep


def test_a_wildcard_with_many_stars_does_not_try_every_place():
    """40 stars over 100,000 characters that nearly match: a search that backtracks would not end in this universe."""
    pattern = json.dumps({"data": {"a": [{"wildcard": "*a" * 40 + "*b"}]}})
    assert not targets.record_filter(pattern, json.dumps({"a": "a" * 100_000}).encode())
    assert targets.record_filter(pattern, json.dumps({"a": "a" * 100_000 + "b"}).encode())


@given(
    pieces=st.lists(st.text("ab.\n[", max_size=3), min_size=1, max_size=5),
    text=st.text("ab.\n[", max_size=12),
)
def test_a_wildcard_means_what_a_shells_star_means(pieces, text):
    """The search piece by piece agrees with the regular expression that a shell's pattern stands for."""
    wildcard = "*".join(piece for index, piece in enumerate(pieces) if piece or index in {0, len(pieces) - 1})
    if "**" not in wildcard:
        expression = fnmatch.translate(wildcard.replace("[", "[[]"))
        pattern = json.dumps({"data": {"a": [{"wildcard": wildcard}]}})
        assert targets.record_filter(pattern, json.dumps({"a": text}).encode()) == bool(re.match(expression, text))


def test_a_pattern_longer_than_lambda_takes_is_refused():
    """4,096 characters are Lambda's bound, and with it the work for one record has one."""
    fits = '{"data":{"a":["' + "x" * (4096 - 19) + '"]}}'
    assert len(fits) == 4096
    assert targets.record_filter(fits, b"{}") is False
    with pytest.raises(PatternError, match="at most 4,096"):
        RecordFilter([fits + " "])
