"""readsb's aircraft.json: what of it becomes fields of an update, and what of a document is new."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.aircraft_json import MalformedDocumentError, NewlyHeard, parse
from feeds.observation import Position

NOW = 1_709_594_641.0

ENTRY = {
    "hex": "040172", "type": "adsb_icao", "flight": "ETH701  ", "r": "ET-AWO", "t": "A359", "desc": "AIRBUS A-350-900",
    "alt_baro": 38750, "alt_geom": 39000, "gs": 530.1, "track": 122.43, "baro_rate": 512, "squawk": "5223",
    "emergency": "none", "category": "A5", "lat": 36.696758, "lon": 19.5334, "seen_pos": 1.2, "mlat": [], "tisb": [],
    "messages": 512, "seen": 0.3, "rssi": -21.5,
}  # fmt: skip


def document(*entries, now=NOW):
    """A document as readsb writes it."""
    return json.dumps({"now": now, "messages": 1, "aircraft": entries}).encode()


def test_the_fields_of_an_update():
    """All that an update has and the document holds, in the update's names and units."""
    (heard,) = parse(document(ENTRY)).heard
    assert heard.icao_address == "040172"
    assert heard.position == (36.696758, 19.5334)
    assert (heard.seen, heard.seen_pos, heard.source) == (0.3, 1.2, "ADSB")
    assert heard.values == {
        "altitude_baro": 38750.0, "speed": 530.1, "heading": 122.43, "vertical_rate": 512.0, "callsign": "ETH701",
        "squawk": "5223", "tail_number": "ET-AWO", "aircraft_type_icao": "A359",
        "aircraft_type_name": "AIRBUS A-350-900", "on_ground": False,
    }  # fmt: skip


def test_on_the_ground_there_is_no_altitude():
    """Readsb writes `ground` for one."""
    (heard,) = parse(document({"hex": "040172", "alt_baro": "ground", "gs": 12, "true_heading": 90, "seen": 1})).heard
    assert heard.values == {"on_ground": True, "speed": 12.0, "heading": 90.0}


@pytest.mark.parametrize("by", [{"type": "mlat"}, {"mlat": ["lat", "lon"]}])
def test_a_position_of_several_receivers_is_said_to_be_one(by):
    """`source` is MLAT, by the entry's type or the list of derived fields."""
    (heard,) = parse(document(ENTRY | by)).heard
    assert heard.source == "MLAT"


def test_a_field_that_is_wrong_costs_itself():
    """Out of bounds, of the wrong type, or unreadable: the others stay."""
    wrong = {
        "alt_baro": 1e9,
        "gs": "fast",
        "track": True,
        "squawk": "99",
        "flight": "@@@@@@@@",
        "r": " ",
        "baro_rate": None,
    }
    (heard,) = parse(document(ENTRY | wrong)).heard
    assert heard.values == {"aircraft_type_icao": "A359", "aircraft_type_name": "AIRBUS A-350-900"}


@pytest.mark.parametrize(
    "odd", [b"1e309", b"9" * 5_000, b'"\\ud800"', b'"\xff"'], ids=["1e309", "digits", "half", "byte"]
)
@pytest.mark.parametrize("name", ["baro_rate", "r", "nobody_reads_this"])
def test_what_few_readers_of_json_take_costs_its_field_alone(name, odd):
    """No other field of its aircraft, and no other aircraft."""
    heard = parse(document(ENTRY | {name: "#"}, ENTRY | {"hex": "040173"}).replace(b'"#"', odd)).heard
    assert [one.icao_address for one in heard] == ["040172", "040173"]
    assert json.dumps(heard[0].values).encode()
    read = {"baro_rate": "vertical_rate", "r": "tail_number"}
    same = {field: value for field, value in heard[1].values.items() if field != read.get(name)}
    assert {field: heard[0].values[field] for field in same} == same


@pytest.mark.parametrize(("seen", "seen_pos"), [(1e300, 1e300), (3_600, 3_600), (0.3, 1e300), (0.3, 3_600)])
def test_a_position_heard_long_ago_gives_no_update(seen, seen_pos):
    """An aircraft that has left is no longer heard, and an old position is none."""
    heard = parse(document(ENTRY | {"seen": seen, "seen_pos": seen_pos})).heard
    assert [one.position for one in heard] == ([None] if seen < 1 else [])


def test_entries_that_are_no_aircraft_are_counted():
    """Without an address or an age nothing can be said; other address spaces are left out and not counted."""
    found = parse(
        document(
            ENTRY, {"hex": "zz"}, 7, {"hex": "040173"}, {"hex": "~2f0011", "seen": 1}, {"hex": "040174", "seen": -1}
        )
    )
    assert [one.icao_address for one in found.heard] == ["040172"]
    assert found.malformed == 4


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"aircraft":[]}',
        b'{"aircraft":[],"now":"x"}',
        b'{"aircraft":{},"now":1}',
        b"[" * 9999,
    ],
)
def test_other_documents_are_refused(data):
    """An error page is not an empty sky."""
    with pytest.raises(MalformedDocumentError):
        parse(data)


_json = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_entries = st.dictionaries(st.sampled_from(list(ENTRY)), _json, max_size=12).map(lambda wrong: ENTRY | wrong) | _json


@given(st.lists(_entries, max_size=4))
def test_any_entries_are_read_or_counted(entries):
    """Whatever is in the list, the parser gives what it can and never fails."""
    found = parse(json.dumps({"now": NOW, "aircraft": entries}).encode())
    assert len(found.heard) + found.malformed <= len(entries)
    list(NewlyHeard().select(found, NOW))


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data):
    """Nothing but a refusal comes of garbage."""
    with pytest.raises(MalformedDocumentError):
        parse(data)


class Polls:
    """Documents one after the other, as they are polled."""

    def __init__(self):
        self._newly_heard = NewlyHeard()

    def __call__(self, *entries, now, arrived=None):
        return list(self._newly_heard.select(parse(document(*entries, now=now)), now if arrived is None else arrived))


def test_only_what_was_heard_since_the_last_document_is_new():
    """The same message in two documents is given once, whatever rounding does to its age."""
    poll = Polls()
    (first,) = poll(ENTRY, now=NOW)
    assert first.at == pytest.approx(NOW - 0.3)
    assert first.position == Position(36.696758, 19.5334, pytest.approx(NOW - 1.2), "ADSB")
    for later in range(1, 30):
        rounded = {
            "seen": round(0.3 + later + later % 3 * 0.1 - 0.1, 1),
            "seen_pos": round(1.2 + later - later % 2 * 0.1, 1),
        }
        assert poll(ENTRY | rounded, now=NOW + later) == []
    (again,) = poll(ENTRY | {"seen": 0.1, "seen_pos": 31.2}, now=NOW + 30)
    assert again.position is None
    assert again.values["squawk"] == "5223"
    (moved,) = poll(ENTRY | {"seen": 0.1, "seen_pos": 0.5}, now=NOW + 31)
    assert moved.position.at == pytest.approx(NOW + 30.5)


def test_a_document_that_did_not_change_holds_nothing_new():
    """A cache may give the same one several times."""
    poll = Polls()
    assert len(poll(ENTRY, now=NOW)) == 1
    assert poll(ENTRY | {"seen": 0.0}, now=NOW) == []


def test_a_receiver_whose_clock_was_set_begins_again():
    """Times from before are from another count, forwards and backwards."""
    poll = Polls()
    poll(ENTRY, now=NOW)
    assert len(poll(ENTRY, now=NOW - 3600)) == 1
    assert len(poll(ENTRY, now=NOW + 3600)) == 1


@pytest.mark.parametrize("off", [-86_400, -20, 20, 86_400])
def test_a_receiver_with_a_wrong_clock_gets_our_time(off):
    """Ages are what it knows; when a measurement was made goes by our clock."""
    (heard,) = Polls()(ENTRY, now=NOW + off, arrived=NOW)
    assert heard.at == pytest.approx(NOW - 0.3)
    assert heard.position.at == pytest.approx(NOW - 1.2)
