"""Alerting against a real table and a real topic, while all is well and by the updates' own time."""

from __future__ import annotations

import gzip
import itertools
import json
import time
from collections import Counter
from datetime import datetime, timedelta

import pytest

from common.kinesis_event import KinesisRecord

SQUAWK = "emergency_squawk:7700#78121E"


def test_an_alert_reaches_the_subscriber_with_its_attributes(world, record):
    """A subscriber gets the subject, the text, and the attributes it may filter by."""
    world.deliver([record(squawk="7700", callsign="CES9902")])

    (message,) = world.messages()
    assert message["Subject"] == "Squawk 7700, general emergency: CES9902 (78121E)"
    assert message["Message"].startswith("Squawk 7700, general emergency: CES9902 (78121E)\n")
    assert {name: attribute["Value"] for name, attribute in message["MessageAttributes"].items()} == {
        "rule": "emergency_squawk",
        "icao_address": "78121E",
    }


def test_an_emergency_is_sent_once_in_its_window(world, record, stamp):
    """Updates every five seconds with the same emergency are one alert, and the rest is counted as suppressed."""
    result = world.deliver([record(seconds=5 * n, squawk="7700") for n in range(10)])

    assert world.notified() == {("emergency_squawk", "78121E", stamp(0)): 1}
    assert (result.notified, result.suppressed) == (1, 9)


def test_another_aircraft_and_another_rule_have_windows_of_their_own(world, record, stamp):
    """Suppression is for one rule and one aircraft: neither silences another."""
    world.deliver(
        [record(squawk="7700"), record("040172", squawk="7700"), record(seconds=5, vertical_rate=-7000)],
    )

    assert world.notified() == {
        ("emergency_squawk", "78121E", stamp(0)): 1,
        ("emergency_squawk", "040172", stamp(0)): 1,
        ("steep_descent", "78121E", stamp(5)): 1,
    }


@pytest.mark.parametrize(("seconds", "alerts_again"), [(899.999, False), (900, True), (900.001, True)])
def test_the_window_ends_exactly_where_it_says(world, record, stamp, seconds, alerts_again):
    """An update measured when the window ends alerts again; a millisecond earlier it does not."""
    world.deliver([record(squawk="7700"), record(seconds=seconds, squawk="7700")])

    assert world.notified()["emergency_squawk", "78121E", stamp(seconds)] == alerts_again


def test_a_late_update_is_decided_by_its_own_time(world, record, stamp):
    """Come late, an update is silent if an alert covered its quarter of an hour, before or after it."""
    late = [record(seconds=seconds, ingested=10, squawk="7700") for seconds in (-5, -899.999, -900, -10_000, -9_200)]

    result = world.deliver([record(squawk="7700"), *late])

    assert world.notified() == {("emergency_squawk", "78121E", stamp(seconds)): 1 for seconds in (0, -900, -10_000)}
    assert (result.notified, result.suppressed) == (3, 3)


def test_an_aircraft_is_one_however_its_address_is_written(world, record):
    """In either case, padded: one aircraft, one window."""
    result = world.deliver([record(name, squawk="7700") for name in ("78121E", "78121e", " 78121E ")])

    assert world.notified().total() == 1
    assert (result.notified, result.suppressed) == (1, 0)  # the same times: it is one update


def test_a_worse_emergency_is_sent(world, record, stamp):
    """Each code is sent once: another one within the time is news, the same one again is not."""
    codes = [(0, "7600"), (120, "7700"), (200, "7600"), (300, "7500"), (400, "7700"), (500, "7500")]

    result = world.deliver([record(seconds=seconds, squawk=code) for seconds, code in codes])

    assert world.notified() == {("emergency_squawk", "78121E", stamp(seconds)): 1 for seconds in (0, 120, 300)}
    assert (result.notified, result.suppressed) == (3, 3)


def test_a_receiver_whose_clock_runs_ahead_does_not_silence_an_aircraft(world, record, stamp):
    """A time in the far future opens a window from its ingestion, so that the emergency after it is sent."""
    world.deliver([record(seconds=10**9, ingested=0, squawk="7700"), record(seconds=900, squawk="7700")])

    assert world.notified()["emergency_squawk", "78121E", stamp(900)] == 1


def test_two_clocks_that_run_ahead_do_not_silence_an_aircraft(world, record, stamp):
    """Both times in the future: the window opens at the record's arrival, so that the emergency after it is sent."""
    wrong = record(seconds=4_000, ingested=4_000, squawk="7700")
    wrong = wrong._replace(arrival=wrong.arrival - 4_000)

    world.deliver([wrong, *(record(seconds=seconds, squawk="7700") for seconds in (1_000, 4_000))])

    assert world.notified()["emergency_squawk", "78121E", stamp(1_000)] == 1


def test_the_same_record_twice_is_one_alert(world, record):
    """The stream may hold an update twice after a hard kill: it is alerted on once, and counts as nothing."""
    twice = record(squawk="7700")

    result = world.deliver([twice, twice, twice])

    assert world.notified().total() == 1
    assert (result.notified, result.suppressed) == (1, 0)


def test_a_replay_of_what_was_alerted_on_is_silent(world, record):
    """A whole batch sent again, after a crash behind its last alert, tells of nothing again: windows that ended too."""
    records = [record(seconds=seconds, squawk="7700") for seconds in (0, 450, 900, 1800)]
    world.deliver(records)
    assert world.notified().total() == 3

    world.deliver(records)

    assert world.notified().total() == 0


def test_what_is_no_update_is_counted_and_passed_over(world, record):
    """An undecodable record neither stops the batch nor hides the alert behind it."""
    broken = record()._replace(data=b'{"icao_address": "781')

    result = world.deliver([broken, record(squawk="7700")])

    assert result.undecodable == 1
    assert world.notified().total() == 1


def test_what_the_operators_pattern_picked_is_alerted_on(world, record, stamp):
    """An update that no built-in rule knows is sent under the generic rule, with its own window."""
    world.deliver([record(callsign="ETH701"), record(seconds=5, callsign="ETH701")])

    assert world.notified() == {("pattern", "78121E", stamp(0)): 1}


def test_the_item_says_who_claimed_it_and_when(world, record, stamp):
    """The item can be read in the console: its windows by their owners, each with its state and its time."""
    world.deliver([record(squawk="7700")])

    assert world.item(SQUAWK)["windows"]["M"] == {
        "2024-03-04T12:00:00+00:00|2024-03-04T12:00:03+00:00": {
            "M": {
                "notification_state": {"S": "NOTIFIED"},
                "event_time_ms": {"N": str(round(datetime.fromisoformat(stamp(0)).timestamp() * 1000))},
            }
        }
    }


def test_an_item_of_the_earlier_format_is_replaced(world, record, stamp):
    """A table that an earlier version has written holds up no shard: the aircraft is alerted on once more."""
    world.dynamodb.put_item(
        TableName="suppression",
        Item={
            "rule_and_aircraft": {"S": "steep_descent#78121E"},
            "notification_state": {"S": "NOTIFIED"},
            "update_key": {"S": "2024-03-04T12:00:00+00:00"},
            "suppressed_until_ms": {"N": "99999999999999"},
        },
    )

    world.deliver([record(vertical_rate=-7000), record(seconds=5, vertical_rate=-7000)])

    assert world.notified() == {("steep_descent", "78121E", stamp(0)): 1}


def test_dynamodb_does_not_delete_a_window_of_the_past(world, record):
    """Replaying a day of years ago, the item's deletion is counted from now: it would be gone at once otherwise."""
    world.deliver([record(squawk="7700")])

    assert int(world.item(SQUAWK)["expires_at"]["N"]) > time.time()


def test_the_batch_stops_in_time_and_says_where(world, record):
    """With too little time for another alert the batch is stopped, and what was left alone is named."""
    records = [record(f"78121{n}", squawk="7700") for n in range(4)]
    remaining = itertools.chain([60.0], itertools.repeat(5.0))

    result = world.alerter().process(records, lambda: next(remaining))

    assert (result.failed_sequence_number, result.failed) == (records[2].sequence_number, 0)
    assert world.notified().total() == 2


def test_every_invocation_gets_further(world, record):
    """The first record is tried however little time is left: a function with a short timeout is slow, not stuck."""
    records = [record(f"78121{n}", squawk="7700") for n in range(2)]

    result = world.alerter().process(records, lambda: 0.0)

    assert result.failed_sequence_number == records[1].sequence_number
    assert world.notified().total() == 1


def test_real_updates_are_alerted_on_by_their_own_time(world, recording):
    """Over an hour of real updates of one aircraft, late ones among them, alerts come a window apart and no closer."""
    with gzip.open(recording) as lines:
        targets = [json.loads(line)["target"] for line in lines if b'"target"' in line]
    aircraft, _ = Counter(target["icao_address"] for target in targets).most_common(1)[0]
    ours = [target for target in targets if target["icao_address"] == aircraft]
    records = [
        KinesisRecord(str(n), json.dumps(target).encode(), 0.0, "shardId-000000000000")
        for n, target in enumerate(ours, start=1)
    ]
    expected, told_at = [], []
    for target in ours:
        measured = datetime.fromisoformat(target["timestamp"])
        if all(abs(measured - other) >= timedelta(seconds=60) for other in told_at):
            expected.append(("pattern", aircraft, target["timestamp"]))
            told_at.append(measured)

    result = world.deliver(records, alerter=world.alerter(suppression=timedelta(seconds=60)))

    assert len(expected) > 3
    assert world.notified() == Counter(expected)
    assert result.suppressed == len(ours) - len(expected)
