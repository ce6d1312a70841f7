"""The patterns asked of an envelope's updates mean what they mean to an event source mapping."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerts.pattern_matcher import AlertPatterns
from common import event_pattern
from common.environment import ConfigurationError
from common.event_pattern import EventPatternError
from common.target_update import UndecodableUpdateError
from local.event_source_mapping.filter import RecordFilter

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


def is_taken(pattern):
    """Whether AWS takes it for a pattern of `data`."""
    try:
        event_pattern.read(json.dumps({"data": pattern}))
    except EventPatternError:
        return False
    return True


wildcards = st.sampled_from(["E*", "*701", "E*7*1", "*", "x\\*y", "e*1*", ""])
text_operators = st.one_of(
    st.tuples(st.sampled_from(["prefix", "suffix", "equals-ignore-case"]), TEXTS),
    st.tuples(st.sampled_from(["prefix", "suffix"]), st.fixed_dictionaries({"equals-ignore-case": TEXTS})),
    st.tuples(st.just("wildcard"), wildcards),
)
comparisons = st.tuples(st.sampled_from(["<", "<=", "=", ">=", ">"]), NUMBERS)
_operators = st.one_of(
    text_operators.map(lambda pair: dict([pair])),
    st.booleans().map(lambda there: {"exists": there}),
    comparisons.map(lambda one: {"numeric": list(one)}),
    st.tuples(comparisons, comparisons).map(lambda two: {"numeric": [*two[0], *two[1]]}),
    (TEXTS | NUMBERS).map(lambda value: {"anything-but": value}),
    (st.lists(TEXTS, min_size=1, max_size=3) | st.lists(NUMBERS, min_size=1, max_size=3)).map(
        lambda values: {"anything-but": values}
    ),
    text_operators.map(lambda pair: {"anything-but": dict([pair])}),
    st.lists(TEXTS, min_size=1, max_size=2).map(lambda texts: {"anything-but": {"prefix": texts}}),
)


@st.composite
def operators(draw):
    """One operator that AWS takes."""
    return draw(_operators.filter(lambda operator: is_taken({"field": [operator]})))


alternatives = st.lists(SCALARS | operators(), min_size=1, max_size=3)


def with_or(fields):
    """Objects of fields, some with alternatives in them."""
    return st.builds(
        lambda plain, either: plain | ({"$or": either} if either else {}),
        fields,
        st.just([]) | st.lists(fields, min_size=2, max_size=3),
    )


_patterns = st.recursive(
    st.dictionaries(NAMES, alternatives, min_size=1, max_size=2),
    lambda inner: with_or(st.dictionaries(NAMES, alternatives | inner, min_size=1, max_size=2)),
    max_leaves=4,
)


@st.composite
def patterns(draw):
    """One pattern of `data` that AWS takes."""
    return draw(_patterns.filter(is_taken))


def both(texts, payload):
    """What the function says of an update, and what the local stack's mapping says."""
    return AlertPatterns("\n".join(texts)).match(payload), RecordFilter(texts)(payload)


@settings(max_examples=250, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(st.lists(patterns(), min_size=1, max_size=3), updates)
def test_it_decides_as_the_mapping_does(several, update):
    """Two matchers, written apart, agree on any pattern and any update."""
    ours, mapping = both([json.dumps({"data": pattern}) for pattern in several], json.dumps(update).encode())
    assert ours == mapping


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        (["7700"], ["7700", ["1200", "7700"]], ["7500", 7700, None, [], {"a": 1}]),
        ([5], [5, 5.0], [True, "5"]),
        ([None], [None, [None]], ["", 0, False]),
        ([{"prefix": "ET"}], ["ET1"], ["et1", 5]),
        ([{"suffix": {"equals-ignore-case": "X"}}], ["ax", "aX"], ["xa"]),
        ([{"wildcard": "a*b*c"}], ["abc", "a-b-b-c"], ["ab", "acb"]),
        ([{"anything-but": ["a", "c"]}], ["b", 2, None, ["a", "b"]], ["a", "c", []]),
        ([{"anything-but": {"prefix": ["ET", "AF"]}}], ["LH", 5], ["ET1", "AF1"]),
        ([{"numeric": [">", 0, "<=", 5]}], [1, 5], [0, 6, "1", True]),
        ([{"numeric": [">", 0]}], [5e9], [5e9 + 1, 10**20, 1e300]),
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


@pytest.mark.parametrize("payload", [b"", b'{"squawk":"7700"', b"\xff", b"[]", b'{"a":' * 100_000])
def test_what_is_no_json_object_is_no_update(payload):
    """A mapping's filter drops it as a record; within an envelope it is counted."""
    assert not RecordFilter(['{"data":{"squawk":["7700"]}}'])(payload)
    with pytest.raises(UndecodableUpdateError, match="expected one target update as a JSON object"):
        AlertPatterns('{"data":{"squawk":["7700"]}}').match(payload)


@pytest.mark.parametrize("odd", [b"1e309", b"9" * 6000, b'"\xff"', b'"\\ud800"'])
def test_a_field_that_cannot_be_read_costs_no_other(odd):
    """It is absent; whatever the pattern asks of the other fields is answered."""
    asked = AlertPatterns('{"data":{"squawk":["7700"],"odd":[{"exists":false}]}}').match
    assert asked(b'{"odd":%b,"squawk":"7700"}' % odd)
    assert not AlertPatterns('{"data":{"odd":["x",2,{"numeric":[">",5]}]}}').match(b'{"odd":%b}' % odd)


def test_an_array_of_arrays_is_looked_into_however_deep():
    """What JSON can hold and the interpreter's stack cannot is no end of the process, and hides no element."""
    payload = b'{"squawk":' + b"[" * 900 + b'"7700"' + b"]" * 900 + b"}"
    assert AlertPatterns('{"data":{"squawk":["7700"]}}').match(payload)


def test_nothing_is_read_before_the_first_envelope():
    """A function that sees single records alone never fails by patterns that it does not ask."""
    patterns = AlertPatterns("")
    with pytest.raises(ConfigurationError, match="ALERT_PATTERNS: not set"):
        patterns.match(b"{}")
