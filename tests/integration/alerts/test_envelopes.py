"""Alerts on updates that came in envelopes: each is looked at by itself; one half sent is sent to its end."""

from __future__ import annotations

import base64
import itertools
from collections import Counter

import pytest
from backports import zstd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerts.alerter import FEW, THREADS
from alerts.timeouts import ALERT_SECONDS, LEAST_SECONDS
from common.environment import ConfigurationError
from local.event_source_mapping.filter import RecordFilter

ENOUGH = 60.0
SHARD = "shardId-000000000000"
PATTERNS = '{"data":{"squawk":["7500","7600","7700"]}}\n{"data":{"callsign":[{"prefix":"ETH"}]}}'
"""As of the world's alerter."""


def test_an_update_alerts_from_an_envelope_as_by_itself(world, record, envelope, stamp):
    """The rules, the windows and the counts are those of single records."""
    result = world.deliver(
        [
            envelope(
                record(squawk="7700"),
                record("040172", squawk="1200"),
                record("C0173F", callsign="ETH701"),
                record(seconds=5, squawk="7700"),
            )
        ]
    )

    assert world.notified() == {("emergency_squawk", "78121E", stamp(0)): 1, ("pattern", "C0173F", stamp(0)): 1}
    assert (result.notified, result.suppressed, result.undecodable) == (2, 1, 0)


def test_what_no_pattern_asks_for_is_passed_over(world, record, envelope):
    """A descent that came along with an emergency is silent where nobody asked for descents, and claims no window."""
    result = world.deliver([envelope(record(squawk="7700"), record("040172", vertical_rate=-7000, squawk="1200"))])

    assert (result.notified, result.suppressed, result.undecodable) == (1, 0, 0)
    assert world.item("steep_descent#040172") is None


def test_a_single_record_is_not_asked_again(world, record, stamp):
    """What the mapping handed over by itself is sent: that decision was made on the update."""
    world.deliver([record(vertical_rate=-7000)])

    assert world.notified() == {("steep_descent", "78121E", stamp(0)): 1}


def test_both_formats_may_stand_in_one_batch(world, record, envelope, stamp):
    """While the format is changed, the stream holds both; a window holds over the change."""
    world.deliver([record(squawk="7700"), envelope(record(seconds=5, squawk="7700"), record("040172", squawk="7700"))])

    assert world.notified() == {
        ("emergency_squawk", "78121E", stamp(0)): 1,
        ("emergency_squawk", "040172", stamp(0)): 1,
    }


def test_the_notification_ends_with_the_update_alone(world, record, envelope):
    """Of an envelope, subscribers are sent the one update that alerts."""
    emergency = record(squawk="7700")
    world.deliver([envelope(record("040172", squawk="1200"), emergency)])

    (message,) = world.messages()
    assert message["Message"].splitlines()[-1] == emergency.data.decode().rstrip()


def test_a_misplaced_envelope_sends_no_alert(world, record, envelope):
    """Its updates were sent again, each to its own shard, and are sent from there."""
    result = world.deliver(
        [envelope(record(squawk="7700"), shard="shardId-000000000007"), record("040172", squawk="7700")]
    )

    assert {aircraft for _, aircraft, _ in world.notified()} == {"040172"}
    assert (result.notified, result.undecodable) == (1, 0)


def test_a_damaged_envelope_is_counted_and_passed_over(world, record, envelope):
    """It is no update; nobody can say which of the patterns it matched, so it is not asked."""
    damaged = envelope(record(squawk="1200"))
    damaged = damaged._replace(data=damaged.data.replace(b'"n":1', b'"n":2'))

    result = world.deliver([damaged, record(squawk="7700")])

    assert (result.notified, result.undecodable) == (1, 1)


def test_an_envelope_of_a_later_version_waits_for_the_function_to_be_updated(world, record, envelope):
    """It fails, so that it is sent again and in the end kept, and what was before it is done."""
    later = envelope(record("040172", squawk="7700"))
    later = later._replace(data=later.data.replace(b'"v":1', b'"v":2'))

    result = world.alerter().process([record(squawk="7700"), later], lambda: ENOUGH)

    assert result.failed_sequence_number == later.sequence_number
    assert world.notified().total() == 1


def test_an_envelope_without_time_gets_further(world, record, envelope):
    """However little time is left, each invocation sends some and stops; in the end all were sent, none twice."""
    names = [f"7812{n:02}" for n in range(3 * THREADS)]
    whole = envelope(*(record(name, squawk="7700") for name in names))

    results = []
    while not results or results[-1].failed_sequence_number is not None:
        results.append(world.alerter().process([whole], lambda: 0.0))
        assert 1 <= results[-1].notified <= 2 * THREADS
        assert results[-1].failed == 0

    assert len(results) > 1
    assert Counter(aircraft for _, aircraft, _ in world.notified().elements()) == Counter(names)


class Metered:
    """The time of an invocation in which each call to AWS takes a second."""

    def __init__(self, world, seconds):
        self._calls = lambda: len(world.dynamodb.seen) + len(world.sns.seen)
        self._end = self._calls() + seconds

    def __call__(self):
        return self._end - self._calls()


def test_an_envelope_gets_on_as_fast_at_its_end_as_at_its_beginning(world, record, envelope, monkeypatch):
    """What has been sent costs the next invocation nothing but the last few: the progress is remembered."""
    monkeypatch.setattr("alerts.alerter.UPDATES_AT_A_TIME", 8)
    world.inject()
    names = [f"78{n:04}" for n in range(60)]
    whole = envelope(*(record(name, squawk="7700") for name in names))

    notified = []
    while (result := world.alerter().process([whole], Metered(world, ALERT_SECONDS + 40))).failed_sequence_number:
        notified.append(result.notified)
        assert len(notified) < 60

    assert min(notified) >= 8  # 40 seconds are worth some dozen alerts of three calls, less one group done again
    assert Counter(aircraft for _, aircraft, _ in world.notified().elements()) == Counter(names)


def invocations(world, whole, *, calls):
    """Have the envelope sent again until it is done; each invocation has time for so many calls, and an alert."""
    results = []
    while not results or results[-1].failed_sequence_number is not None:
        time = Metered(world, LEAST_SECONDS + calls)
        results.append(world.alerter().process([whole], time))
        assert time() >= 0
        assert results[-1].failed == 0
        assert len(results) < 20
    return results


@pytest.mark.parametrize("among", [1, THREADS + 4])
def test_an_envelope_of_suppressed_updates_gets_further_in_each_invocation(world, record, envelope, among):
    """Nothing is sent, and DynamoDB is slow: it stops in time, and none but the last few updates is looked at again."""
    names = [f"7812{n:02}" for n in range(among)]
    world.inject()
    world.deliver([record(name, squawk="7700") for name in names])
    whole = envelope(*(record(names[n % among], 5 + n / 10, squawk="7700") for n in range(60)))

    results = invocations(world, whole, calls=16)

    assert 4 <= len(results) <= 8
    assert 60 <= sum(result.suppressed for result in results) <= 60 + THREADS * len(results)
    assert world.notified().total() == among


def test_an_envelope_of_alerts_sent_before_gets_further_in_each_invocation(world, record, envelope):
    """Its process ended before it could note the progress: what is found sent is not found again and again."""
    world.inject()
    sent = [record(f"78{n:04}", squawk="7700") for n in range(40)]
    world.deliver(sent)
    assert world.notified().total() == 40

    results = invocations(world, envelope(*sent, record("040172", squawk="7700")), calls=16)

    assert 3 <= len(results) <= 6
    assert world.notified().total() == 1


def test_what_lies_before_the_progress_is_in_the_log(world, record, envelope):
    """It is not looked at again, so an invocation that stops in time writes the log before it notes how far it came."""
    world.inject()
    alerter = world.alerter()
    noted = []
    advance = alerter._progress.advance

    def note(*where):
        noted.append(world.log())
        advance(*where)

    alerter._progress.advance = note

    alerter.process([envelope(*(record(f"78{n:04}", squawk="7700") for n in range(30)))], Metered(world, 80))

    (logged,) = noted
    assert len(logged) == world.notified().total() >= 4


def test_a_few_alerts_need_no_note_of_the_progress(world, record, envelope):
    """An envelope that is done in one go costs what its alerts cost."""
    world.inject()
    world.deliver([envelope(*(record(f"78{n:04}", squawk="7700") for n in range(FEW)))])

    assert [operation for operation, _ in world.dynamodb.seen].count("put_item") == FEW
    assert [operation for operation, _ in world.dynamodb.seen].count("update_item") == FEW


def test_an_aircrafts_updates_are_alerted_on_in_their_order(world, record, envelope, stamp):
    """Several aircraft at the same time, but of each the first update is the one that is sent."""
    updates = [record(name, seconds, squawk="7700") for seconds in range(5) for name in ("040172", "78121E", "C0173F")]

    world.deliver([envelope(*updates)])

    assert world.notified() == {("emergency_squawk", name, stamp(0)): 1 for name in ("040172", "78121E", "C0173F")}


@pytest.mark.parametrize(
    ("field", "number"),
    [
        ("altitude_baro", "1e309"),
        ("vertical_rate", "-1e400"),
        ("speed", "9" * 6000),
        ("on_ground", "1e309"),
        ("callsign", "1" + "0" * 400),
        ("nobody_reads", "1e309"),
        ("nobody_reads", "9" * 6000),
    ],
    ids=lambda value: value[:20],
)
def test_a_number_that_cannot_be_silences_no_alert(world, record, envelope, field, number):
    """JSON allows numbers that no double holds: in whatever field, the update is alerted on from either format."""
    odd = record(squawk="7700")
    odd = odd._replace(data=odd.data.replace(b"{", b'{"%b":%b,' % (field.encode(), number.encode()), 1))
    packed = envelope(odd, record("040172", squawk="1200"))
    handed_over = RecordFilter([line for line in PATTERNS.splitlines() if line])

    assert handed_over(odd.data)
    assert handed_over(packed.data)
    result = world.deliver([packed])

    assert {aircraft for _, aircraft, _ in world.notified()} == {"78121E"}
    assert (result.notified, result.undecodable) == (1, 0)
    assert world.deliver([odd]).notified == 0  # by itself it is the same update


def test_what_is_passed_over_in_an_envelope_is_counted_and_logged_in_one_line(world, record, caplog):
    """Thousands of lines that are no update cost one line of the log, which names the first reason, cut short."""
    lines = b'{"icao_address":"78121E"}\n' * 5_000 + b'{"squawk":"7700","icao_address":"%b"}\n' % (b"x" * 5_000)
    lines += b"[]\n" + record("040172", squawk="7700").data
    data = b'{"v":1,"n":5003,"shard":"%b","z":"%b"}\n' % (SHARD.encode(), base64.b64encode(zstd.compress(lines)))

    result = world.deliver([record()._replace(data=data)])

    assert (result.notified, result.undecodable) == (1, 2)  # lines that match no pattern are skipped as they are
    (logged,) = [entry for entry in caplog.records if "no target update" in entry.message]
    assert logged.lines == 2
    assert len(logged.first_reason) <= 200


def test_patterns_that_cannot_be_read_fail_the_batch(world, record, envelope):
    """No record is to blame: the invocation fails, so that its alarm sounds, and the batch waits."""
    with pytest.raises(ConfigurationError, match=r"ALERT_PATTERNS: pattern 1, .*: data\.squawk: .* is not an operator"):
        world.alerter(patterns='{"data":{"squawk":[{"like":"77"}]}}').process(
            [envelope(record(squawk="7700"))], lambda: ENOUGH
        )


FAULTS = {
    "put_item": st.lists(st.sampled_from([None, "refused", "answer lost", "died before", "died after"]), max_size=4),
    "publish": st.lists(st.sampled_from([None, "refused", "died before"]), max_size=4),
    "update_item": st.lists(st.sampled_from([None, "refused", "answer lost"]), max_size=3),
}
numbers = itertools.count()


@given(sizes=st.lists(st.integers(1, 2 * FEW), min_size=1, max_size=3), faults=st.fixed_dictionaries(FAULTS))
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    derandomize=True,
)
def test_no_failure_loses_or_doubles_an_alert_of_an_envelope(world, record, envelope, sizes, faults):
    """Refused calls, lost answers, deaths and too little time amid an envelope: each aircraft is alerted on once."""
    flock = f"{next(numbers):04X}"
    names = [f"{n:02X}{flock}" for n in range(sum(sizes))]
    batch, rest = [], list(names)
    for size in sizes:
        told_of, rest = rest[:size], rest[size:]
        quiet = record(f"FF{flock}", squawk="1200")
        batch.append(envelope(*(record(name, squawk="7700") for name in told_of), quiet))
    world.inject(**faults)

    world.deliver(batch, time=lambda: Metered(world, LEAST_SECONDS + 3 * FEW))

    assert Counter(aircraft for _, aircraft, _ in world.notified().elements()) == Counter(names)
    assert {aircraft for _, aircraft, _ in world.logged()} >= set(names)
