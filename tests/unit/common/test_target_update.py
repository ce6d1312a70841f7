"""A target update is read from any bytes a record may hold, or refused with a text that says why."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.target_update import TargetUpdate, UndecodableUpdateError, UpdateKey, decode, decode_lines, fields

GOOD = {
    "icao_address": "040172",
    "timestamp": "2024-03-04T23:23:59Z",
    "ingestion_time": "2024-03-04T23:24:01.900Z",
    "latitude": 36.696758,
    "longitude": 19.5334,
    "altitude_baro": 38750,
    "heading": 122.42984,
    "speed": 530.0,
    "vertical_rate": 512,
    "squawk": "5223",
    "on_ground": False,
    "callsign": "ETH701",
    "aircraft_type_icao": "A359",
    "flight_id": "a854ae1e-9348-45cc-8253-3251b1ce6448",
}


def encoded(**changes):
    """The good update with some fields changed."""
    return json.dumps(GOOD | changes).encode()


def test_every_field_in_use_is_read_with_its_type():
    """Fields come out typed, and one that is not ours is skipped."""
    update = decode(encoded() + b"\n")
    assert (update.latitude, update.altitude_baro, update.speed) == (36.696758, 38750.0, 530.0)
    assert (update.squawk, update.on_ground, update.callsign) == ("5223", False, "ETH701")
    assert update.timestamp == datetime(2024, 3, 4, 23, 23, 59, tzinfo=UTC)
    assert update.tail_number is None


def test_the_key_distinguishes_updates_of_one_instant():
    """The key has the ingestion time: a satellite and a ground station may see an aircraft in the same second."""
    ground, satellite = decode(encoded()), decode(encoded(ingestion_time="2024-03-05T02:00:00Z"))
    assert ground.key != satellite.key
    assert ground.key == UpdateKey("040172", ground.timestamp, ground.ingestion_time)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("altitude_baro", "abc"),
        ("altitude_baro", "38750"),
        ("altitude_baro", 1e300),
        ("latitude", 91),
        ("longitude", [1]),
        ("on_ground", "no"),
        ("squawk", 77001),
        ("squawk", -7700),
        ("squawk", 7700.5),
        ("squawk", 1e6),
        ("callsign", "x" * 65),
        ("callsign", {"a": 1}),
        ("ingestion_time", "yesterday"),
        ("ingestion_time", 1709594641),
    ],
)
def test_a_field_of_the_wrong_type_or_range_is_absent_and_the_rest_stays(field, value):
    """One bad field costs itself only."""
    update = decode(encoded(**{field: value}))
    assert getattr(update, field) is None
    assert update == decode(encoded(**{field: None}))
    assert update.heading == 122.42984


@pytest.mark.parametrize(
    "text", ["2024-03-04T23:23:59", "2024-03-04 23:23:59Z", "2024-03-05T01:23:59+02:00", "20240304T232359Z"]
)
def test_other_iso_times_are_read_and_without_a_zone_they_are_utc(text):
    """A time the fast decoder refuses still counts if it can only mean one instant."""
    assert decode(encoded(timestamp=text)).timestamp == datetime(2024, 3, 4, 23, 23, 59, tzinfo=UTC)


@pytest.mark.parametrize("text", ["78121E", "78121e", " 78121E ", "\t78121e" + " " * 40])
def test_an_address_in_either_case_and_padded_is_one_aircraft(text):
    """Keys, windows and suppression go by it."""
    assert decode(encoded(icao_address=text)).icao_address == "78121E"
    at_once = decode_lines(encoded(icao_address=text) + b"\n")
    assert at_once is None or at_once == [decode(encoded(icao_address="78121E"))]


@pytest.mark.parametrize(
    ("text", "callsign"),
    [(" CCA8302 ", "CCA8302"), ("", None), ("  ", None), ("CCA" + " " * 80, "CCA"), ("A B", "A B")],
)
def test_a_callsign_loses_its_padding_and_a_blank_one_is_absent(text, callsign):
    """Feeds pad callsigns to eight characters, and send blanks where there is none."""
    assert decode(encoded(callsign=text)).callsign == callsign
    assert decode(encoded(callsign=text, speed="fast")).callsign == callsign


@pytest.mark.parametrize(
    ("text", "second"),
    [
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
        ("2016-12-31T23:59:60.250Z", "2017-01-01T00:00:00.250Z"),
        ("2017-01-01 00:59:60+01:00", "2017-01-01T00:00:00Z"),
    ],
)
def test_a_leap_second_is_the_one_after_59(text, second):
    """As POSIX counts; its update stays."""
    assert decode(encoded(timestamp=text)).timestamp == datetime.fromisoformat(second)


@pytest.mark.parametrize("text", ["", " ", "soon", "2024-02-30T00:00:00Z", "0001-01-01T00:00:00+14:00", 7, None])
def test_an_optional_time_that_is_none_is_absent(text):
    """The update stays."""
    assert decode(encoded(ingestion_time=text)).ingestion_time is None


NO_DOUBLES = [b"1e309", b"-1e309", b"9" * 5_000]


@pytest.mark.parametrize("number", NO_DOUBLES)
@pytest.mark.parametrize("field", ["altitude_baro", "squawk", "ingestion_time", "latitude", "not_read"])
def test_a_number_that_no_double_holds_costs_its_field_alone(field, number):
    """JSON allows it: in a field that is read it is absent, in any other skipped, and the update stays."""
    data = encoded(**{field: "here"}).replace(b'"here"', number)
    ignored = Counter()
    assert decode(data, ignored) == decode(encoded(**{field: None}))
    assert ignored == ({} if field == "not_read" else {field: 1})
    ignored = Counter()
    assert fields(data, ignored) == {name: value for name, value in GOOD.items() if name != field}
    assert ignored == {"other" if field == "not_read" else field: 1}


@pytest.mark.parametrize("text", [b'"\\ud800"', b'"\\udc00 \\ud83d"', b'{"a":["\\uD83Dx"]}'])
@pytest.mark.parametrize("field", ["flight_number", "callsign", "ingestion_time", "not_read"])
def test_half_a_surrogate_pair_costs_its_field_alone(field, text):
    """JSON's grammar allows it, and no text can hold it; a whole pair beside it, or an escaped backslash, is a text."""
    data = encoded(**{field: "here"}, tail_number="there").replace(b'"here"', text)
    data = data.replace(b'"there"', b'"\\ud83d\\ude00 \\\\ud800"')
    ignored = Counter()
    update = decode(data, ignored)
    assert update == decode(encoded(**{field: None}, tail_number="\N{GRINNING FACE} \\ud800"))
    assert ignored == ({} if field == "not_read" else {field: 1})
    assert field not in fields(data)
    with pytest.raises(UndecodableUpdateError, match="icao_address: got nothing"):
        decode(encoded(icao_address="here").replace(b'"here"', text))


@pytest.mark.parametrize("data", [b"[]", b"1", b"1e309", b"{", b'{"a":' * 100_000, b"\xff"])
def test_what_is_no_object_has_no_fields(data):
    """And is refused as an update is."""
    with pytest.raises(UndecodableUpdateError):
        fields(data)


def test_a_refusal_is_short_and_harmless():
    """However long the value, and whatever a terminal would make of it."""
    hostile = "\x9b31m\u202e\x7f".encode() + b"x" * 100_000
    data = b'{"icao_address":"%b","timestamp":"2024-03-04T23:23:59Z"}' % hostile
    with pytest.raises(UndecodableUpdateError) as refused:
        decode(data)
    text = str(refused.value)
    assert len(text) < 400
    assert text.isascii()
    assert text.isprintable()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "expected one target update"),
        (b"not json", "expected one target update"),
        (b"[]", "expected one target update"),
        (b"\xff\xfe", "expected one target update"),
        (b'{"icao_address":"A","timestamp":"2024-03-04T23:23:59Z","latitude":NaN}', "expected one target update"),
        (b'{"icao_address":"A","timestamp":"2024-03-04T23:23:59Z","x":' + b"[" * 100_000, "expected one target update"),
        (b'{"timestamp":"2024-03-04T23:23:59Z"}', "icao_address: got nothing"),
        (b'{"icao_address":"","timestamp":"2024-03-04T23:23:59Z"}', 'icao_address: got ""'),
        (b'{"icao_address":123,"timestamp":"2024-03-04T23:23:59Z"}', "icao_address: got 123; expected a text"),
        (b'{"icao_address":"A"}', "timestamp: got nothing"),
        (b'{"icao_address":"A","timestamp":"soon"}', 'timestamp: got "soon"; expected an RFC 3339 time'),
    ],
)
def test_what_is_no_update_is_refused_with_what_was_expected(data, says):
    """Bytes without an address or a time are one class of error, and its text names what is missing."""
    with pytest.raises(UndecodableUpdateError, match=says.replace("[", r"\[")):
        decode(data)


@given(
    st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.dictionaries(st.sampled_from([*GOOD, "x"]), inner, max_size=6) | st.lists(inner, max_size=3),
    ).map(lambda value: json.dumps(value).encode())
)
def test_no_bytes_whatever_raise_anything_else(data):
    """Whatever is in a record, it is an update or an UndecodableUpdateError: nothing else can hold up a shard."""
    try:
        update = decode(data)
    except UndecodableUpdateError:
        return
    assert isinstance(update, TargetUpdate)
    assert update.timestamp.utcoffset() is not None


def test_the_recording_decodes_without_the_second_try(recording):
    """Every real update is read, and no two have the same key."""
    with gzip.open(recording) as lines:
        targets = [message["target"] for message in map(json.loads, lines) if "target" in message]
    updates = [decode(json.dumps(target).encode()) for target in targets]
    assert len({update.key for update in updates}) == len(targets) == 5_680
    for target, update in zip(targets, updates, strict=True):
        assert update.altitude_baro == target.get("altitude_baro")
        assert update.callsign == target.get("callsign")
        assert timedelta() <= update.ingestion_time - update.timestamp < timedelta(hours=4)


@pytest.mark.parametrize(
    ("number", "code"),
    [("7700", "7700"), ("21", "0021"), ("0", "0000"), ("7700.0", "7700"), ("7.7e3", "7700"), ("7700.50e-0", None)],
)
def test_a_squawk_that_is_a_number_is_the_code_it_stands_for(number, code):
    """A feed may write the code without quotes, without the zeros that it begins with, and as any JSON number."""
    data = b'{"icao_address":"78121E","timestamp":"2024-03-04T23:23:59Z","squawk":%b}' % number.encode()
    assert decode(data).squawk == code
