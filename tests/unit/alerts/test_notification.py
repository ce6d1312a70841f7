"""The notification: what a person reads, and what a machine can take from it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from alerts.notification import Alert, compose
from alerts.rules import findings
from common.target_update import UndecodableUpdateError, decode

KEY = {"icao_address": "780B39", "timestamp": "2021-03-20T13:14:57Z", "ingestion_time": "2021-03-20T13:14:59.979Z"}
WHOLE = KEY | {
    "latitude": 31.198425,
    "longitude": 121.236328,
    "altitude_baro": 13800,
    "heading": 30.4,
    "speed": 360.0,
    "vertical_rate": -7260,
    "on_ground": False,
    "squawk": "7700",
    "callsign": "CES9902",
    "tail_number": "B-9945",
    "flight_number": "MU9902",
    "collection_type": "satellite",
    "aircraft_type_icao": "A320",
    "aircraft_type_name": "Airbus A320-232",
    "airline_iata": "MU",
    "airline_name": "China Eastern Airlines",
    "departure_airport_icao": "ZSJN",
    "departure_airport_iata": "TNA",
    "arrival_airport_icao": "ZSPD",
    "arrival_airport_iata": "PVG",
    "not_in_our_type": {"kept": True},
}
NOW = datetime(2021, 3, 20, 13, 17, 2, tzinfo=UTC)


def notification(fields, *, now=NOW, data=None):
    """What is sent of an update with these fields, or of these bytes."""
    data = json.dumps(fields).encode() + b"\n" if data is None else data
    update = decode(data)
    return compose(
        Alert(findings(update)[0], update, data),
        now=now,
        suppressed_until=datetime(2021, 3, 20, 13, 29, 57, tzinfo=UTC),
        suppression=timedelta(minutes=15),
    )


def test_a_whole_update_reads_as_it_should():
    """What, which aircraft, where, when and how old, what follows: each on a line a person can act on."""
    *lines, _ = notification(WHOLE).text.splitlines()

    assert lines == [
        "Squawk 7700, general emergency: CES9902 (780B39)",
        "",
        "The transponder says that the crew has an emergency; the code does not say of which kind.",
        "",
        "Measured:  2021-03-20 13:14:57 UTC, 2 min 5 s before this was written, by a satellite receiver",
        "Aircraft:  Airbus A320-232, tail number B-9945, callsign CES9902, flight MU9902, ICAO address 780B39",
        "Airline:   China Eastern Airlines",
        "Route:     TNA / ZSJN to PVG / ZSPD",
        "Position:  31.198425, 121.236328 (latitude, longitude in degrees, WGS 84)",
        "Altitude:  13,800 ft (barometric), in the air",
        "Speed:     360 knots, heading 030 degrees",
        "Vertical:  descending 7,260 ft/min",
        "Squawk:    7700",
        "",
        "Further alerts of this aircraft on emergency_squawk:7700 are held back for 15 min:",
        "until an update measured at 2021-03-20 13:29:57 UTC or later.",
        "",
        "The update, as it was received:",
    ]


def test_an_update_with_nothing_but_its_key_reads_naturally():
    """What is not known is said in words or left out: never None, an empty value or a dangling comma."""
    *lines, _ = notification(KEY).text.splitlines()

    assert lines[0] == "Matched the configured pattern: aircraft 780B39"
    assert [line for line in lines if ":  " in line] == [
        "Measured:  2021-03-20 13:14:57 UTC, 2 min 5 s before this was written",
        "Aircraft:  type not known, no callsign, ICAO address 780B39",
        "Route:     not known",
        "Position:  not reported",
        "Altitude:  not reported",
        "Speed:     not reported",
        "Vertical:  not reported",
        "Squawk:    not reported",
    ]


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"departure_airport_icao": "ZSJN"}, "Route:     from ZSJN, destination not known"),
        ({"arrival_airport_iata": "PVG"}, "Route:     to PVG, origin not known"),
        ({"on_ground": True}, "Altitude:  not reported, on the ground"),
        ({"vertical_rate": 0}, "Vertical:  level"),
        ({"vertical_rate": 512}, "Vertical:  climbing 512 ft/min"),
        ({"latitude": 31.2}, "Position:  not reported"),
        ({"latitude": 0, "longitude": 0}, "Position:  0.000000, 0.000000 (latitude, longitude in degrees, WGS 84)"),
        ({"airline_iata": "MU"}, "Airline:   MU"),
        ({"heading": 0}, "Speed:     not reported, heading 000 degrees"),
    ],
)
def test_what_is_known_is_said(fields, line):
    """A part that is known is written without the part that is not; zero is a value."""
    assert line in notification(KEY | fields).text.splitlines()


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (timedelta(seconds=3), "3 s before this was written"),
        (timedelta(hours=2, minutes=57, seconds=31), "2 h 57 min before this was written"),
        (timedelta(days=1), "1 day before this was written"),
        (timedelta(days=1708, hours=5), "1708 days 5 h before this was written"),
        (timedelta(seconds=-3), "ahead of this function's clock"),
    ],
)
def test_the_age_is_shown_in_units_people_use(age, words):
    """An old update, late by satellite or replayed, says how old it is."""
    measured = datetime(2021, 3, 20, 13, 14, 57, tzinfo=UTC)

    assert f"Measured:  2021-03-20 13:14:57 UTC, {words}" in notification(KEY, now=measured + age).text.splitlines()


def test_the_last_line_is_the_update_for_machines():
    """The last line is the whole update as JSON, fields unknown to us included."""
    assert json.loads(notification(WHOLE).text.splitlines()[-1]) == WHOLE


@pytest.mark.parametrize("mention", ["<!channel>", "<https://a.example|b>", "@everyone"])
def test_no_text_in_an_update_calls_anybody_in_a_chat(mention):
    """Whatever field it is in, read or not; and the last line is the same update."""
    names = ("icao_address", "callsign", "tail_number", "airline_name", "departure_airport_icao", "not_read")
    update = WHOLE | dict.fromkeys(names, mention)
    message = notification(update)
    assert not set("<>@") & set(message.subject + message.text)
    assert json.loads(message.text.splitlines()[-1]) == update


def test_an_update_written_over_several_lines_still_ends_as_one():
    """Line breaks between JSON's values, which are legal there, do not tear the last line."""
    data = json.dumps(WHOLE, indent=2).replace("\n", "\r\n").encode()

    assert json.loads(notification(None, data=data).text.splitlines()[-1]) == WHOLE


def test_the_attributes_let_a_subscription_pick():
    """The rule and the aircraft go along as attributes."""
    message = notification(WHOLE)

    assert (message.rule, message.icao_address) == ("emergency_squawk", "780B39")


def test_the_subject_fits_and_is_plain_ascii():
    """A subject SNS would refuse is made to fit: short, ASCII, on one line."""
    subject = notification(KEY | {"squawk": "7700", "callsign": "É\r\nSubject: spam " + "X" * 45}).subject

    assert subject.startswith("Squawk 7700, general emergency: ? Subject: spam XXX")
    assert len(subject) < 100


def test_an_update_too_long_for_sns_says_where_the_whole_is():
    """An update larger than a notification may be leaves its key and a pointer, and is still sent."""
    message = notification(WHOLE | {"not_in_our_type": "x" * 300_000})
    last = json.loads(message.text.splitlines()[-1])

    assert len(message.text.encode()) < 262_144
    assert {name: last[name] for name in ("icao_address", "timestamp")} == {
        "icao_address": "780B39",
        "timestamp": "2021-03-20T13:14:57Z",
    }
    assert "raw archive" in last["left_out"]


@pytest.mark.parametrize("address", ["<!channel>", "@everyone", "7\uffffB", "7\ufffeB"])
def test_the_short_form_of_an_update_is_as_clean_as_the_long_one(address):
    """Where the whole does not fit, its key calls nobody in a chat either, and SNS takes it."""
    data = json.dumps(KEY | {"icao_address": address, "not_read": "x" * 300_000}, ensure_ascii=False).encode()

    message = notification(None, data=data)

    assert not set("<>@\ufffe\uffff") & set(message.subject + message.text)
    assert "left_out" in json.loads(message.text.splitlines()[-1])


@pytest.mark.parametrize(("count", "left_out"), [(1, False), (180_000, True)])
def test_bytes_that_are_no_text_do_not_stop_an_alert(count, left_out):
    """Invalid UTF-8 in a field nobody reads is replaced, and counted as what it becomes: SNS takes the message."""
    data = json.dumps(KEY | {"other": "MARK"}).encode().replace(b"MARK", b"\xff" * count)

    message = notification(None, data=data)

    assert len(message.text.encode()) < 262_144
    assert ("left_out" in json.loads(message.text.splitlines()[-1])) is left_out


@given(
    fields=st.fixed_dictionaries(
        {"icao_address": st.text(min_size=1, max_size=64)},
        optional={
            name: st.text(max_size=300)
            for name in ("callsign", "tail_number", "airline_name", "squawk", "collection_type", "aircraft_type_name")
        },
    ),
    timestamp=st.datetimes(timezones=st.just(UTC)),
)
@example(fields={"icao_address": " "}, timestamp=NOW)
@example(fields={"icao_address": "\ud800"}, timestamp=NOW)
@example(fields={"icao_address": "780B39"}, timestamp=datetime.max.replace(tzinfo=UTC))
def test_no_text_in_an_update_makes_a_message_that_sns_refuses(fields, timestamp):
    """Whatever the fields hold, subject, text and attributes stay within what SNS takes."""
    try:
        message = notification(fields | {"timestamp": timestamp.isoformat()})
    except UndecodableUpdateError:
        return  # no update, so no alert: a lone surrogate is no text

    assert 0 < len(message.subject) < 100
    assert message.subject.isascii()
    assert message.subject.isprintable()
    assert message.icao_address
    assert len(message.text.encode()) < 262_144
    assert json.loads(message.text.split("\n")[-1])["icao_address"] == fields["icao_address"]
