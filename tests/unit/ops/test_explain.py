"""`ops explain-filter`: which part of a pattern a record does not match."""

from __future__ import annotations

import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.event_source_mapping.filter import RecordFilter
from ops.command_line import main
from ops.explain import Explainer

UPDATE = {"icao_address": "A4F0AB", "squawk": "1200", "altitude_baro": 31000, "on_ground": None, "tags": ["a", "b"]}


def pattern(**fields):
    """A pattern over an update's fields."""
    return json.dumps({"data": fields})


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (pattern(squawk=["7700", "7600"]), ['data.squawk is "1200"; expected "7700" or "7600"']),
        (pattern(callsign=[{"prefix": "DAL"}]), ['data.callsign is absent; expected prefix "DAL"']),
        (
            pattern(altitude_baro=[{"numeric": [">", 0, "<=", 1000]}]),
            ["data.altitude_baro is 31000; expected a number > 0 and <= 1000"],
        ),
        (pattern(squawk=[{"exists": False}]), ['data.squawk is "1200"; expected no value']),
        (pattern(speed=[{"exists": True}]), ["data.speed is absent; expected any value"]),
        (
            pattern(squawk=["7700"], altitude_baro=[1]),
            ['data.squawk is "1200"; expected "7700"', "data.altitude_baro is 31000; expected 1"],
        ),
        (
            pattern(**{"$or": [{"squawk": ["7"]}, {"speed": [1]}]}),
            ['data: none of 2 alternatives: data.squawk is "1200"; expected "7"; or data.speed is absent; expected 1'],
        ),
        (pattern(squawk=["1200"]), []),
        (pattern(tags=["b"]), []),
        (pattern(**{"$or": [{"squawk": ["1200"]}, {"on_ground": [True]}]}), []),
    ],
)
def test_it_names_what_failed(wanted, said):
    """Each failing field once, with what it is and what was expected; nothing where it matches."""
    assert Explainer(wanted).reasons(json.dumps(UPDATE).encode()) == said


def test_what_is_no_json_is_dropped():
    """As Lambda does, whatever the pattern."""
    [reason] = Explainer(pattern(squawk=["1200"])).reasons(b"\xff")
    assert reason.startswith("the record is not JSON")


names = st.sampled_from(["a", "b"])
scalars = st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from(["", "x", "xy"]))
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=2))
alternatives = st.lists(
    st.one_of(
        scalars,
        st.booleans().map(lambda there: {"exists": there}),
        st.just({"numeric": [">", 0]}),
        st.just({"prefix": "x"}),
        st.just({"anything-but": ["x"]}),
    ),
    min_size=1,
    max_size=2,
)
fields = st.dictionaries(names, alternatives, min_size=1, max_size=2)
patterns = st.one_of(
    fields,
    st.tuples(fields, fields).map(lambda two: {"$or": list(two)}),
    st.dictionaries(names, fields, min_size=1, max_size=2),
)


@given(patterns, values)
def test_a_reason_is_given_exactly_where_the_filter_drops(wanted, value):
    """It agrees with the filter of the local stack, and finds the part itself rather than the general excuse."""
    text, data = json.dumps({"data": wanted}), json.dumps(value).encode()
    reasons = Explainer(text).reasons(data)
    assert bool(reasons) is not RecordFilter([text])(data)
    assert not [reason for reason in reasons if reason.startswith("the record is nested")]


@pytest.mark.parametrize("packed", [False, True])
def test_a_file_of_the_providers_lines(tmp_path, capsys, packed):
    """Plain or gzip, each line's `target` is the record; the exit code says whether one matched."""
    path = tmp_path / "lines"
    lines = b"".join(json.dumps({"target": UPDATE | {"squawk": one}}).encode() + b"\n" for one in ("1200", "7700"))
    path.write_bytes(gzip.compress(lines) if packed else lines)
    assert main(["explain-filter", pattern(squawk=["7700"]), str(path)]) == 0
    output = capsys.readouterr().out
    assert 'line 1: does not match: data.squawk is "1200"; expected "7700"\nline 2: matches\n' in output
    assert output.endswith("1 of 2 records match\n")
    assert main(["explain-filter", pattern(squawk=["7600"]), str(path), "--json", "--limit", "1"]) == 1
    assert json.loads(capsys.readouterr().out)["matches"] is False


def test_a_record_whose_number_no_double_holds_is_explained_as_any_other(tmp_path, capsys):
    """The filter reads it, so what it misses is said; and a file may begin with a byte order mark."""
    path = tmp_path / "lines"
    path.write_bytes(b'\xef\xbb\xbf{"target":{"squawk":"1200","speed":1e309}}\n')
    wanted = pattern(squawk=["7700"], speed=[{"numeric": [">", 5]}])
    assert main(["explain-filter", wanted, str(path)]) == 1
    output = capsys.readouterr().out
    assert 'data.squawk is "1200"; expected "7700"; data.speed is "a number beyond every double"' in output


def test_a_damaged_file_is_named(tmp_path, capsys):
    """In a sentence, whatever is wrong with its compression."""
    path = tmp_path / "lines.gz"
    content = bytearray(gzip.compress(json.dumps(UPDATE).encode() * 50))
    content[12:20] = b"\xff" * 8
    path.write_bytes(content)
    assert main(["explain-filter", pattern(squawk=["7700"]), str(path)]) == 2
    assert f"{path}: cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        (b'{"squawk":' + b"[" * 5_000 + b"]" * 5_000 + b"}", 1, "nested deeper than a filter looks"),
        (b'{"v":1,"n":1,"x":' + b"[" * 90_000 + b"]" * 90_000 + b"}", 1, "nested deeper than a filter looks"),
        (b"x" * 10_485_761, 2, "line 1 has more than 10,485,760 bytes, which no record holds; expected a record a"),
    ],
    ids=["deep", "deep-envelope", "long"],
)
def test_what_no_record_is_like_is_said(tmp_path, capsys, line, code, said):
    """Neither a trace, nor memory for a file without an end of line."""
    path = tmp_path / "lines"
    path.write_bytes(line)
    assert main(["explain-filter", pattern(squawk=["7700"]), str(path)]) == code
    printed = capsys.readouterr()
    assert said in printed.out + printed.err


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("{", "not JSON"),
        ('{"squawk":["7700"]}', "of a Kinesis record only `data` is looked at"),
        ("@/nonexistent/pattern.json", "cannot be read"),
        (pattern(squawk=[{"regex": "x"}]), "is not an operator"),
    ],
)
def test_a_pattern_that_aws_would_refuse_is_refused(wanted, said, capsys):
    """With its reason, before the file is looked at."""
    assert main(["explain-filter", wanted, "/nonexistent"]) == 2
    assert said in capsys.readouterr().err
