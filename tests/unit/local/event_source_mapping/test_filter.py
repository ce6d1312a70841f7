"""FilterCriteria: EventBridge's pattern syntax over a record's data."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.event_source_mapping.filter import PatternError, RecordFilter


def passes(pattern, data):
    """Whether data (an object, or raw bytes) passes the pattern for its `data` key."""
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return RecordFilter([json.dumps({"data": pattern})])(raw)


@pytest.mark.parametrize(
    ("alternatives", "matching", "others"),
    [
        (["7700"], ["7700", ["1200", "7700"]], ["7500", 7700, None, [], {"a": 1}]),
        (["7500", "7700"], ["7500", "7700"], ["7600"]),
        ([5], [5, 5.0, [4, 5]], ["5", True, 6]),
        ([1.5], [1.5], [1, "1.5"]),
        ([True], [True], [1, "true", False]),
        ([None], [None, [None]], ["", 0, False]),
        ([""], [""], [None, " "]),
        ([300], [300, 300.0], [301, "300", True]),
        ([{"prefix": "ETH"}], ["ETH701", ["AFR1", "ETH2"]], ["eth701", "XETH", 5, None]),
        ([{"prefix": {"equals-ignore-case": "eth"}}], ["ETH701", "eth"], ["XETH"]),
        ([{"suffix": "701"}], ["ETH701"], ["ETH7012", 701]),
        ([{"suffix": {"equals-ignore-case": ".PNG"}}], ["a.png", "a.PNG"], ["a.pn"]),
        ([{"equals-ignore-case": "adsb"}], ["ADSB", "adsb", "AdSb"], ["ADSC", None]),
        ([{"wildcard": "ET*1"}], ["ET701", "ET1", "ET\n1"], ["ET702", "XET1", 1]),
        ([{"wildcard": r"a\*b"}], ["a*b"], ["axb"]),
        ([{"wildcard": r"a\\*"}], ["a\\b"], ["a*b", "ab"]),
        ([{"wildcard": "a.b"}], ["a.b"], ["axb"]),
        ([{"anything-but": "ADSB"}], ["MLAT", None, 5, ["ADSB", "MLAT"]], ["ADSB", ["ADSB"], []]),
        ([{"anything-but": ["ADSB", "MLAT"]}], ["X", None], ["ADSB", "MLAT"]),
        ([{"anything-but": 5}], [6, "5"], [5]),
        ([{"anything-but": [1, 2]}], [3], [1, 2]),
        ([{"anything-but": {"prefix": "ET"}}], ["AF1", 5, None], ["ET1"]),
        ([{"anything-but": {"prefix": ["ET", "AF"]}}], ["LH1"], ["ET1", "AF1"]),
        ([{"anything-but": {"suffix": "1"}}], ["ET2"], ["ET1"]),
        ([{"anything-but": {"equals-ignore-case": ["x", "y"]}}], ["z"], ["X", "y"]),
        ([{"anything-but": {"wildcard": "*/lib/*"}}], ["/usr/bin"], ["/usr/lib/x"]),
        ([{"numeric": ["<", -6000]}], [-6001, -6000.5, [0, -7000]], [-6000, 0, "-7000", None, True]),
        ([{"numeric": [">", 0, "<=", 5]}], [1, 5, 0.1], [0, 6]),
        ([{"numeric": [">", 0]}], [5e9], [5e9 + 1, 10**20, 1e300]),
        ([{"numeric": ["=", 300]}], [300, 300.0], [301]),
        ([{"numeric": [">=", 10]}], [10, 11], [9.99]),
        ([{"exists": True}], [0, None, "", [1]], [{"a": 1}, []]),
        ([{"prefix": "a"}, {"numeric": [">", 5]}, "z"], ["ab", 6, "z"], ["b", 5]),
    ],
)
def test_a_field_matches_when_one_alternative_holds(alternatives, matching, others):
    """Each operator takes what EventBridge says it takes, in an array for any of its elements, and nothing else."""
    assert [passes({"field": alternatives}, {"field": value}) for value in matching] == [True] * len(matching)
    assert [passes({"field": alternatives}, {"field": value}) for value in others] == [False] * len(others)


@pytest.mark.parametrize("alternatives", [["x"], [None], [{"exists": True}], [{"anything-but": "x"}]])
def test_a_missing_field_matches_nothing_but_its_absence(alternatives):
    """Only `exists: false` holds for a field that is not there."""
    assert not passes({"field": alternatives}, {"other": 1})
    assert passes({"field": [*alternatives, {"exists": False}]}, {"other": 1})


def test_exists_false_holds_for_what_is_no_leaf():
    """An object is no leaf: EventBridge's `exists` looks at leaves only."""
    assert passes({"field": [{"exists": False}]}, {"field": {"inner": 1}})
    assert not passes({"field": [{"exists": False}]}, {"field": None})


def test_all_fields_of_a_pattern_must_match():
    """Keys are ANDed, however deep they stand."""
    pattern = {"on_ground": [False], "position": {"altitude": [{"numeric": [">", 100]}]}}
    assert passes(pattern, {"on_ground": False, "position": {"altitude": 200}})
    assert not passes(pattern, {"on_ground": True, "position": {"altitude": 200}})
    assert not passes(pattern, {"on_ground": False, "position": {"altitude": 50}})
    assert not passes(pattern, {"on_ground": False})
    assert not passes(pattern, {"on_ground": False, "position": "high"})


def test_in_an_array_of_objects_one_element_must_match_as_a_whole():
    """Two elements cannot each give half of a match."""
    pattern = {"legs": {"from": ["LHR"], "to": ["ADD"]}}
    assert passes(pattern, {"legs": [{"from": "CDG"}, {"from": "LHR", "to": "ADD"}]})
    assert not passes(pattern, {"legs": [{"from": "LHR", "to": "CDG"}, {"from": "CDG", "to": "ADD"}]})


def test_or_takes_either_side_and_the_keys_beside_it_too():
    """`$or` is ANDed with its neighbours, and may stand at any depth."""
    pattern = {"source": ["ADSB"], "$or": [{"squawk": ["7700"]}, {"vertical_rate": [{"numeric": ["<", -6000]}]}]}
    assert passes(pattern, {"source": "ADSB", "squawk": "7700"})
    assert passes(pattern, {"source": "ADSB", "vertical_rate": -7000})
    assert not passes(pattern, {"source": "ADSB", "squawk": "1200", "vertical_rate": 0})
    assert not passes(pattern, {"source": "MLAT", "squawk": "7700"})
    top = RecordFilter(['{"$or": [{"data": {"a": [1]}}, {"data": {"b": [2]}}]}'])
    assert (top(b'{"a":1}'), top(b'{"b":2}'), top(b'{"b":1}')) == (True, True, False)


def test_patterns_are_alternatives_of_each_other():
    """A record that satisfies any of the filters is sent."""
    either = RecordFilter(['{"data": {"a": [1]}}', '{"data": {"b": [2]}}'])
    assert (either(b'{"a":1}'), either(b'{"b":2}'), either(b'{"c":3}')) == (True, True, False)


@pytest.mark.parametrize(
    "data", [b"", b"no json", b"\xff\xfe", b'{"a": NaN}', b'{"a": 1', b"[" * 100_000, b'{"a": "\xff"}']
)
def test_data_that_is_no_json_is_dropped_when_the_pattern_names_data(data):
    """Also when the pattern asks for a field's absence."""
    assert not passes({"a": [1]}, data)
    assert not passes({"a": [{"exists": False}]}, data)


def test_data_that_is_json_but_no_object_matches_no_key():
    """A JSON text has no fields."""
    assert not passes({"a": [1]}, b'"text"')
    assert not passes({"a": [1]}, b"5")


def test_a_line_end_after_the_object_does_no_harm():
    """The pipeline's records end with a newline."""
    assert passes({"a": [1]}, b'{"a":1}\n')


@pytest.mark.parametrize("data", [b'{"a":1e309,"b":"x"}', b'{"a":[%s],"b":"x"}' % (b"9" * 6000)])
def test_a_number_that_no_double_holds_is_there_and_equals_nothing(data):
    """AWS keeps numbers as they are written: the other fields are looked at, and this one matches no number."""
    assert passes({"b": ["x"], "a": [{"exists": True}]}, data)
    assert not passes({"a": [{"numeric": [">", 0]}]}, data)


@pytest.mark.parametrize(
    ("pattern", "complaint"),
    [
        ('{"partitionKey": ["1"]}', "only `data`"),
        ('{"$or": [{"data": {"a": [1]}}, {"body": {"a": [1]}}]}', "only `data`"),
        ('{"data": {"a": [1]}} {"data": {"a": [2]}}', "something follows"),
        ('{"data": {"a": []}}', "data.a: is an empty array"),
    ],
)
def test_a_pattern_that_lambda_refuses_is_refused(pattern, complaint):
    """A mistake in a filter is found when the mapping is made, not by records that never come."""
    with pytest.raises(PatternError, match=complaint):
        RecordFilter([pattern])


# -- against a plain oracle: what a pattern means, said again as simply as possible

_texts = st.sampled_from(["", "a", "ab", "b", "ba", "aba"])
_numbers = st.integers(-3, 3)
_scalars = st.one_of(_texts, _numbers, st.booleans(), st.none())
_values = st.one_of(_scalars, st.lists(_scalars, max_size=3))
_alternatives = st.one_of(
    _scalars,
    st.fixed_dictionaries({"prefix": _texts}),
    st.fixed_dictionaries({"suffix": _texts}),
    st.fixed_dictionaries({"exists": st.booleans()}),
    st.fixed_dictionaries({"anything-but": st.lists(_texts, min_size=1, max_size=3)}),
    st.fixed_dictionaries({"numeric": st.tuples(st.sampled_from(["<", "<=", "=", ">", ">="]), _numbers).map(list)}),
)
_compare = {
    "<": lambda one, two: one < two,
    "<=": lambda one, two: one <= two,
    "=": lambda one, two: one == two,
    ">": lambda one, two: one > two,
    ">=": lambda one, two: one >= two,
}


def oracle(fields, data):
    """Every field has an alternative that holds."""
    return all(any(holds(alternative, name, data) for alternative in wanted) for name, wanted in fields.items())


def holds(alternative, name, data):
    """The alternative holds for the field, or for an element of it."""
    there = name in data and data[name] != []
    if isinstance(alternative, dict) and "exists" in alternative:
        return alternative["exists"] == there
    if not there:
        return False
    elements = data[name] if isinstance(data[name], list) else [data[name]]
    return any(element_holds(alternative, element) for element in elements)


def element_holds(alternative, element):
    """The alternative holds for this one scalar."""
    if not isinstance(alternative, dict):
        return json.dumps(alternative) == json.dumps(element)  # all numbers here are integers
    ((operator, operand),) = alternative.items()
    if operator == "anything-but":
        return element not in operand
    if operator == "numeric":
        return type(element) is int and _compare[operand[0]](element, operand[1])
    return isinstance(element, str) and (
        element[: len(operand)] == operand
        if operator == "prefix"
        else element[len(element) - len(operand) :] == operand and len(element) >= len(operand)
    )


@given(
    fields=st.dictionaries(st.sampled_from("xyz"), st.lists(_alternatives, min_size=1, max_size=3), min_size=1),
    data=st.dictionaries(st.sampled_from("xyz"), _values),
)
def test_the_filter_agrees_with_its_plain_description(fields, data):
    """For any pattern and data, the compiled filter says what the rules say."""
    assert passes(fields, data) == oracle(fields, data)


# -- in the shard


def test_rejected_records_are_consumed_and_never_sent(rig, data_of):
    """A filter comes before the batch: rejected records take no place in it, and delivered bytes are untouched."""
    shard = rig(BatchSize=2, FilterCriteria={"Filters": [{"Pattern": '{"data": {"squawk": ["7700"]}}'}]})
    wanted = b'{ "squawk" : "7700", "note": "\\u00e9" }\n'
    for number in range(10):
        shard.put(data=wanted if number % 2 else b'{"squawk": "1200"}')
    shard.work()
    assert shard.sent == [[2, 4], [6, 8], [10]]
    assert all(data == wanted for event in shard.calls for data in data_of(event))
    counters = shard.shard.counters
    assert (counters.read, counters.filtered, counters.consumed) == (10, 5, 5)
    assert shard.shard.idle
