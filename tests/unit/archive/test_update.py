"""Lines become updates; one that is none is rejected alone, and the times that hardly change are read apart."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime

import pytest

from archive.schema import COLUMNS, KEY
from archive.update import IDENTITY, MEASURED, ArchivedUpdate, decode_lines, moment


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
    updates = decode_lines(mixed, lambda line, reason: rejected.append((line, bool(reason))))
    assert updates == decode_lines(b"".join(good), lambda *_: pytest.fail("a good line was rejected"))
    assert rejected == [(b"{}", True), (b"not JSON", True)]


def test_a_field_of_another_type_is_left_out_and_counted():
    """The update is kept: its key is good."""
    ignored = Counter()
    (update,) = decode_lines(_line(speed="fast", latitude=91), lambda *_: pytest.fail("rejected"), ignored)
    assert (update.speed, update.latitude) == (None, None)
    assert ignored == {"speed": 1, "latitude": 1}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2024-03-04T23:10:00Z", datetime(2024, 3, 4, 23, 10, tzinfo=UTC)),
        ("2024-03-05T00:10:00+01:00", datetime(2024, 3, 4, 23, 10, tzinfo=UTC)),
        ("2024-03-04T23:10:00", None),
        ("soon", None),
        ("", None),
        (None, None),
        ("0001-01-01T00:00:00Z", None),
    ],
)
def test_a_time_is_one_with_its_zone(text, found):
    """What is none is as good as absent, and so is what no calendar holds in every zone."""
    assert moment(text) == found
