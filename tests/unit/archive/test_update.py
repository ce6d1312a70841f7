"""Lines become updates; one that is none is rejected alone, and the times that hardly change are read apart."""

from __future__ import annotations

import json
from collections import Counter

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.identities import Identities
from archive.moments import checked, moment
from archive.schema import COLUMNS, KEY
from archive.update import IDENTITY, MEASURED, ArchivedUpdate, decode_lines
from common.target_update import Instant


def _line(**fields):
    return json.dumps({"icao_address": "78121E", "timestamp": "2024-03-04T23:10:00Z", **fields}).encode() + b"\n"


def test_every_column_is_a_field_and_either_key_measured_or_identity():
    """In the schema's order; nothing is kept twice, and nothing is left out."""
    names = [column.name for column in COLUMNS]
    assert sorted(names) == sorted([*KEY, *(column.name for column in (*MEASURED, *IDENTITY))])
    assert set(ArchivedUpdate.__struct_fields__) == set(names)


def test_one_bad_line_costs_the_others_nothing():
    """They are decoded one by one then, to the same updates; empty lines are no lines."""
    rejected = []
    good = [_line(speed=400 + number) for number in range(3)]
    mixed = good[0] + b"\n" + b"{}\n" + good[1] + b"not JSON\n" + good[2]
    batch = decode_lines(mixed, Identities(), lambda line, reason: rejected.append((line, bool(reason))))
    alone = decode_lines(b"".join(good), Identities(), lambda *_: pytest.fail("a good line was rejected"))
    assert batch._replace(timestamps=[]) == alone._replace(timestamps=[])
    assert [moment(text + "Z") for text in batch.timestamps] == list(map(moment, alone.timestamps))
    assert rejected == [(b"{}", True), (b"not JSON", True)]


def test_a_field_of_another_type_is_left_out_and_counted():
    """The update is kept: its key is good."""
    ignored = Counter()
    batch = decode_lines(_line(speed="fast", latitude=91), Identities(), lambda *_: pytest.fail("rejected"), ignored)
    at = {column.name: values for column, values in zip(MEASURED, batch.measured, strict=True)}
    assert (at["speed"], at["latitude"]) == ((None,), (None,))
    assert ignored == {"speed": 1, "latitude": 1}


def test_what_updates_share_has_one_number():
    """In whatever lines it comes; and what was met since the last time is handed over once."""
    identities = Identities()
    lines = [_line(speed=number, callsign=callsign) for number, callsign in enumerate(["A1", "B2", "A1", "A1"])]
    found = [
        decode_lines(b"".join(some), identities, lambda *_: pytest.fail("rejected")).identities
        for some in (lines, lines[1:2], [_line(callsign=" B2 ", speed="fast")])
    ]
    assert found == [[0, 1, 0, 0], [1], [1]]
    names = [column.name for column in IDENTITY]
    first, new = identities.taken()
    assert (first, [one[names.index("callsign")] for one in new]) == (0, ["A1", "B2"])
    assert identities.taken() == (2, [])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2024-03-04T23:10:00Z", "2024-03-04T23:10:00Z"),
        ("2024-03-05T00:10:00+01:00", "2024-03-04T23:10:00"),
        ("2024-03-04T23:10:00", "2024-03-04T23:10:00"),
        ("soon", None),
        ("", None),
        (None, None),
        ("0001-01-01T00:00:00Z", None),
    ],
)
def test_a_time_is_in_utc_where_it_names_no_zone(text, found):
    """What is not one counts as absent, and so is what no calendar holds in every zone."""
    assert moment(text) == found


_DIGITS = st.integers(0, 99).map("{:02}".format)
_ODD = st.sampled_from(["Z", "z", "+01:00", "", ".5Z", ".123456Z", ".1234567Z", ",", "Z,", "\u0660Z", "é"])


@given(
    st.lists(st.builds("2024-{}-{}T{}:{}:{}{}".format, _DIGITS, _DIGITS, _DIGITS, _DIGITS, _DIGITS, _ODD), min_size=1)
)
def test_times_checked_together_are_those_that_are_times_alone(texts):
    """However many come together, and whatever is among them."""
    alone = [_alone(text) for text in texts]
    try:
        together = checked(texts)
    except ValueError:
        assert None in alone
    else:
        assert [_alone(text if text.endswith("Z") else text + "Z") for text in together] == alone


def _alone(text):
    """Return the time a text says, by msgspec."""
    try:
        return msgspec.convert(text, Instant)
    except ValueError:
        return None
