"""What AWS's published matcher refuses is refused here, and what it takes is taken, each rule by an example."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]

from alerts.pattern_matcher import AlertPatterns
from common import event_pattern
from common.environment import ConfigurationError
from common.event_pattern import EventPatternError
from local.event_source_mapping.filter import PatternError, RecordFilter

TAKEN = [
    {"squawk": ["7500", "7700"]},
    {"squawk": ["", 7700, 1.5, True, False, None]},
    {"legs": {"from": ["LHR"]}},
    {"a": [{"prefix": ""}]},
    {"a": [{"prefix": {"equals-ignore-case": "eth"}}, {"suffix": {"equals-ignore-case": "1"}}]},
    {"a": [{"equals-ignore-case": "adsb"}, {"suffix": "x"}]},
    {"a": [{"wildcard": r"a*b\*\\*"}]},
    {"a": [{"anything-but": "x"}, {"anything-but": 5}]},
    {"a": [{"anything-but": ["x", "y"]}, {"anything-but": [1, 2.5]}]},
    {"a": [{"anything-but": {"prefix": "x"}}, {"anything-but": {"suffix": ["x", "y"]}}]},
    {"a": [{"anything-but": {"wildcard": "*x"}}, {"anything-but": {"equals-ignore-case": ["x"]}}]},
    {"a": [{"anything-but": {"equals-ignore-case": ""}}]},
    {"a": [{"numeric": [">", 0, "<=", 5]}, {"numeric": [">=", -5, "<", 5]}]},
    {"a": [{"numeric": ["<", -6000]}, {"numeric": ["=", 3.018e2]}, {"numeric": ["<=", 5e9]}]},
    {"a": [{"numeric": [">", 0.000001]}]},
    {"a": [{"exists": True}]},
    {"a": [{"exists": False}, "x"]},
    {"$or": [{"a": [1]}, {"b": [2]}]},
    {"c": [1], "$or": [{"a": [1]}, {"a": [2]}, {"b": [3], "$or": [{"a": [4]}, {"d": [5]}]}]},
    {"prefix": ["a field may have this name"], "numeric": {"exists": [1]}},
    {"a": {"$or": [{"b": [1]}, {"c": [1]}]}, "$or": [{"b": [1]}, {"c": [1]}]},
]
REFUSED = [
    ({}, "data: is an empty object"),
    ({"a": {}}, "data.a: is an empty object"),
    ({"$or": [{}, {"a": [1]}]}, "data: is an empty object"),
    ({"a": []}, "data.a: is an empty array"),
    ({"a": "x"}, 'data.a: is "x"; expected an array of alternatives or an object'),
    ({"a": None}, "data.a: is null; expected an array"),
    ({"a": [["x"]]}, 'data.a: ["x"] is an array within an array'),
    ({"a": [{}]}, "data.a: {} holds 0 operators"),
    ({"a": [{"prefix": "x", "suffix": "y"}]}, "holds 2 operators; expected one"),
    ({"a": [{"like": "x"}]}, 'data.a: "like" is not an operator; expected one of prefix, '),
    ({"a": [{"cidr": "10.0.0.0/8"}]}, '"cidr" is not an operator'),
    ({"a": [{"prefix": 5}]}, "data.a: prefix is 5; expected a text"),
    ({"a": [{"suffix": ["x"]}]}, 'data.a: suffix is ["x"]; expected a text'),
    ({"a": [{"prefix": {"suffix": "x"}}]}, 'data.a: prefix: "suffix" is not an operator'),
    ({"a": [{"prefix": {"equals-ignore-case": 5}}]}, "data.a: prefix: equals-ignore-case is 5; expected a text"),
    ({"a": [{"equals-ignore-case": None}]}, "equals-ignore-case is null; expected a text"),
    ({"a": [{"wildcard": "a**b"}]}, "data.a: wildcard is"),
    ({"a": [{"wildcard": r"a\b"}]}, "a backslash stands before"),
    ({"a": [{"wildcard": r"a\\\*\\" + "\\"}]}, "a backslash stands before"),
    ({"a": [{"wildcard": 5}]}, "wildcard is 5; expected a text"),
    ({"a": [{"exists": "yes"}]}, 'data.a: exists is "yes"; expected true or false'),
    ({"a": [{"exists": 1}]}, "data.a: exists is 1; expected true or false"),
    ({"a": [{"anything-but": []}]}, "data.a: anything-but is []; expected texts or numbers, all of one type"),
    ({"a": [{"anything-but": ["x", 5]}]}, 'data.a: anything-but is ["x", 5]; expected texts or numbers'),
    ({"a": [{"anything-but": [True]}]}, "anything-but is [true]; expected texts or numbers"),
    ({"a": [{"anything-but": None}]}, "anything-but is null; expected texts or numbers"),
    ({"a": [{"anything-but": [["x"]]}]}, 'anything-but is [["x"]]; expected'),
    ({"a": [{"anything-but": 6e9}]}, "anything-but: 6000000000.0 lies outside"),
    ({"a": [{"anything-but": {"numeric": ["<", 5]}}]}, 'data.a: anything-but: "numeric" is not an operator'),
    ({"a": [{"anything-but": {"exists": True}}]}, 'data.a: anything-but: "exists" is not an operator'),
    ({"a": [{"anything-but": {"prefix": ""}}]}, "anything-but: prefix is an empty text"),
    ({"a": [{"anything-but": {"suffix": ["x", ""]}}]}, "anything-but: suffix is an empty text"),
    ({"a": [{"anything-but": {"prefix": []}}]}, "anything-but: prefix is an empty array"),
    ({"a": [{"anything-but": {"prefix": "x", "suffix": "y"}}]}, "holds 2 operators"),
    ({"a": [{"anything-but": {"prefix": {"equals-ignore-case": "x"}}}]}, "expected a text"),
    ({"a": [{"anything-but": {"wildcard": "**"}}]}, "data.a: anything-but: wildcard is"),
    ({"a": [{"numeric": []}]}, "data.a: numeric is []; expected one comparison"),
    ({"a": [{"numeric": "<5"}]}, 'data.a: numeric is "<5"; expected one comparison'),
    ({"a": [{"numeric": [5]}]}, "expected one comparison"),
    ({"a": [{"numeric": ["<"]}]}, "expected one comparison"),
    ({"a": [{"numeric": ["!=", 5]}]}, "expected one comparison"),
    ({"a": [{"numeric": ["<", 5, ">", 0]}]}, "or a range from low to high"),
    ({"a": [{"numeric": ["=", 5, "<", 6]}]}, "or a range from low to high"),
    ({"a": [{"numeric": [">", 0, ">", 5]}]}, "or a range from low to high"),
    ({"a": [{"numeric": [">", 0, "<", 5, "<", 6]}]}, "or a range from low to high"),
    ({"a": [{"numeric": [">", 5, "<", 0]}]}, "expected the lower bound below the higher one"),
    ({"a": [{"numeric": [">=", 5, "<=", 5]}]}, "expected the lower bound below the higher one"),
    ({"a": [{"numeric": ["<", "5"]}]}, 'data.a: numeric: "5" is not a number'),
    ({"a": [{"numeric": ["<", True]}]}, "data.a: numeric: true is not a number"),
    ({"a": [{"numeric": ["<", 5_000_000_001]}]}, "lies outside of -5e9 to 5e9"),
    ({"a": [{"numeric": [">", 0, "<", 1e300]}]}, "lies outside of -5e9 to 5e9"),
    ({"a": [{"numeric": ["<", 0.0000001]}]}, "has more than 6 decimals"),
    ({"$or": {"a": [1]}}, "data.$or: is"),
    ({"$or": ["a", "b"]}, "data.$or: is"),
    ({"$or": []}, "data.$or: has 0 objects; expected at least two"),
    ({"$or": [{"a": [1]}]}, "data.$or: has 1 objects; expected at least two"),
    ({"$or": [{"a": [1]}, {"prefix": ["x"]}]}, "data.prefix: no field inside $or may have this name"),
    ({"$or": [{"a": {"numeric": [1]}}, {"b": [1]}]}, "data.a.numeric: no field inside $or"),
    ({"a": [1], "$or": [{"a": [2]}, {"b": [3]}]}, "data.a: is asked for twice, in $or and beside it"),
    ({"$or": [{"b": [1], "$or": [{"c": [1]}, {"b": [2]}]}, {"c": [1]}]}, "data.b: is asked for twice"),
]
REFUSED_TEXTS = [
    ("{", "not JSON"),
    ("", "not JSON"),
    ("[]", "[] is not a JSON object"),
    ("7700", "7700 is not a JSON object"),
    ('{"data":{"a":[NaN]}}', "NaN is not a JSON number"),
    ('{"data":{"a":[%s]}}' % ("9" * 5000), "not JSON"),
    ('{"data":{"a":["x"],"a":["y"]}}', "a: is named twice in one object"),
    ('{"data":{"a":["%s"]}}' % ("x" * 4096), "it has 4,115 characters; a pattern takes at most 4,096"),
    ('{"a":' * 200 + '["x"]' + "}" * 200, "it is nested more than 100 levels deep"),
    ('{"a":' * 100_000, "not JSON"),
]


@pytest.mark.parametrize("pattern", TAKEN, ids=json.dumps)
def test_what_aws_takes_is_taken(pattern):
    """By the check, by the local stack's filter, and by the alerts function."""
    text = json.dumps({"data": pattern})

    assert event_pattern.read(text) == ({"data": pattern}, len(text))
    assert RecordFilter([text])(b'{"none":0}') is AlertPatterns(text).match(b'{"none":0}')


@pytest.mark.parametrize(("pattern", "part"), REFUSED, ids=lambda value: value if isinstance(value, str) else "")
def test_what_aws_refuses_is_refused_with_the_part(pattern, part):
    """The text names the part, says what is wrong with it, and what was expected."""
    with pytest.raises(EventPatternError) as caught:
        event_pattern.read(json.dumps({"data": pattern}))
    assert part in str(caught.value)


@pytest.mark.parametrize(
    ("text", "part"),
    [*((json.dumps({"data": pattern}), part) for pattern, part in REFUSED), *REFUSED_TEXTS[:1], *REFUSED_TEXTS[2:]],
    ids=range(len(REFUSED) + len(REFUSED_TEXTS) - 1),
)
def test_the_filter_and_the_function_refuse_it_by_name(text, part):
    """The local stack's mapping and the function's setting quote the pattern, and give the check's own reason."""
    with pytest.raises(PatternError) as refused:
        RecordFilter(['{"data":{"squawk":["7700"]}}', text])
    with pytest.raises(ConfigurationError) as misconfigured:
        AlertPatterns('{"data":{"squawk":["7700"]}}\n' + text).match(b"{}")

    assert part in str(refused.value)
    assert part in str(misconfigured.value)
    assert str(misconfigured.value).startswith(f"ALERT_PATTERNS: pattern 2, {text[:200]}: ")
    assert f"the pattern {text[:200]!r}" in str(refused.value)


@pytest.mark.parametrize(("text", "part"), REFUSED_TEXTS, ids=lambda value: value[:20])
def test_a_text_that_is_no_pattern_is_refused(text, part):
    """Before any rule about patterns there are JSON, its size, and its depth."""
    with pytest.raises(EventPatternError) as caught:
        event_pattern.read(text)
    assert part in str(caught.value)


def test_the_templates_defaults_are_taken(repository):
    """A deployment without parameters is not refused."""
    parameters = yaml_parse((repository / "template.yaml").read_text())["Parameters"]
    for number in range(1, 6):
        if default := parameters[f"AlertPattern{number}"]["Default"]:
            event_pattern.read(default)


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["a", "$or", "prefix", "numeric", "anything-but", "exists"]), inner, max_size=3
        )
    ),
)


@given(st.dictionaries(st.sampled_from(["data", "$or"]), json_values, max_size=2))
def test_whatever_is_taken_can_be_asked(pattern):
    """The two matchers rely on the check: nothing that passes it breaks them, or has them disagree."""
    text = json.dumps(pattern)
    try:
        event_pattern.read(text)
        accepts = RecordFilter([text])
    except (EventPatternError, PatternError):  # the latter: of a Kinesis record, only `data` is looked at
        return
    for data in (b"{}", b'{"a":"x"}', b'{"a":[1,2.0,null]}'):
        assert accepts(data) is AlertPatterns(text).match(data)
