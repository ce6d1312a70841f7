"""Envelopes hold the updates as received, and a header that no filter's match is lost by."""

from __future__ import annotations

import base64
import json

import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from common import envelope as wire
from common.event_pattern import LARGEST_NUMBER
from consumer.publish.envelope_writer import RANGES, SQUAWK, VALUES, Content, Packed, decode, decode_leniently, pack
from consumer.stream.batch_parser import BatchParser
from consumer.stream.messages import Rejected
from tests.support.headers import header

SHARD = "shardId-000000000003"
MOST = 1024 * 1024

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=70)
)
FIELDS = st.dictionaries(
    st.sampled_from([*VALUES[1:], *RANGES, "on_ground"]), SCALARS | st.lists(SCALARS) | st.just({"a": 1}), max_size=5
)


def updates_of(*targets):
    """Updates as the parser makes them."""
    made = []
    for number, target in enumerate(targets):
        whole = {"icao_address": f"{number:06X}", "timestamp": "2024-03-04T23:23:59Z"} | target
        data = json.dumps(whole).encode()
        update = decode_leniently(data)
        update.data = data
        made.append(update)
    return made


def packed(updates, most_bytes=MOST):
    """The records of `updates`."""
    return list(pack(updates, SHARD, most_bytes))


def sorted_lists(record):
    """The record as JSON; what the header lists is in no order."""
    return {
        name: sorted(value, key=str) if isinstance(value, list) else value for name, value in json.loads(record).items()
    }


@given(st.lists(FIELDS, min_size=1, max_size=20))
def test_what_goes_in_comes_out(targets):
    """The updates come out byte for byte, in their order, whatever fields they have."""
    updates = updates_of(*targets)
    ((record, *about),) = packed(updates)
    assert wire.is_envelope(record)
    assert wire.lines(record, SHARD) == (b"".join(update.data + b"\n" for update in updates), len(updates))
    assert about == [len(updates), sum(len(update.data) for update in updates), None]


@given(st.lists(FIELDS, min_size=1, max_size=20), st.integers(1, 20))
def test_an_envelope_may_be_written_bit_by_bit(targets, step):
    """What updates leave behind bit by bit is what they would all together, and they can be had again of it."""
    updates = updates_of(*targets)
    content = Content()
    for start in range(0, len(updates), step):
        content.add(updates[start : start + step])
    assert content.updates() == updates
    ((record, *about),), ((at_once, *about_at_once),) = content.pack(SHARD, MOST), packed(updates)
    assert about == about_at_once
    assert sorted_lists(record) == sorted_lists(at_once)


@given(st.lists(FIELDS, min_size=1, max_size=20))
def test_the_header_holds_every_value_a_filter_may_ask_for(targets):
    """Each text of an update is in the list once, each number that is compared between the bounds, and nothing else."""
    found = header(updates_of(*targets))
    for name in VALUES[1:]:
        texts = {target[name] for target in targets if isinstance(target.get(name), str) and len(target[name]) <= 64}
        codes = {target[name] for target in targets if name == SQUAWK and type(target.get(name)) in (int, float)}
        assert set(found.get(name, [])) == texts | codes
        assert len(found.get(name, [])) == len(texts | codes)
    for name in RANGES:
        numbers = [target[name] for target in targets if type(target.get(name)) in (int, float)]
        listed = [number for number in numbers if abs(number) <= LARGEST_NUMBER] or numbers
        assert found.get(name, []) == (list(dict.fromkeys((min(listed), max(listed)))) if listed else [])
    states = {target.get("on_ground") is True for target in targets}
    assert found["on_ground"] == sorted(states)


@pytest.mark.parametrize("beyond", [-6_000_000_000, 6e9, 1e30])
def test_a_number_that_no_pattern_compares_hides_no_other(beyond):
    """One aircraft's impossible descent is not in the way of another's steep one; alone it still exists."""
    rates = [{"vertical_rate": rate} for rate in (-7_000, beyond, 3_000)]
    assert header(updates_of(*rates))["vertical_rate"] == [-7_000, 3_000]
    assert header(updates_of(rates[1]))["vertical_rate"] == [beyond]


def test_an_update_that_does_not_say_counts_as_in_flight():
    """The default pattern for steep descents takes `on_ground` false or absent; an array has no way to be absent."""
    assert header(updates_of({"on_ground": True}, {}))["on_ground"] == [False, True]


def test_the_header_stands_before_the_compressed_lines():
    """A person who looks at a record reads what is in it first."""
    ((record, *_),) = packed(updates_of({"squawk": "7700", "vertical_rate": -7000}, {"squawk": "1200"}))
    whole = json.loads(record)
    assert list(whole) == ["v", "n", "shard", "icao_address", "squawk", "vertical_rate", "on_ground", "z"]
    assert (whole["v"], whole["n"], whole["shard"]) == (1, 2, SHARD)
    assert (sorted(whole["squawk"]), whole["vertical_rate"]) == (["1200", "7700"], [-7000])
    assert record.endswith(b"\n")


def test_too_large_an_envelope_is_cut_in_two():
    """No record is larger than allowed, whatever compresses badly, and no update is left out or moved."""
    updates = updates_of(*({"callsign": f"{number * 7919 % 10007:05d}"} for number in range(100)))
    records = packed(updates, most_bytes=1_000)
    assert all(len(record) <= 1_000 for record, *_ in records)
    assert b"".join(wire.lines(record, SHARD)[0] for record, *_ in records) == b"".join(u.data + b"\n" for u in updates)


def test_one_update_too_large_for_an_envelope_goes_by_itself():
    """It is a record of the other format then, which every consumer reads as well."""
    (update,) = updates_of({"callsign": "x" * 2_000})
    assert packed([update], most_bytes=100) == [Packed(update.data + b"\n", 1, len(update.data), "000000")]


def test_damage_is_noticed():
    """A record that lost a line, was cut or holds no zstd is no envelope, and says so."""
    ((record, *_),) = packed(updates_of({}, {}))
    for damaged in (
        record.replace(b'"n":2', b'"n":3'),
        record[:-10],
        record.replace(b'"z":"', b'"z":"AAAA'),
        record.replace(b'"z":"', b'"z":"?'),
        b'{"v":1,"n":1}',
    ):
        assert wire.is_envelope(damaged)
        with pytest.raises(wire.BrokenEnvelopeError):
            wire.lines(damaged, SHARD)


def test_an_envelope_that_inflates_without_end_is_not_inflated():
    """What one record takes in memory is bounded, whatever it says of itself."""
    bomb = base64.b64encode(zstd.compress(b"\n" * (64 * 1024 * 1024))).decode()
    record = json.dumps({"v": 1, "n": 64 * 1024 * 1024, "shard": SHARD, "z": bomb}, separators=(",", ":")).encode()
    with pytest.raises(wire.BrokenEnvelopeError, match=r"size allowed|104857"):
        wire.lines(record, SHARD)


def test_an_update_is_no_envelope():
    """Only a record that begins as envelopes begin is one, so that a key the API adds cannot make one."""
    assert not wire.is_envelope(b'{"icao_address":"78121E","v":1,"n":2}\n')
    assert not wire.is_envelope(b'{"v":"9","n":2}\n')


def test_a_field_of_another_type_costs_no_update():
    """The update comes as it came, by the fast way and beside others; only the header does without that field."""
    targets = [{"squawk": "7700"}, {"squawk": ["7700"], "speed": "fast", "on_ground": True}, {"speed": 1.5}]
    lines = [json.dumps({"target": json.loads(update.data)}) for update in updates_of(*targets)]
    block = "".join(line.replace('{"target": ', '{"target":') + "\n" for line in lines).encode()
    (run,) = BatchParser(decode, decode_leniently).runs([block])
    assert [update.data for update in run] == [update.data for update in updates_of(*targets)]
    assert [(update.squawk, update.speed, update.on_ground) for update in run] == [
        ("7700", None, None),
        (None, None, True),
        (None, 1.5, None),
    ]


def test_what_is_no_update_is_none_with_a_header_either():
    """A line is refused for what an update needs, in the words of the other record format."""
    line = b'{"target":{"icao_address":5,"timestamp":"2024-03-04T23:23:59Z","squawk":7700}}\n'
    (refused,), (usual,) = BatchParser(decode, decode_leniently).runs([line]), BatchParser().runs([line])
    assert refused == usual
    assert isinstance(refused, Rejected)
