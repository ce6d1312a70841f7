"""The verdict of a fault schedule: it sees each way in which a promise can be broken, and nothing where all hold."""

from __future__ import annotations

import dataclasses
import json
from datetime import datetime

import msgspec
import pytest

from local.audit.envelope import StoredRecord
from local.audit.snapshot import State
from local.faults.snapshot_verdict import Shown
from local.faults.verdict import Observation, judge

SHARD, WINDOW = "shardId-000000000000", 10
NOON = 1_700_000_000.0 // WINDOW * WINDOW


def target(number, aircraft="A00001", **fields):
    """The JSON object of update `number`, one a second."""
    moment = f"2023-11-14T22:{number // 60:02d}:{number % 60:02d}.000Z"
    return msgspec.json.encode(
        {"icao_address": aircraft, "timestamp": moment, "ingestion_time": moment, "altitude_baro": 1000} | fields
    )


def line(data):
    """The line of the feed that carries an update."""
    return b'{"target":' + data + b"}"


def totals(window_start, updates, part=0):
    """The totals of a part of a window."""
    fields = {"window_start": window_start, "shard_id": SHARD, "part": part, "updates": updates}
    return msgspec.json.encode({"kind": "totals"} | fields)


def row(window_start, updates, first, last, part=0):
    """A row of the one aircraft, whose first and last update are the seconds given."""
    return msgspec.json.encode(
        {
            "kind": "aircraft",
            "window_start": window_start,
            "shard_id": SHARD,
            "part": part,
            "icao_address": "A00001",
            "updates": updates,
            "first_timestamp": f"2023-11-14T22:00:{first:02d}Z",
            "last_timestamp": f"2023-11-14T22:00:{last:02d}Z",
            "altitude_updates": updates,
            "altitude_min_ft": 1000.0,
            "altitude_max_ft": 1000.0,
            "squawks": ["7700"],
        }
    )


UPDATES = [target(number, squawk="7700") for number in range(4)]
START = "2023-11-14T22:13:20Z"


def shown(update, **others):
    """A view of the one aircraft, as of an update."""
    fields = msgspec.json.decode(update)
    at = round(datetime.fromisoformat(fields["timestamp"]).timestamp() * 1_000)
    state = State("A00001", at, at, at, None, None, None, 1000, None, None, None, None, None, fields.get("squawk"))
    return Shown(view={"A00001": state}, **others)


@pytest.fixture
def seen():
    """All well: four updates of one aircraft with an emergency, one window, one alert."""
    return Observation(
        feed=[line(data) for data in UPDATES],
        stream=[StoredRecord(SHARD, NOON + number, data + b"\n") for number, data in enumerate(UPDATES)],
        misplaced=0,
        rows=[row(START, 4, 0, 3), totals(START, 4)],
        rejected=[],
        notifications=[("emergency_squawk", "A00001", UPDATES[0])],
        dead_letters=0,
        commits=[(NOON + 3.5, 4)],
        doubled_by=frozenset(),
        alerted_twice_by=frozenset(),
        frozen=False,
        window=WINDOW,
        suppression=60,
        shown=shown(UPDATES[3]),
        archived=[[key_of(data) for data in UPDATES]],
    )


def key_of(data):
    """An update's key, as the archive's rows have it."""
    update = json.loads(data)
    moments = (datetime.fromisoformat(update[name]) for name in ("timestamp", "ingestion_time"))
    return (update["icao_address"], *(round(moment.timestamp() * 1_000_000) for moment in moments))


def changed(seen, **fields):
    """The verdict on what was seen with something changed."""
    return judge(dataclasses.replace(seen, **fields))


def test_an_update_that_is_not_in_the_archive_is_seen(seen):
    """It is missing, whatever the archive holds more than once."""
    keys = seen.archived[0]
    verdict = changed(seen, archived=[[*keys[1:], keys[1]]])
    assert (verdict.archive_missing, verdict.archive_doubled, verdict.clean) == (1, 1, False)


def test_an_update_in_two_of_the_archive_s_hours_is_seen(seen):
    """Keys are unique over all objects, not only in each."""
    verdict = changed(seen, archived=[seen.archived[0], seen.archived[0][:1]])
    assert (verdict.archive_missing, verdict.archive_doubled, verdict.clean) == (0, 1, False)


def test_a_rejected_update_is_not_missed_in_the_archive(seen):
    """The consumer kept it elsewhere; the same update is missed where nobody rejected it."""
    large = line(target(9, aircraft="B00002"))
    feed = [*seen.feed, large]
    assert changed(seen, feed=feed).archive_missing == 1
    assert changed(seen, feed=feed, rejected=[large]).clean


def test_all_well_is_clean(seen):
    """Where every promise holds, nothing is counted."""
    verdict = judge(seen)
    assert verdict.clean, verdict.notes
    assert verdict.alerts == 1


def test_a_lost_update_is_seen(seen):
    """A line that stands nowhere is lost; one that was rejected is not."""
    assert changed(seen, stream=seen.stream[:3], rows=[row(START, 3, 0, 2), totals(START, 3)]).lost == 1
    assert changed(seen, feed=[*seen.feed, b"garbage"]).lost == 1
    assert changed(seen, feed=[*seen.feed, b"garbage"], rejected=[b"garbage"]).clean


def test_a_record_nobody_sent_is_seen(seen):
    """What the feed never sent must not be in Kinesis."""
    stranger = StoredRecord(SHARD, NOON + 4, target(50, squawk="7700"))
    assert changed(seen, stream=[*seen.stream, stranger]).lost == 1


def test_changed_order_is_seen(seen):
    """An update after a later one of its aircraft breaks the order."""
    swapped = [dataclasses.replace(seen.stream[place], arrival=NOON) for place in (0, 2, 1, 3)]
    assert changed(seen, stream=swapped).out_of_order == 1


def test_a_duplicate_needs_an_explanation(seen):
    """An update that stands twice is unexplained unless a process was killed or an answer lost."""
    twice = [*seen.stream, StoredRecord(SHARD, NOON + 3.2, UPDATES[3])]
    assert changed(seen, stream=twice).duplicates_unexplained == 1
    assert changed(seen, stream=twice, doubled_by=frozenset({"killed"})).clean


def test_a_duplicate_from_before_the_last_commit_is_never_explained(seen):
    """What lies before a committed position may not come again, but for what a frozen consumer had on its way."""
    late = [*seen.stream, StoredRecord(SHARD, NOON + 5, UPDATES[3])]
    assert changed(seen, stream=late, doubled_by=frozenset({"killed"})).duplicates_unexplained == 1
    assert changed(seen, stream=late, doubled_by=frozenset({"paused"}), frozen=True).clean


def test_wrong_rows_are_seen(seen):
    """A missing row, a wrong count, a contradiction and a record given up are each a broken window."""
    assert changed(seen, rows=[]).windows_wrong == 1
    assert changed(seen, rows=[row(START, 3, 0, 3), totals(START, 3)]).windows_wrong == 1
    assert changed(seen, rows=[*seen.rows, row(START, 3, 0, 3)]).windows_wrong == 1
    assert changed(seen, dead_letters=2).windows_wrong == 2


def test_rows_merge_by_their_key(seen):
    """A row that came twice counts once, and the parts of a window add up."""
    assert changed(seen, rows=seen.rows * 2).clean
    parts = [row(START, 1, 0, 0), row(START, 3, 1, 3, part=1)]
    assert changed(seen, rows=[*parts, totals(START, 1), totals(START, 3, part=1)]).clean


def test_totals_that_are_not_the_sum_of_their_part_are_seen(seen):
    """Too many, none, of a part without rows, two that contradict each other; the sum over all parts is no proof."""
    rows = seen.rows[:1]
    assert changed(seen, rows=[*rows, totals(START, 999)]).windows_wrong == 1
    assert changed(seen, rows=rows).windows_wrong == 1
    assert changed(seen, rows=[*seen.rows, totals(START, 1, part=1)]).windows_wrong == 1
    assert changed(seen, rows=[*seen.rows, totals(START, 5)]).windows_wrong == 1
    parts = [row(START, 1, 0, 0), row(START, 3, 1, 3, part=1)]
    assert changed(seen, rows=[*parts, totals(START, 3), totals(START, 1, part=1)]).windows_wrong == 2


def test_a_missing_alert_is_seen(seen):
    """An alert that the feed calls for must have been sent."""
    assert changed(seen, notifications=[]).alerts_missing == 1


def test_no_measurement_is_later_than_its_arrival(seen):
    """Where the schedule's clock has jumped, updates come before their own time: suppression goes by the arrival."""
    first = datetime.fromisoformat(json.loads(UPDATES[0])["timestamp"]).timestamp()
    in_time = [StoredRecord(SHARD, first + number, data) for number, data in enumerate(UPDATES)]
    together = [StoredRecord(SHARD, first + number / 10, data) for number, data in enumerate(UPDATES)]
    assert changed(seen, suppression=1.0, stream=in_time).alerts == len(UPDATES)
    assert changed(seen, suppression=1.0, stream=together).alerts == 1


def test_an_alert_sent_twice_needs_an_explanation(seen):
    """A second telling is explained by a lost answer or a kill; one that nothing calls for never is."""
    twice = seen.notifications * 2
    assert changed(seen, notifications=twice).alerts_repeated == 1
    assert changed(seen, notifications=twice, alerted_twice_by=frozenset({"answer_lost sns Publish"})).clean
    uncalled_for = [*seen.notifications, ("emergency_squawk", "A00001", UPDATES[1])]
    verdict = changed(seen, notifications=uncalled_for, alerted_twice_by=frozenset({"answer_lost sns Publish"}))
    assert verdict.alerts_repeated == 1


def test_a_schedule_that_did_not_end_is_not_clean(seen):
    """What did not come to its end proves nothing."""
    assert not changed(seen, troubles=["it hung"]).clean


def test_a_snapshot_that_shows_something_else_is_seen(seen):
    """An older state, a reading of another update, a position that it never had, none at all, and a stranger."""
    state = seen.shown.view["A00001"]
    moved = state._replace(position_measured=state.measured, latitude=1.0, longitude=2.0)
    assert changed(seen, shown=shown(UPDATES[2])).snapshots_wrong == 1
    assert changed(seen, shown=Shown(view={"A00001": state._replace(altitude=1025)})).snapshots_wrong == 1
    assert changed(seen, shown=Shown(view={"A00001": moved})).snapshots_wrong == 1
    assert changed(seen, shown=Shown(view={})).snapshots_wrong == 1
    assert changed(seen, shown=Shown(view={"A00001": state, "B00002": state})).snapshots_wrong == 1


def test_what_s3_refused_at_the_very_end_is_owed(seen):
    """A snapshot comes with the shard's next invocation, and there was none; another shard's is no excuse.

    What is shown is still as the aircraft once was.
    """
    owed = frozenset({SHARD})
    assert changed(seen, shown=shown(UPDATES[2], owed=owed)).clean
    assert changed(seen, shown=Shown(view={}, owed=owed)).clean
    early = seen.shown.view["A00001"]._replace(measured=0, timestamp=0, ingestion=0)
    for state in (seen.shown.view["A00001"]._replace(altitude=1025), early):
        assert not changed(seen, shown=Shown(view={"A00001": state}, owed=owed)).clean
    assert not changed(seen, shown=shown(UPDATES[2], owed=frozenset({"shardId-000000000001"}))).clean


def test_what_went_back_is_seen(seen):
    """What a reader saw may not be older later."""
    assert not changed(seen, shown=shown(UPDATES[3], went_back=["A00001"])).clean


def test_a_secret_that_is_shown_is_seen(seen):
    """In a live object or an answer, whatever its name."""
    words, secrets = [("live/status.json", b'{"token": "secret"}')], frozenset({b"secret"})
    assert changed(seen, shown=shown(UPDATES[3], words=words, secrets=secrets)).secrets_shown == 1
    assert changed(seen, shown=shown(UPDATES[3], words=words, secrets=frozenset({b"another"}))).clean
