"""The patterns asked of an envelope's updates mean what they mean to an event source mapping."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.pattern_matcher import AlertPatterns
from common.environment import ConfigurationError
from local.event_source_mapping.filter import PatternError, RecordFilter

TEXTS = st.sampled_from(["", "7700", "ETH701", "eth701", "ET", "701", "x*y", "é"])
NUMBERS = st.sampled_from([-6000, 0, 1, 1.0, 5.5])
SCALARS = TEXTS | NUMBERS | st.booleans() | st.none()
NAMES = st.sampled_from(["squawk", "vertical_rate", "on_ground", "inner"])

data = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
updates = st.dictionaries(NAMES, data, max_size=4)

wildcards = st.sampled_from(["E*", "*701", "E*7*1", "*", "x\\*y", "e*1*", ""])
text_operators = st.one_of(
    st.tuples(st.sampled_from(["prefix", "suffix", "equals-ignore-case"]), TEXTS),
    st.tuples(st.sampled_from(["prefix", "suffix"]), st.fixed_dictionaries({"equals-ignore-case": TEXTS})),
    st.tuples(st.just("wildcard"), wildcards),
)
comparisons = st.tuples(st.sampled_from(["<", "<=", "=", ">=", ">"]), NUMBERS)
operators = st.one_of(
    text_operators.map(lambda pair: dict([pair])),
    st.booleans().map(lambda there: {"exists": there}),
    comparisons.map(lambda one: {"numeric": list(one)}),
    st.tuples(comparisons, comparisons).map(lambda two: {"numeric": [*two[0], *two[1]]}),
    (TEXTS | NUMBERS).map(lambda value: {"anything-but": value}),
    st.lists(TEXTS | NUMBERS, min_size=1, max_size=3).map(lambda values: {"anything-but": values}),
    text_operators.map(lambda pair: {"anything-but": dict([pair])}),
    st.lists(TEXTS, min_size=1, max_size=2).map(lambda texts: {"anything-but": {"prefix": texts}}),
)
alternatives = st.lists(SCALARS | operators, min_size=1, max_size=3)


def with_or(fields):
    """Objects of fields, some with alternatives in them."""
    return st.builds(
        lambda plain, either: plain | ({"$or": either} if either else {}),
        fields,
        st.lists(fields, max_size=2),
    )


patterns = st.recursive(
    st.dictionaries(NAMES, alternatives, max_size=2),
    lambda inner: with_or(st.dictionaries(NAMES, alternatives | inner, max_size=2)),
    max_leaves=4,
)


def both(texts, payload):
    """What the function says of an update, and what the local stack's mapping says."""
    return AlertPatterns("\n".join(texts)).match(payload), RecordFilter(texts)(payload)


@settings(max_examples=800, deadline=None)
@given(st.lists(patterns, min_size=1, max_size=3), updates)
def test_it_decides_as_the_mapping_does(several, update):
    """Two matchers, written apart, agree on any pattern and any update."""
    ours, mapping = both([json.dumps({"data": pattern}) for pattern in several], json.dumps(update).encode())
    assert ours == mapping


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        (["7700"], ["7700", ["1200", "7700"]], ["7500", 7700, None, [], {"a": 1}]),
        ([5], [5], [5.0, True, "5"]),
        ([None], [None, [None]], ["", 0, False]),
        ([{"prefix": "ET"}], ["ET1"], ["et1", 5]),
        ([{"suffix": {"equals-ignore-case": "X"}}], ["ax", "aX"], ["xa"]),
        ([{"wildcard": "a*b*c"}], ["abc", "a-b-b-c"], ["ab", "acb"]),
        ([{"anything-but": ["a", 1]}], ["b", 2, None, ["a", "b"]], ["a", 1, []]),
        ([{"anything-but": {"prefix": ["ET", "AF"]}}], ["LH", 5], ["ET1", "AF1"]),
        ([{"numeric": [">", 0, "<=", 5]}], [1, 5], [0, 6, "1", True]),
        ([{"exists": True}], ["", None, 0], [[], {"a": 1}]),
        ({"inner": ["a"]}, [{"inner": "a"}, [{"inner": "b"}, {"inner": "a"}]], ["a", {"inner": "b"}]),
    ],
)
def test_the_syntax(pattern, matching, others):
    """Each operator, said plainly beside the property."""
    asked = AlertPatterns(json.dumps({"data": {"field": pattern}})).match
    assert [asked(json.dumps({"field": value}).encode()) for value in matching] == [True] * len(matching)
    assert [asked(json.dumps({"field": value}).encode()) for value in others] == [False] * len(others)


def test_one_matching_pattern_suffices():
    """The parameters are ORed, as the mapping's filters are."""
    asked = AlertPatterns('{"data":{"squawk":["7700"]}}\n{"data":{"squawk":["7500"]}}').match
    assert [asked(b'{"squawk":"%d"}' % code) for code in (7700, 7500, 7600)] == [True, True, False]


@pytest.mark.parametrize("payload", [b"", b'{"squawk":"7700"', b"\xff", b'{"a":' * 100_000])
def test_what_is_no_json_does_not_match(payload):
    """As with a record that is none: the mapping's filter drops it."""
    assert both(['{"data":{"squawk":["7700"]}}'], payload) == (False, False)


def test_an_array_without_end_does_not_match():
    """What JSON can hold and the interpreter's stack cannot is no match, and no end of the process."""
    payload = b'{"squawk":' + b"[" * 3_000 + b'"7700"' + b"]" * 3_000 + b"}"
    assert msgspec.json.decode(payload)
    assert both(['{"data":{"squawk":["7700"]}}'], payload) == (False, False)


@pytest.mark.parametrize(
    "pattern",
    [
        {"field": []},
        {"field": "7700"},
        {"field": [["7700"]]},
        {"field": [{}]},
        {"field": [{"prefix": "a", "suffix": "b"}]},
        {"field": [{"prefix": 5}]},
        {"field": [{"prefix": ["a"]}]},
        {"field": [{"like": "a"}]},
        {"field": [{"exists": 1}]},
        {"field": [{"numeric": ["<"]}]},
        {"field": [{"numeric": ["<", "5"]}]},
        {"field": [{"numeric": ["<", True]}]},
        {"field": [{"numeric": ["<>", 5]}]},
        {"field": [{"numeric": [["<"], 5]}]},
        {"field": [{"anything-but": []}]},
        {"field": [{"anything-but": [True]}]},
        {"field": [{"anything-but": [None]}]},
        {"field": [{"anything-but": [["a"]]}]},
        {"field": [{"anything-but": {"prefix": []}}]},
        {"field": [{"anything-but": {"prefix": "a", "suffix": "b"}}]},
        {"field": [{"anything-but": {"numeric": ["<", 5]}}]},
        {"field": [{"wildcard": "a**b"}]},
        {"$or": []},
        {"$or": {"field": ["a"]}},
        {"$or": ["a"]},
    ],
)
def test_what_the_syntax_does_not_allow_is_refused_as_a_setting(pattern):
    """The mapping refuses it at deployment; set by hand, it fails with the pattern's own text and what to correct."""
    text = json.dumps({"data": pattern})
    with pytest.raises(PatternError):
        RecordFilter([text])
    with pytest.raises(ConfigurationError) as caught:
        AlertPatterns(text).match(b"{}")
    assert str(caught.value).startswith(f"ALERT_PATTERNS: the pattern {text} cannot be asked")


def test_a_pattern_nested_without_end_is_refused():
    """It ends in an error that names the setting, not in the interpreter's own."""
    with pytest.raises(ConfigurationError, match="nested too deep"):
        AlertPatterns('{"a":' * 900 + '["x"]' + "}" * 900).match(b"{}")


def test_nothing_is_read_before_the_first_envelope():
    """A function that sees single records alone never fails by patterns that it does not ask."""
    patterns = AlertPatterns("")
    with pytest.raises(ConfigurationError, match="ALERT_PATTERNS: not set"):
        patterns.match(b"{}")
