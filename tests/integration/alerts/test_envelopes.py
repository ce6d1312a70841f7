"""Alerts on updates that came in envelopes: each is looked at by itself; one half told is told to its end."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.environment import ConfigurationError

ENOUGH = 60.0
TOO_LITTLE = 5.0


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

    assert world.told() == {("emergency_squawk", "78121E", stamp(0)): 1, ("pattern", "C0173F", stamp(0)): 1}
    assert (result.notified, result.suppressed, result.undecodable) == (2, 1, 0)


def test_what_no_pattern_asks_for_is_passed_over(world, record, envelope):
    """A descent that came along with an emergency is silent where nobody asked for descents, and claims no window."""
    result = world.deliver([envelope(record(squawk="7700"), record("040172", vertical_rate=-7000, squawk="1200"))])

    assert (result.notified, result.suppressed, result.undecodable) == (1, 0, 0)
    assert world.item("steep_descent#040172") is None


def test_a_single_record_is_not_asked_again(world, record, stamp):
    """What the mapping handed over by itself is told: that decision was made on the update."""
    world.deliver([record(vertical_rate=-7000)])

    assert world.told() == {("steep_descent", "78121E", stamp(0)): 1}


def test_both_formats_may_stand_in_one_batch(world, record, envelope, stamp):
    """While the format is changed, the stream holds both; a window holds over the change."""
    world.deliver([record(squawk="7700"), envelope(record(seconds=5, squawk="7700"), record("040172", squawk="7700"))])

    assert world.told() == {
        ("emergency_squawk", "78121E", stamp(0)): 1,
        ("emergency_squawk", "040172", stamp(0)): 1,
    }


def test_the_notification_ends_with_the_update_alone(world, record, envelope):
    """Of an envelope, subscribers are sent the one update that alerts."""
    emergency = record(squawk="7700")
    world.deliver([envelope(record("040172", squawk="1200"), emergency)])

    (message,) = world.messages()
    assert message["Message"].splitlines()[-1] == emergency.data.decode().rstrip()


def test_a_misplaced_envelope_tells_of_nothing(world, record, envelope):
    """Its updates were sent again, each to its own shard, and are told from there."""
    result = world.deliver(
        [envelope(record(squawk="7700"), shard="shardId-000000000007"), record("040172", squawk="7700")]
    )

    assert {aircraft for _, aircraft, _ in world.told()} == {"040172"}
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
    assert world.told().total() == 1


def test_an_envelope_is_stopped_in_time_and_told_to_its_end(world, record, envelope):
    """With too little time for another alert it is left half told; sent again, it is told on, and of none twice."""
    whole = envelope(*(record(f"78121{n}", squawk="7700") for n in range(5)))
    expected = Counter({("emergency_squawk", f"78121{n}"): 1 for n in range(5)})
    told = Counter()

    # Time is asked for from the second alert on: there is enough for one more, then too little.
    answers = []
    while not answers or (answers[-1] is not None and len(answers) < 10):
        answers.append(world.alerter().process([whole], _time_for(1)).failed_sequence_number)
        told += Counter(entry[:2] for entry in world.told().elements())

    assert answers == [whole.sequence_number, whole.sequence_number, None]
    assert told == expected


def _time_for(alerts):
    """The remaining time as asked: enough this many times, then too little."""
    remaining = itertools.chain([ENOUGH] * alerts, itertools.repeat(TOO_LITTLE))
    return lambda: next(remaining)


def test_an_envelope_without_time_gets_further(world, record, envelope):
    """The first alert is sent however little time is left: a function with a short timeout is slow, not stuck."""
    whole = envelope(*(record(f"78121{n}", squawk="7700") for n in range(3)))

    for sent in (1, 2, 3):
        result = world.alerter().process([whole], lambda: 0.0)
        assert result.notified == 1, sent
    assert result.failed_sequence_number is None
    assert world.told().total() == 3


def test_patterns_that_cannot_be_read_fail_the_batch(world, record, envelope):
    """No record is to blame: the invocation fails, so that its alarm sounds, and the batch waits."""
    with pytest.raises(ConfigurationError, match=r"ALERT_PATTERNS: the pattern .* cannot be asked"):
        world.alerter(patterns='{"data":{"squawk":[{"like":"77"}]}}').process(
            [envelope(record(squawk="7700"))], lambda: ENOUGH
        )


FAULTS = {
    "put_item": st.lists(st.sampled_from([None, "refused", "answer lost", "died before", "died after"]), max_size=4),
    "publish": st.lists(st.sampled_from([None, "refused", "died before"]), max_size=4),
    "update_item": st.lists(st.sampled_from([None, "refused", "answer lost"]), max_size=3),
}
numbers = itertools.count()


@given(sizes=st.lists(st.integers(1, 4), min_size=1, max_size=3), faults=st.fixed_dictionaries(FAULTS))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
def test_no_failure_loses_or_doubles_an_alert_of_an_envelope(world, record, envelope, sizes, faults):
    """Refused calls, lost answers and deaths in the middle of an envelope: each aircraft is told of once."""
    flock = f"{next(numbers):04X}"
    names = [f"{n:02X}{flock}" for n in range(sum(sizes))]
    batch, rest = [], list(names)
    for size in sizes:
        told_of, rest = rest[:size], rest[size:]
        quiet = record(f"FF{flock}", squawk="1200")
        batch.append(envelope(*(record(name, squawk="7700") for name in told_of), quiet))
    world.inject(**faults)

    world.deliver(batch)

    assert Counter(aircraft for _, aircraft, _ in world.told().elements()) == Counter(names)
