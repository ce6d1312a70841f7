"""In envelopes no alert is lost by the header: what could lose one is refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]

from alerts.pattern_matcher import AlertPatterns
from common.environment import ConfigurationError
from consumer.publish.envelope_writer import ON_GROUND, RANGES, VALUES, decode
from consumer.publish.pattern_validation import check
from local.event_source_mapping.filter import RecordFilter
from tests.support.headers import header


def allowed(pattern):
    """Whether the check lets a pattern for `data` pass."""
    try:
        check(json.dumps({"data": pattern}))
    except ConfigurationError:
        return False
    return True


# Few values, so that they meet: a value between two others, two texts of one prefix.
texts = st.sampled_from(["a", "ab", "b"])
numbers = st.sampled_from([-1, 0, 1, 1.5])
readings = numbers | st.sampled_from([-6_000_000_000, -5_000_000_000, 5_000_000_000.5, 1e300])
targets = st.fixed_dictionaries(
    {},
    optional={
        "squawk": texts | st.integers(1, 2),
        "callsign": texts,
        "speed": readings,
        ON_GROUND: st.booleans() | st.none(),
    },
)
comparisons = st.tuples(st.sampled_from(["<", "<=", "=", ">=", ">"]), numbers)
of_texts = st.one_of(
    texts,
    st.tuples(st.sampled_from(["prefix", "suffix", "equals-ignore-case"]), texts).map(lambda pair: dict([pair])),
    st.sampled_from(["a*", "*b"]).map(lambda text: {"wildcard": text}),
    texts.map(lambda text: {"anything-but": text}),
    texts.map(lambda text: {"anything-but": {"prefix": text}}),
    st.lists(texts | numbers, min_size=1, max_size=3).map(lambda values: {"anything-but": values}),
)
of_numbers = st.one_of(
    numbers,
    comparisons.map(lambda one: {"numeric": list(one)}),
    st.tuples(comparisons, comparisons).map(lambda two: {"numeric": [*two[0], *two[1]]}),
    numbers.map(lambda value: {"anything-but": value}),
    st.lists(numbers, min_size=1, max_size=3).map(lambda values: {"anything-but": values}),
)
exists = st.booleans().map(lambda there: {"exists": there})


def alternatives(*of_field):
    """What may stand against a field, most of it what has a meaning for it."""
    return st.lists(st.one_of(*of_field, exists, st.none(), st.booleans()), min_size=1, max_size=2)


fields = st.fixed_dictionaries(
    {},
    optional={
        "squawk": alternatives(of_texts, st.integers(1, 2)),
        "speed": alternatives(of_numbers, of_numbers),
        ON_GROUND: alternatives(st.just({"exists": False})),
    },
).map(
    # Each field by itself is kept if the check lets it pass, so that whole patterns often do; `on_ground` is kept, for
    # whether it passes depends on what stands beside it.
    lambda drawn: {name: one for name, one in drawn.items() if name == ON_GROUND or allowed({name: one})}
)
patterns = st.one_of(
    fields,
    st.lists(fields, min_size=1, max_size=3).map(lambda either: {"$or": either}),
    st.builds(lambda plain, either: plain | {"$or": either}, fields, st.lists(fields, min_size=1, max_size=3)),
)


def headered(several):
    """Updates as the consumer's parser makes them."""
    base = {"icao_address": "78121E", "timestamp": "2024-03-04T23:23:59Z"}
    return [decode(json.dumps(base | target).encode()) for target in several]


def loses_nothing(pattern, several):
    """Whether the check refuses the pattern, or the mapping hands over the envelope of updates of which one matches."""
    if not allowed(pattern):
        return True
    text = json.dumps({"data": pattern})
    matches = any(AlertPatterns(text).match(json.dumps(target).encode()) for target in several)
    return not matches or RecordFilter([text])(json.dumps(header(headered(several))).encode())


@settings(max_examples=600, deadline=None)
@given(alternatives(of_numbers), st.lists(readings, min_size=3, max_size=5))
def test_a_range_loses_nothing(alternatives, values):
    """Whatever the check allows of a number, a value among others is not missed; some are beyond what is compared."""
    assert loses_nothing({"speed": alternatives}, [{"speed": value} for value in values])


@settings(max_examples=600, deadline=None)
@given(alternatives(of_texts), st.lists(st.none() | texts, min_size=2, max_size=4))
def test_a_list_loses_nothing(alternatives, values):
    """Whatever the check allows of a text, a value among others is not missed, nor one that is not there."""
    assert loses_nothing({"squawk": alternatives}, [{"squawk": value} if value else {} for value in values])


@settings(max_examples=1000, deadline=None)
@given(patterns, st.lists(targets, min_size=1, max_size=4))
def test_what_matches_an_update_matches_its_envelope(pattern, several):
    """Whatever pattern the check allows, and whatever updates lie together: the mapping hands the envelope over."""
    assert loses_nothing(pattern, several)


def test_the_defaults_are_allowed(repository):
    """What the template comes with works in both formats unchanged."""
    parameters = yaml_parse((repository / "template.yaml").read_text())["Parameters"]
    check("\n".join(parameters[f"AlertPattern{number}"]["Default"] for number in range(1, 6)))


@pytest.mark.parametrize(
    "pattern",
    [
        {"squawk": ["7500", "7600"]},
        {"squawk": ["7500", 7500]},
        {"on_ground": [False, None]},
        {"$or": [{"on_ground": [False]}, {"on_ground": [None]}, {"on_ground": [{"exists": False}]}]},
        {"icao_address": [{"exists": True}]},
        {"callsign": [{"prefix": "ETH"}, {"suffix": {"equals-ignore-case": "x"}}, {"wildcard": "A*1"}]},
        {"airline_iata": [{"anything-but": ["DL", "ET"]}, {"equals-ignore-case": "dl"}]},
        {"altitude_baro": [{"numeric": ["<", 1000]}, {"numeric": [">=", 40000]}], "airline_iata": ["DL"]},
        {"speed": [{"exists": True}]},
        {"on_ground": [False, {"exists": False}]},
        {"on_ground": [True]},
        {"on_ground": [{"exists": True}]},
        {"$or": [{"on_ground": [{"exists": False}], "squawk": ["7700"]}, {"on_ground": [False]}]},
    ],
)
def test_what_a_header_answers_as_its_updates_do_is_allowed(pattern):
    """Values of the listed fields, one-sided bounds of the ranges, and `on_ground`."""
    check(json.dumps({"data": pattern}))
    check(json.dumps({"$or": [{"data": pattern}, {"data": {"speed": [{"numeric": [">", 5]}]}}]}))


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ({"latitude": [{"numeric": [">", 50]}]}, "latitude: an envelope's header holds icao_address, callsign, "),
        ({"flight_number": ["ET701"]}, "flight_number: an envelope's header holds"),
        ({"z": [{"exists": True}]}, "z: an envelope's header holds"),
        ({"callsign": [{"exists": False}]}, "callsign: an envelope holds many updates"),
        ({"callsign": [None]}, "callsign: an envelope's header lists the texts there are, and null asks"),
        ({"squawk": [7700.5]}, "squawk: an envelope's header lists the codes there are, and 7700.5 asks"),
        ({"callsign": [7700]}, "callsign: an envelope's header lists the texts there are, and 7700 asks"),
        ({"on_ground": [None]}, "on_ground: in an envelope's header an update without it counts as false"),
        ({"squawk": [{"numeric": [">", 5]}]}, "squawk: an envelope's header lists the codes"),
        ({"altitude_baro": [{"numeric": [">", 0, "<", 1000]}]}, "altitude_baro: an envelope's header holds the lowest"),
        ({"altitude_baro": [{"numeric": ["=", 0]}]}, "altitude_baro: an envelope's header holds the lowest"),
        ({"altitude_baro": [0]}, "altitude_baro: an envelope's header holds the lowest"),
        ({"altitude_baro": [{"anything-but": [0, 41000]}]}, "altitude_baro: an envelope's header holds the lowest"),
        ({"speed": [{"exists": False}]}, "speed: an envelope's header holds the lowest"),
        ({"on_ground": [{"exists": False}]}, "on_ground: in an envelope's header an update without it counts as false"),
        ({"on_ground": ["false"]}, "on_ground: an envelope's header lists true and false"),
        ({"squawk": {"code": ["7700"]}}, "squawk: an envelope's header holds no objects"),
        ({"$or": [{"squawk": ["7700"]}, {"latitude": [5]}]}, "latitude: an envelope's header holds"),
        (
            {"$or": [{"on_ground": [{"exists": False}]}, {"on_ground": [False], "squawk": ["7700"]}]},
            "on_ground: in an envelope's header",
        ),
    ],
)
def test_what_a_header_could_miss_is_refused(pattern, names):
    """The error quotes the pattern, names the field, says why, and what to do."""
    text = json.dumps({"data": pattern})
    with pytest.raises(ConfigurationError) as caught:
        check('{"data":{"squawk":["7700"]}}\n\n' + text)
    message = str(caught.value)
    assert f"the pattern {text} would miss updates that it matches, and no alert would be sent: {names}" in message
    assert message.endswith("or set RecordFormat=single")


def test_a_pattern_has_to_look_at_the_data():
    """What stands beside `data` is no field of a header."""
    with pytest.raises(ConfigurationError, match="body: a pattern takes the one key data"):
        check('{"body":{"squawk":["7700"]}}')


def test_every_field_of_the_header_can_be_asked_for():
    """Nothing that the header holds is refused for being unknown."""
    for name in VALUES:
        check(json.dumps({"data": {name: ["x"]}}))
    for name in RANGES:
        check(json.dumps({"data": {name: [{"numeric": ["<", 5]}]}}))
