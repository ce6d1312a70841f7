"""Rows say of a window what a recount of its updates says, however the feed was cut into batches and parts."""

from __future__ import annotations

import gzip
import itertools
import json
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.sinks import row_schema
from aggregator.state import codec
from aggregator.state.splitting import PartFolder
from aggregator.state.window_part import WindowPart
from common.target_update import TargetUpdate, decode

EDGES = ("2024-03-04T23:24:00Z", "2024-03-04T23:25:00Z", "shardId-000000000000")


def lines_of(parts):
    """All rows of the parts."""
    return [line for part in parts for line in row_schema.rows(part, row_schema.PartName(*EDGES, part.number))]


def folded(origin, batches, packed_bytes):
    """The parts that come of the batches, with the state through the codec between any two of them."""
    parts, state = [], {}
    for batch in batches:
        folder = PartFolder(codec.decode(state, origin), packed_bytes)
        for update in batch:
            folder.add(update)
        parts += folder.full_parts
        state = codec.encode(folder.part)
    return [*parts, codec.decode(state, origin)]


def cut(updates, places):
    """The updates in batches that end at the places."""
    edges = [0, *sorted(places), len(updates)]
    return [updates[start:end] for start, end in itertools.pairwise(edges)]


@settings(max_examples=60)
@given(data=st.data())
def test_rows_of_any_batches_merge_to_a_recount(origin, feeds, recount, merge, data):
    """However a feed is cut into invocations, the rows of the window are those of a straightforward recount."""
    feed = data.draw(feeds)
    places = data.draw(st.lists(st.integers(0, len(feed)), max_size=4))
    assert merge(lines_of(folded(origin, cut(feed, places), packed_bytes=10**6))) == recount(feed)


@settings(max_examples=60)
@given(data=st.data())
def test_rows_of_any_parts_merge_to_a_recount(origin, feeds, recount, merge, data):
    """A window written in many parts merges by aircraft to the same, if each update came once."""
    feed = list({update.key: update for update in data.draw(feeds)}.values())
    packed_bytes = data.draw(st.integers(250, 450))
    assert merge(lines_of(folded(origin, [feed], packed_bytes))) == recount(feed)


@settings(max_examples=60)
@given(data=st.data())
def test_where_a_part_ends_does_not_depend_on_the_batches(origin, feeds, data):
    """A batch that failed and comes back in halves closes the same parts with the same rows, byte for byte."""
    feed = data.draw(feeds)
    packed_bytes = data.draw(st.integers(250, 450))
    places = data.draw(st.lists(st.integers(0, len(feed)), max_size=4))
    whole, halves = (folded(origin, batches, packed_bytes) for batches in ([feed], cut(feed, places)))
    assert lines_of(whole) == lines_of(halves)


def test_a_full_part_really_occurs(origin, make_update):
    """The two tests above are about something: at these bounds a few updates already fill a part."""
    feed = [make_update(f"{n:06X}", seconds=n, callsign=f"C{n}") for n in range(100)]
    assert len(folded(origin, [feed], 450)) > 2


def test_a_row_is_flat_and_leaves_out_what_is_not_known(origin, make_update):
    """One line of JSON, with flat names, exact values, and no nulls."""
    part = WindowPart(origin)
    part.add(make_update(seconds=1.5, altitude_baro=38_750.0, latitude=36.696758, longitude=19.5334, callsign="ETH701"))
    part.add(make_update(seconds=6, altitude_baro=38_775.0, squawk="5223", collection_type="terrestrial"))
    aircraft, totals = map(json.loads, lines_of([part]))
    assert aircraft == {
        "kind": "aircraft",
        "window_start": EDGES[0],
        "window_end": EDGES[1],
        "shard_id": EDGES[2],
        "part": 0,
        "updates": 2,
        "distance_nm": 0.0,
        "late_positions": 0,
        "first_timestamp": "2024-03-04T23:24:01.500Z",
        "last_timestamp": "2024-03-04T23:24:06Z",
        "icao_address": "040172",
        "first_position_timestamp": "2024-03-04T23:24:01.500Z",
        "first_latitude": 36.696758,
        "first_longitude": 19.5334,
        "last_position_timestamp": "2024-03-04T23:24:01.500Z",
        "last_latitude": 36.696758,
        "last_longitude": 19.5334,
        "altitude_updates": 2,
        "altitude_min_ft": 38_750.0,
        "altitude_mean_ft": 38_762.5,
        "altitude_max_ft": 38_775.0,
        "speed_updates": 0,
        "vertical_rate_updates": 0,
        "callsigns": ["ETH701"],
        "squawks": ["5223"],
        "collection_types": ["terrestrial"],
    }
    assert totals["kind"] == "totals"
    assert (totals["aircraft"], totals["updates"]) == (1, 2)
    assert (totals["first_timestamp"], totals["last_timestamp"]) == ("2024-03-04T23:24:01.500Z", "2024-03-04T23:24:06Z")


def test_an_empty_part_has_no_rows(origin):
    """A window in which nothing was counted says nothing."""
    assert lines_of([WindowPart(origin)]) == []


def test_a_part_of_undecodable_records_has_its_totals(origin):
    """What could not be read still shows."""
    (totals,) = map(json.loads, lines_of([WindowPart(origin, undecodable=2, duplicates_ignored=1)]))
    assert (totals["records_undecodable"], totals["duplicates_ignored"], totals["updates"]) == (2, 1, 0)
    assert "first_timestamp" not in totals


@pytest.mark.parametrize("timestamp", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
def test_an_instant_beyond_the_calendar_does_not_stop_the_window(origin, timestamp):
    """The first and the last instant of the calendar, in any zone, make a row like any other."""
    part = WindowPart(origin)
    part.add(TargetUpdate(icao_address="040172", timestamp=datetime.fromisoformat(timestamp)))
    aircraft, _ = map(json.loads, lines_of([part]))
    assert aircraft["first_timestamp"][:4] in ("0001", "9999")


def test_the_recording_is_recounted(origin, recording, recount, merge):
    """All 5,680 real updates, with a stretch sent twice and a state that splits, come out as a recount has them."""
    with gzip.open(recording) as lines:
        feed = [
            decode(json.dumps(message["target"]).encode()) for message in map(json.loads, lines) if "target" in message
        ]
    feed[1_000:1_000] = feed[900:1_000]
    parts = folded(origin, [feed[at : at + 500] for at in range(0, len(feed), 500)], packed_bytes=10**6)
    merged = merge(lines_of(parts))
    assert merged == recount(feed)
    assert sum(row["updates"] for row in merged.values()) == 5_680
    assert parts[0].duplicates_ignored == 100
