"""The audit's own reading of an update's key: by the contract, and equal to the functions'."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.target_update import UndecodableUpdateError, decode
from local.audit.update_key import Key, key_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NOON = 1_709_553_600_000_000


def update(**fields):
    """An update's bytes."""
    return json.dumps({"icao_address": "78121E", "timestamp": "2024-03-04T12:00:00Z"} | fields).encode()


def by_the_functions(data):
    """The key by the functions' own decoder."""
    try:
        address, *times = decode(data).key
    except UndecodableUpdateError:
        return None
    return Key(address, *(one and (one - EPOCH) // timedelta(microseconds=1) for one in times))


@pytest.mark.parametrize(
    "written",
    [
        "2024-03-04T12:00:00Z",
        "2024-03-04T12:00:00.000Z",
        "2024-03-04T12:00:00.0000001Z",
        "2024-03-04t12:00:00z",
        " 2024-03-04T12:00:00Z ",
        "2024-03-04 12:00:00",
        "2024-03-04T13:00:00+01:00",
        "20240304T120000Z",
        "2024-03-04T11:59:60Z",
    ],
)
def test_an_instant_is_the_same_however_it_is_written(written):
    """In any zone and form, of the feed or not; a leap second is the second after :59."""
    data = update(timestamp=written, ingestion_time=written)
    assert key_of(data) == by_the_functions(data) == Key("78121E", NOON, NOON)


@pytest.mark.parametrize("address", ["78121E", "78121e", " 78121e\t"])
def test_an_address_is_the_same_however_it_is_written(address):
    """In any case, and padded."""
    assert key_of(update(icao_address=address)) == Key("78121E", NOON, None)


@pytest.mark.parametrize("time", [None, 5, "", "yesterday", "0001-01-01T00:00:00Z", "9999-01-01T00:00:00Z", ["x"]])
def test_an_ingestion_time_that_is_none_is_absent(time):
    """A field of another type or out of bounds counts as absent, and costs the update nothing."""
    data = update(ingestion_time=time)
    assert key_of(data) == by_the_functions(data) == Key("78121E", NOON, None)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"garbage",
        b"\xff",
        b"[]",
        b"5",
        b"[" * 100_000,
        b'{"icao_address":5,"timestamp":"2024-03-04T12:00:00Z"}',
        b'{"timestamp":"2024-03-04T12:00:00Z"}',
        b'{"icao_address":"78121E"}',
        update(icao_address=" "),
        update(icao_address="A" * 33),
        update(timestamp="2024-03-04T25:00:00Z"),
        update(timestamp="0001-01-01T00:00:00Z"),
        update(icao_address="\ud800"),
        b'{"v":1,"n":3,"shard":"shard-0","z":"!!"}',
    ],
    ids=lambda data: data[:40],
)
def test_what_is_no_update_has_no_key(data):
    """A damaged envelope, an address of no text, a time that is none: named by whoever asks, and no error."""
    assert key_of(data) is None
    assert by_the_functions(data) is None


def test_a_field_that_no_text_or_number_can_hold_costs_only_itself():
    """Half a surrogate pair, a number beyond all doubles, bytes that are no UTF-8."""
    for field in (rb'"\ud800"', b"1e999", b"9" * 5000, b'"\xff"'):
        for name in (b"callsign", b"ingestion_time"):
            data = update().replace(b"{", b'{"' + name + b'":' + field + b",", 1)
            assert key_of(data) == by_the_functions(data) == Key("78121E", NOON, None)


@given(
    address=st.one_of(st.text(max_size=40), st.integers()),
    times=st.lists(
        st.one_of(
            st.none(),
            st.integers(),
            st.text(max_size=30),
            st.datetimes(timezones=st.none() | st.timezones()).map(datetime.isoformat),
        ),
        min_size=2,
        max_size=2,
    ),
)
def test_the_key_is_the_functions(address, times):
    """Two implementations of one contract, with nothing in common."""
    data = update(icao_address=address, timestamp=times[0], ingestion_time=times[1])
    assert key_of(data) == by_the_functions(data)
