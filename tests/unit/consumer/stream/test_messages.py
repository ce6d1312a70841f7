"""A line of the Tracking Stream becomes a typed message or is rejected with a reason; nothing in it raises."""

from __future__ import annotations

import gzip
import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from common import envelope as wire
from common import target_update
from common.clock import rfc3339
from common.normal_form import addresses
from consumer.publish import envelope_writer
from consumer.stream.batch_parser import BatchParser
from consumer.stream.messages import MessageParser, PositionToken, Rejected, Status, StreamUpdate, decode_leniently

parse = MessageParser().parse
TARGET = b'{"icao_address":"040172","timestamp":"2024-03-04T23:23:59Z","ingestion_time":"2024-03-04T23:24:01.900Z"}'


def target(**fields):
    """A line with a target update of these fields beside its key; a field of None is left out."""
    fields = {"icao_address": "040172", "timestamp": "2024-03-04T23:23:59Z"} | fields
    kept = {name: value for name, value in fields.items() if value is not None}
    return json.dumps({"target": kept}, separators=(",", ":")).encode()


def target_with(raw):
    """A line with a target update that holds one more field, `x`, with these bytes as its value."""
    return b'{"target":' + TARGET[:-1] + b',"x":' + raw + b"}}"


def test_a_target_update_keeps_its_bytes_and_has_its_key_typed():
    """What goes to Kinesis is the object exactly as received; its key fields are typed."""
    assert parse(b'{"target":' + TARGET + b"}") == StreamUpdate(
        icao_address="040172",
        timestamp=datetime(2024, 3, 4, 23, 23, 59, tzinfo=UTC),
        ingestion_time=datetime(2024, 3, 4, 23, 24, 1, 900_000, tzinfo=UTC),
        data=TARGET,
    )


def test_every_line_of_the_recording_is_read_to_its_exact_bytes(recording):
    """Each of the real lines is an update whose data is the bytes between `{"target":` and the last brace."""
    with gzip.open(recording) as lines:
        for line in lines:
            message = parse(line.rstrip(b"\n"))
            expected = json.loads(line)["target"]
            assert isinstance(message, StreamUpdate)
            assert message.data == line.rstrip(b"\n")[len(b'{"target":') : -1]
            assert message.icao_address == expected["icao_address"]
            assert message.timestamp == datetime.fromisoformat(expected["timestamp"])
            assert message.ingestion_time == datetime.fromisoformat(expected["ingestion_time"])


@pytest.mark.parametrize(
    "line",
    [
        b'{"target": ' + TARGET + b"}",
        b'{"target":' + TARGET + b" }",
        b' { "target" :\t' + TARGET + b" } ",
        b'{"target":' + TARGET + b"}\r",
        b'{"seq":7,"target":' + TARGET + b',"more":{"a":[1]}}',
        b'{"target":' + TARGET + b',"status":{"code":300}}',
    ],
)
def test_another_spelling_of_a_line_gives_the_same_bytes(line):
    """Blanks, a carriage return and unknown keys around the object are no part of the record."""
    assert parse(line) == parse(b'{"target":' + TARGET + b"}")


def test_an_update_needs_no_ingestion_time():
    """`ingestion_time` may be left out, or null."""
    assert parse(target()).ingestion_time is None
    assert parse(b'{"target":{"icao_address":"A","timestamp":"2024-03-04T23:23:59Z","ingestion_time":null}}') == (
        StreamUpdate(
            icao_address="A",
            timestamp=datetime(2024, 3, 4, 23, 23, 59, tzinfo=UTC),
            ingestion_time=None,
            data=b'{"icao_address":"A","timestamp":"2024-03-04T23:23:59Z","ingestion_time":null}',
        )
    )


@pytest.mark.parametrize("key", ["A", "x" * 32, "é" * 32, "😀", " 78121e ", " " * 300 + "A"])
def test_an_address_has_1_to_32_characters_of_any_script(key):
    """Padding is not one of them, and stands as received: filters see the update so."""
    assert parse(target(icao_address=key)).icao_address == key


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (target(icao_address=None), "icao_address: got nothing; expected a text of 1 to 32 characters"),
        (target(timestamp=None), "timestamp: got nothing; expected an RFC 3339 time"),
        (target(icao_address=""), 'icao_address: got ""'),
        (target(icao_address="  "), 'icao_address: got "  "'),
        (target(icao_address="x" * 33), 'icao_address: got "xxx'),
        (target(icao_address="x" * 300), '"x{79}; expected'),
        (target(icao_address=40172), "icao_address: got 40172"),
        (target(icao_address=["040172"]), r'icao_address: got \["040172"\]'),
        (target(timestamp=1709594639), "timestamp: got 1709594639"),
        (target(timestamp="yesterday"), 'timestamp: got "yesterday"'),
        (target(timestamp="2024-02-30T00:00:00Z"), 'timestamp: got "2024-02-30'),
        (b'{"target":null}', "`object`, got `null`"),
        (b'{"target":[]}', "`object`, got `array`"),
        (b'{"target":"x"}', "`object`, got `str`"),
        (b'{"position_token":17}', r"Expected `str`, got `int` - at `\$.position_token`"),
        (b'{"position_token":null}', "Expected `str`, got `null`"),
        (b'{"position_token":""}', "matching regex"),
        (b'{"position_token":" \\t"}', "matching regex"),
        (b'{"status":"fine"}', "Expected `object`, got `str`"),
        (b'{"position_token":"' + b"x" * 4097 + b'"}', "length <= 4096"),
        (b"{}", "none of the keys target, position_token, status"),
        (b'{"targets":{}}', "none of the keys"),
        (b"[]", "Expected `object`, got `array`"),
        (b"null", "Expected `object`"),
        (b'{"target":' + TARGET, "not valid JSON"),
        (b'{"target":' + TARGET[:-20] + b"}}", "not valid JSON"),
        (b'{"target":' + TARGET + b"}}", "not valid JSON"),
        (b"hello", "not valid JSON"),
        (b'\xef\xbb\xbf{"position_token":"a"}', "not valid JSON"),
    ],
)
def test_a_line_that_is_no_message_is_rejected_with_what_is_wrong(line, reason):
    """The reason names the field and what was expected, so that a person can see it in the rejected lines."""
    message = parse(line)
    assert isinstance(message, Rejected)
    assert re.search(reason, message.reason)


@pytest.mark.parametrize(
    "raw",
    [
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b"01",
        b"1.",
        b".5",
        b"tru",
        b'"\x01"',
        b'"\\q"',
        b"[1,]",
        b"{1:2}",
    ],
)
def test_what_is_no_json_is_rejected_in_a_field_that_is_not_read_too(raw):
    """Consumers parse the whole object, so a field this function skips must be JSON as well."""
    assert parse(target_with(raw)).reason.startswith("not valid JSON")


@pytest.mark.parametrize("raw", [b'"\xff"', b'"\xc3"', b'"\xed\xa0\x80"', b'"\xf4\x90\x80\x80"'])
def test_invalid_utf8_is_rejected_wherever_it_stands(raw):
    """JSON is UTF-8: other bytes are rejected in a field that is read, and in one that is not."""
    assert parse(target_with(raw)).reason == "not valid UTF-8"
    assert parse(b'{"target":' + TARGET.replace(b'"040172"', raw) + b"}").reason == "not valid UTF-8"


@pytest.mark.parametrize("half", [b'"\\ud800"', b'"A\\udc00\\ud800"', b'["\\\\\\udfff"]', b'{"\\uD83D":1}'])
def test_half_a_surrogate_pair_is_rejected_with_its_reason(half):
    """In whatever field, which most readers of JSON refuse: DuckDB the whole file that the line is in."""
    assert parse(target_with(half)).reason == "a text holds half a surrogate pair, which most readers of JSON refuse"
    assert parse(target_with(half)[:-2]).reason.startswith("not valid JSON: ")


@pytest.mark.parametrize("whole", [b'"\\ud83d\\ude00"', b'"\\\\ud800"'])
def test_a_whole_pair_is_a_text(whole):
    """And so is what only looks like half of one behind a backslash."""
    assert not isinstance(parse(target_with(whole)), Rejected)


@pytest.mark.parametrize("half", [b'"\\ud800"', b'"\\udc00"', b'"\\ud83dx"'])
def test_half_a_surrogate_pair_is_no_address(half):
    """A key that cannot be written as UTF-8 is found here, not when it is sent."""
    assert isinstance(parse(b'{"target":' + TARGET.replace(b'"040172"', half) + b"}"), Rejected)


@pytest.mark.parametrize(
    "line",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"target":' + b"[" * 100_000,
        b'{"target":{"icao_address":' * 100_000,
        target_with(b"[" * 100_000 + b"]" * 100_000),
        target_with(b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
        b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b',"position_token":"a"}',
    ],
)
def test_nesting_without_end_is_rejected(line):
    """100,000 levels are rejected like any other bad line, and the process lives on."""
    assert isinstance(parse(line), Rejected)


@pytest.mark.parametrize(
    "moment", ["0001-01-01T00:00:00+14:00", "0001-06-01T00:00:00Z", "9999-12-31T23:59:59-01:00", "9999-06-01T00:00:00Z"]
)
def test_a_time_at_the_end_of_what_a_clock_can_hold_is_none(moment):
    """A time that overflows when it is turned to UTC must not end a run that would then read it again for ever."""
    assert parse(target(timestamp=moment)).reason.startswith("not a message of the Tracking Stream: timestamp: got")
    assert parse(target(ingestion_time=moment)).ingestion_time is None


@given(st.datetimes(), st.integers(-1439, 1439))
@example(datetime(1, 1, 1), 1439)  # noqa: DTZ001 - its zone is the second argument
@example(datetime(9999, 12, 31, 23, 59), -1439)  # noqa: DTZ001
def test_the_times_of_an_update_can_always_be_written(moment, minutes):
    """Whatever the offset, an update that is taken has times that a checkpoint and a request can hold."""
    sign, minutes = "-" if minutes < 0 else "+", abs(minutes)
    text = f"{moment.isoformat()}{sign}{minutes // 60:02}:{minutes % 60:02}"
    message = parse(target(timestamp=text, ingestion_time=text))
    if isinstance(message, StreamUpdate):
        assert rfc3339(message.timestamp)
        assert message.ingestion_time + timedelta(milliseconds=1) > message.timestamp


def test_a_position_token_is_opaque():
    """Any text but the empty one is a token, taken as it is."""
    assert parse(b'{"position_token":"a b/=\\u00e9"}') == PositionToken("a b/=é")


NUMBERS = [b"1e309", b"-1e309", b"1e999999999", b"9" * 5000, b"0." + b"1" * 5000, b"[1e309]"]


@pytest.mark.parametrize("raw", NUMBERS)
@pytest.mark.parametrize("field", ["x", "altitude_baro", "ingestion_time", "(as received)"])
def test_a_number_that_no_double_holds_costs_no_update(field, raw):
    """JSON knows no bound on numbers: whatever field one is in, read or not, the update is taken as it is."""
    data = b'{"icao_address":"040172","timestamp":"2024-03-04T23:23:59Z","%b":%b}' % (field.encode(), raw)
    assert parse(b'{"target":' + data + b"}").data == data


@pytest.mark.parametrize("value", [b'"x"', b"null", b"{}", b"[]", b"1"])
def test_no_key_is_ours(value):
    """Whatever the API calls a field, an update that has it is an update."""
    data = TARGET[:-1] + b',"(as received)":%b}' % value
    assert parse(b'{"target":' + data + b"}").data == data


@pytest.mark.parametrize("beginning", [b'{"v":1,"n":1,"shard":"x",', b'{"v":2,"n":1,', b'{"v":null,'])
def test_no_update_begins_as_an_envelope(beginning):
    """What comes from outside is never taken for what we write; and it says what it said."""
    data = beginning + TARGET[1:]
    message = parse(b'{"target":' + data + b"}")
    assert not wire.is_envelope(message.data)
    assert not message.data.startswith(wire.PREFIX)
    assert json.loads(message.data) == json.loads(data)


def test_keys_within_an_update_are_its_own():
    """Only keys of the line itself make a message of it."""
    data = TARGET[:-1] + b',"target":{"target":1},"position_token":"a","x":"\\"target\\":"}'
    assert parse(b'{"target":' + data + b"}").data == data


def test_an_odd_status_beside_an_update_costs_nothing():
    """A status is skipped beside an update, whatever it holds."""
    assert parse(b'{"target":' + TARGET + b',"status":"fine"}').data == TARGET


def test_a_token_beside_a_status_is_a_token():
    """Of the two the token matters: passing it over would only delay the checkpoint, but for nothing."""
    assert parse(b'{"status":{"code":100},"position_token":"a"}') == PositionToken("a")


@pytest.mark.parametrize(
    "line",
    [
        b'{"target":' + TARGET + b',"position_token":"a"}',
        b'{"position_token":"a","target":' + TARGET + b"}",
        b'{"position_token":"a","target":{}}',
        b'{"target":' + TARGET + b',"target":' + TARGET.replace(b"040172", b"78121E") + b"}",
        b'{"target":' + TARGET + b',"\\u0074arget":' + TARGET.replace(b"040172", b"78121E") + b"}",
        b'{"target":{},"x":[{"target":[]}],"target":' + TARGET + b"}",
        b'{"position_token":"a","position_token":"b"}',
    ],
)
def test_a_line_with_two_messages_loses_neither_unseen(line):
    """One line is one message: with two it is kept with the rejected lines, as taking one would drop the other."""
    assert parse(line) == Rejected("more than one message in one line", line, len(line))


def test_of_a_key_given_twice_the_last_counts():
    """Within an update, as with every JSON parser our consumers use; so the key is the address they will see."""
    line = target_with(b'1,"icao_address":"78121E"')
    assert parse(line).icao_address == json.loads(line)["target"]["icao_address"] == "78121E"


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (
            b'{"status":{"timestamp":"2024-03-04T23:24:00Z","level":"INFO","message":"welcome","code":100}}',
            Status("INFO", "welcome", 100, datetime(2024, 3, 4, 23, 24, tzinfo=UTC)),
        ),
        (b'{"status":{"level":"ERROR","code":null}}', Status("ERROR", "", None)),
        (b'{"status":{"timestamp":"no time","more":1}}', Status("INFO", "", None)),
        (b'{"status":{}}', Status("INFO", "", None)),
        (b'{"status":{"level":5,"message":[],"code":1e309}}', Status("INFO", "", None)),
        (b'{"status":{"level":"WARN","message":"x","code":"100"}}', Status("WARN", "x", None)),
    ],
)
def test_a_status_may_lack_any_of_its_parts(line, status):
    """A status is for people: what it lacks is filled in, what it has more is skipped."""
    assert parse(line) == status


leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
values = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner))
keys = st.sampled_from(["target", "position_token", "status", "icao_address", "timestamp", "ingestion_time", "x"])
times = st.sampled_from(
    ["2024-03-04T23:23:59Z", "2024-03-04T23:23:59+02:00", "2024-03-04T23:23:59", "0001-01-01T00:00:00Z"]
)
targets = st.fixed_dictionaries(
    {"icao_address": st.text(max_size=6) | values, "timestamp": times | values},
    optional={"ingestion_time": times | values, "x": values},
)
messages = st.fixed_dictionaries({}, optional={"target": targets | values, "position_token": values, "status": values})
documents = (messages | st.dictionaries(keys, values)).flatmap(
    lambda document: st.sampled_from([(",", ":"), (", ", ": ")]).map(
        lambda separators: json.dumps(document, separators=separators, ensure_ascii=False).encode(
            errors="surrogatepass"
        )
    )
)


@st.composite
def damaged(draw):
    """A message in which a few bytes were removed, or replaced by others."""
    line = bytearray(draw(documents | st.just(b'{"target":' + TARGET + b"}")))
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(line)))
        line[start : start + draw(st.integers(0, 4))] = draw(st.binary(max_size=4))
    return bytes(line)


@given(st.binary() | documents | damaged())
def test_no_bytes_make_it_raise_and_every_update_is_json_of_its_address(line):
    """Any bytes give a message; and an update's data is JSON for the strictest reader, with the address of its key."""
    message = parse(line)
    assert isinstance(message, StreamUpdate | PositionToken | Status | Rejected)
    if isinstance(message, StreamUpdate):
        read = json.loads(message.data, parse_constant=pytest.fail)
        assert read["icao_address"] == message.icao_address
        assert message.icao_address.encode()


_VALUES = st.sampled_from(
    (
        *("78121E", " 78121e", "", " ", "x" * 33, " " * 40 + "A", "2024-03-04T23:23:59", "2016-12-31T23:59:60Z"),
        *("2024-03-04T23:23:59Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:60Z", "20240304", "soon", None, 7, ()),
    )
)
_NUMBERS = st.sampled_from(["1e309", "-1e309", "9" * 5_000, "1e-400", "0"])


@settings(max_examples=300)
@given(
    fields=st.dictionaries(
        st.sampled_from(["icao_address", "timestamp", "ingestion_time", "callsign", "squawk", "x", "(as received)"]),
        _VALUES.map(json.dumps) | _NUMBERS,
    ),
    has_required=st.booleans(),
)
def test_what_is_published_is_what_every_function_reads(fields, has_required):
    """The consumer takes exactly what the others can decode, and reads address and times in it as they do."""
    if has_required:
        fields = {"icao_address": '"78121e"', "timestamp": '"2024-03-04T23:23:59Z"'} | fields
    data = "{" + ",".join(f'"{name}":{raw}' for name, raw in fields.items()) + "}"
    try:
        expected = target_update.decode(data.encode())
    except target_update.UndecodableUpdateError:
        expected = None
    for decode_update in (decode_leniently, envelope_writer.decode_leniently):
        (found,) = BatchParser(leniently=decode_update).runs([b'{"target":%b}\n' % data.encode()])
        if expected is None:
            assert isinstance(found, Rejected)
        else:
            assert isinstance(found, list)
            (update,) = found
            assert addresses(found) == [expected.icao_address]
            assert (update.timestamp, update.ingestion_time) == (expected.timestamp, expected.ingestion_time)
            assert update.data == data.encode()
