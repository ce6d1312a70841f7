"""Promise 8: whatever fails half way, an alert is not lost, and is not sent twice in its window."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from alerts.alerter import MARK_ATTEMPTS
from alerts.suppression import Claim, Verdict
from alerts.suppression_table import SuppressionTable
from common.clock import SystemClock

SQUAWK = "emergency_squawk:7700#78121E"


def states(world, key=SQUAWK):
    """The states of the item's windows, in the order of their times."""
    windows = [window["M"] for window in world.item(key)["windows"]["M"].values()]
    return [one["notification_state"]["S"] for one in sorted(windows, key=lambda one: int(one["event_time_ms"]["N"]))]


@pytest.mark.parametrize(
    "faults",
    [
        {"put_item": ["refused"]},
        {"put_item": ["answer lost"]},
        {"put_item": ["died before"]},
        {"put_item": ["died after"]},
        {"publish": ["refused"]},
        {"publish": ["refused"] * 3},
        {"publish": ["died before"]},
        {"update_item": ["refused"]},
        {"update_item": ["answer lost"]},
        {"update_item": ["died after"]},
        {"put_item": ["answer lost", "refused", "died after"], "publish": ["refused", "died before", "refused"]},
    ],
    ids=str,
)
def test_an_alert_is_sent_exactly_once_whichever_step_fails(world, record, stamp, faults):
    """The claim, the publication or the mark fails: the batch comes again, and the alert is sent once and marked."""
    world.inject(**faults)

    result = world.deliver([record(squawk="7700"), record(seconds=5, squawk="7700")])

    assert world.notified() == {("emergency_squawk", "78121E", stamp(0)): 1}
    assert states(world) == ["NOTIFIED"]
    assert result.suppressed == 1


def test_the_batch_stops_at_its_first_failure(world, record):
    """Nothing behind the failed record is touched: it will all be sent again."""
    world.inject(publish=[None, "refused"])
    records = [record(f"78121{n}", squawk="7700") for n in range(4)]

    result = world.alerter().process(records, lambda: 60.0)

    assert result.failed_sequence_number == records[1].sequence_number
    assert world.notified().total() == 1
    assert world.item("emergency_squawk:7700#781212") is None


def test_of_two_alerts_of_one_update_only_the_failed_one_is_sent_again(world, record, stamp):
    """The first rule's alert was sent, the second's failed: the retry sends the second alone."""
    world.inject(publish=[None, "refused"])
    both = [record(squawk="7700", vertical_rate=-7000)]
    alerter = world.alerter()

    assert alerter.process(both, lambda: 60.0).failed_sequence_number == both[0].sequence_number
    assert world.notified() == {("emergency_squawk", "78121E", stamp(0)): 1}

    assert alerter.process(both, lambda: 60.0).failed_sequence_number is None
    assert world.notified() == {("steep_descent", "78121E", stamp(0)): 1}


def test_a_mark_that_fails_for_good_does_not_send_twice(world, record, stamp):
    """Sent but not marked is no failure of the record: it is counted, and later updates stay silent."""
    world.inject(update_item=["refused"] * MARK_ATTEMPTS)

    result = world.deliver([record(squawk="7700"), record(seconds=5, squawk="7700")])

    assert (result.notified, result.unmarked, result.suppressed) == (1, 1, 1)
    assert states(world) == ["PENDING"]
    assert world.notified() == {("emergency_squawk", "78121E", stamp(0)): 1}


def test_a_process_that_lives_remembers_what_it_could_not_mark(world, record):
    """The record of a sent but unmarked alert comes again to the same process: it is marked, and not sent again."""
    world.inject(update_item=["refused"] * MARK_ATTEMPTS)
    alerter = world.alerter()
    again = [record(squawk="7700")]
    world.deliver(again, alerter=alerter)

    result = world.deliver(again, alerter=alerter)

    assert (result.notified, result.unmarked) == (0, 0)
    assert states(world) == ["NOTIFIED"]
    assert world.notified().total() == 1


def test_what_a_process_remembers_is_bounded(world, record, monkeypatch):
    """A table that takes no marks for days does not fill the memory: the oldest unmarked alerts are forgotten."""
    monkeypatch.setattr("alerts.alerter.MOST_UNMARKED_REMEMBERED", 2)
    world.inject(update_item=["refused"] * MARK_ATTEMPTS * 3)
    alerter = world.alerter()

    world.deliver([record(f"78121{n}", squawk="7700") for n in range(3)], alerter=alerter)

    assert [claim.icao_address for claim in alerter._sent_unmarked] == ["781211", "781212"]


def test_the_mark_is_tried_again_only_while_there_is_time(world, record):
    """With the invocation about to end, one attempt is made and the alert is left as it is, in time."""
    world.inject(update_item=["refused"] * MARK_ATTEMPTS)

    result = world.alerter().process([record(squawk="7700")], lambda: 0.5)

    assert result.unmarked == 1
    assert world.dynamodb.seen.count(("update_item", "refused")) == 1


def give_up(world, *records):
    """Each record fails until the mapping gives it up: its claim is made, and its alert never sent."""
    world.inject(publish=["refused"] * len(records))
    for each in records:
        assert world.alerter().process([each], lambda: 60.0).failed == 1


def test_an_alert_given_up_by_the_mapping_is_sent_by_its_redrive(world, record, stamp):
    """Retries ran out and the record lies at the on-failure destination: sent from there, it resumes its own claim."""
    given_up, later = record(squawk="7700"), record(seconds=5, squawk="7700")
    give_up(world, given_up)
    world.deliver([later])
    assert world.notified().total() == 0

    world.deliver([given_up])

    assert world.notified() == {("emergency_squawk", "78121E", stamp(0)): 1}


@pytest.mark.parametrize("later_shard", ["shardId-000000000000", "shardId-000000000001"])
def test_a_redrive_is_sent_though_the_next_window_was(world, record, stamp, later_shard):
    """While a claim is pending its window ends and the next alert is sent: the redrive sends what was not, once."""
    given_up, later = record(squawk="7700"), [record(seconds=seconds, squawk="7700") for seconds in (5, 905, 910)]
    give_up(world, given_up)
    world.deliver([one._replace(shard_id=later_shard) for one in later])
    assert world.notified() == {("emergency_squawk", "78121E", stamp(905)): 1}

    for _ in range(2):
        world.deliver([given_up, later[0]])

    assert world.notified() == {("emergency_squawk", "78121E", stamp(0)): 1}
    assert states(world) == ["NOTIFIED", "NOTIFIED"]


def test_an_update_given_up_before_its_claim_is_alerted_on_by_its_redrive(world, record, stamp):
    """The table could not be reached, or the record was too old: no alert covered its time; its redrive sends one."""
    given_up = record(squawk="7700")
    world.deliver([record(seconds=905, squawk="7700")])
    assert world.notified().total() == 1

    world.deliver([given_up])

    assert world.notified() == {("emergency_squawk", "78121E", stamp(0)): 1}


def test_a_redriven_update_without_an_ingestion_time_is_not_sent_again(world, record, stamp):
    """Its arrival is another, and so may be its time: it is known by its key."""
    sent = record(seconds=40_000, squawk="7700")
    sent = sent._replace(data=sent.data.replace(b'"ingestion_time"', b'"not_given"'))
    world.deliver([sent])
    assert world.notified() == {("emergency_squawk", "78121E", stamp(40_000)): 1}

    result = world.deliver([sent._replace(arrival=sent.arrival + 7_200)])

    assert world.notified().total() == 0
    assert (result.notified, result.suppressed) == (0, 0)


def test_a_belated_mark_does_not_touch_another_updates_window(world):
    """Marking an alert leaves the window of another as it is, and does not undo what was written meanwhile."""
    first, second = (Claim("emergency_squawk:7700", "78121E", f"{at}", at * 1000, 900_000) for at in (0, 900))
    table = SuppressionTable(world.dynamodb, "suppression", SystemClock())
    table.claim(first)
    table.claim(second)

    table.mark_notified(first)

    assert states(world) == ["NOTIFIED", "PENDING"]


def test_two_writers_of_one_subject_lose_nothing(world):
    """Another shard claims between a look and a write: the write is refused, and decided again by what is there."""
    ours, theirs = (SuppressionTable(world.dynamodb, "suppression", SystemClock()) for _ in range(2))
    first, far, near = (Claim("pattern", "78121E", f"{at}", at * 1000, 900_000) for at in (0, 900, 901))
    ours.claim(first)

    class Interfering:
        """Lets the other writer in before each of the first calls."""

        def __init__(self, waiting):
            self.waiting = waiting

        def put_item(self, **arguments):
            if self.waiting:
                self.waiting.pop(0)()
            return world.dynamodb.put_item(**arguments)

    interfering = Interfering([lambda: theirs.mark_notified(first), lambda: theirs.claim(far)])

    assert SuppressionTable(interfering, "suppression", SystemClock()).claim(near).verdict is Verdict.SUPPRESSED
    assert states(world, "pattern#78121E") == ["NOTIFIED", "PENDING"]


def test_what_nobody_foresaw_fails_its_own_record(world, record):
    """An item that somebody else wrote, of another form, fails the record that meets it and not the batch."""
    world.dynamodb.put_item(
        TableName="suppression", Item={"rule_and_aircraft": {"S": SQUAWK}, "windows": {"S": "none"}}
    )
    fine, meets_it = record("040172", squawk="7700"), record("78121E", squawk="7700")

    result = world.alerter().process([fine, meets_it], lambda: 60.0)

    assert result.failed_sequence_number == meets_it.sequence_number
    assert world.notified().total() == 1


UPDATES = st.lists(
    st.fixed_dictionaries(
        {
            "aircraft": st.sampled_from("AB"),
            "seconds": st.sampled_from([-2000, 0, 5, 450, 899, 900, 905, 1800]),
            "fields": st.sampled_from(
                [{"squawk": "7700"}, {"vertical_rate": -7000}, {"squawk": "7600", "vertical_rate": -9000}]
            ),
        }
    ),
    min_size=1,
    max_size=5,
)
ANY_FAULT = st.sampled_from([None, "refused", "answer lost", "died before", "died after"])
MARK_FAULT = st.sampled_from([None, "refused", "answer lost", "died after"])
UNAMBIGUOUS = {
    "put_item": st.lists(ANY_FAULT, max_size=5),
    "publish": st.lists(st.sampled_from([None, "refused", "died before"]), max_size=5),
    "update_item": st.lists(MARK_FAULT, max_size=MARK_ATTEMPTS - 1),  # one fewer, so that marking works in the end
    "put_object": st.lists(st.sampled_from([None, "answer lost", "died before", "died after"]), max_size=5),
}
ANYTHING = dict.fromkeys(UNAMBIGUOUS, st.lists(ANY_FAULT, max_size=8))
RULES_OF = {"squawk": "emergency_squawk", "vertical_rate": "steep_descent"}

numbers = itertools.count()
# The world outlives an example on purpose: each has aircraft of its own, and takes from the queue what it caused.
against_servers = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    derandomize=True,
)


def _schedule(updates, record, stamp):
    """Make the records, and the alerts that a system in which nothing fails would send."""
    flock = f"{next(numbers):05X}"
    records, expected, notified = [], Counter(), defaultdict(list)
    for update in updates:
        aircraft, seconds = update["aircraft"] + flock, update["seconds"]
        records.append(record(aircraft, seconds, **update["fields"]))
        for field, value in update["fields"].items():
            rule = RULES_OF[field]
            subject = (rule, aircraft, value if field == "squawk" else None)
            if all(abs(seconds - other) >= 900 for other in notified[subject]):
                expected[rule, aircraft, stamp(seconds)] += 1  # two codes may be of one moment
                notified[subject].append(seconds)
    return records, expected


@given(updates=UPDATES, faults=st.fixed_dictionaries(UNAMBIGUOUS))
@against_servers
def test_no_schedule_of_failures_loses_or_doubles_an_alert(world, record, stamp, updates, faults):
    """Refused calls, lost answers and deaths at every step: the alerts, and their log, are as if nothing had failed."""
    records, expected = _schedule(updates, record, stamp)
    world.inject(**faults)

    world.deliver(records)
    world.log_what_waits()  # a lost answer leaves to the next batch what no thread had begun

    assert world.notified() == expected
    assert Counter({alert: n for alert, n in world.logged().items() if alert in expected}) == expected


@given(updates=UPDATES, faults=st.fixed_dictionaries(ANYTHING))
@example(
    updates=[{"aircraft": "A", "seconds": 0, "fields": {"squawk": "7700"}}],
    faults={"put_item": [], "publish": ["answer lost"], "update_item": []},
)
@against_servers
def test_only_an_answer_or_a_process_lost_in_between_can_send_twice(world, record, stamp, updates, faults):
    """No failure at all loses an alert; a second sending needs a publication whose outcome nobody could note."""
    records, expected = _schedule(updates, record, stamp)
    world.inject(**faults)

    world.deliver(records)

    notified = world.notified()
    unnoted = (
        sum(call in {("publish", "answer lost"), ("publish", "died after")} for call in world.sns.seen)
        + world.dynamodb.seen.count(("update_item", "died before"))
        # A process that died has not said how many it could not mark.
        + sum(call in {("update_item", "refused"), ("update_item", "answer lost")} for call in world.dynamodb.seen)
        // MARK_ATTEMPTS
    )
    assert notified.keys() == expected.keys()
    assert notified.total() - expected.total() <= unnoted
