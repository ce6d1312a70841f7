"""The sequencer: each key in order, whatever fails and in whatever order answers come."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from consumer.checkpoint.watermark import Interval
from consumer.publish.limits import MAX_BATCH_BYTES, MAX_BATCH_RECORDS, MAX_RECORD_BYTES
from consumer.publish.single_outbox import SingleOutbox
from consumer.stream.messages import StreamUpdate

LINGER = 0.25
INTERVAL = Interval()
READ_AT = datetime(2024, 3, 4, 23, 24, tzinfo=UTC)


def update(key="A", data=b""):
    """An update of this aircraft."""
    return StreamUpdate(key, READ_AT, data=data)


def sequencer_of(delay=lambda _: 1.0):
    """A sequencer that sends again after `delay`."""
    return SingleOutbox(delay, linger=LINGER)


class ManyCallsInFlight(RuleBasedStateMachine):
    """Records of few keys, calls that are answered in any order, entries that fail, time that passes."""

    def __init__(self):
        super().__init__()
        self.wait = 0.0
        self.sequencer = sequencer_of(lambda _: self.wait)
        self.now = 0.0
        self.added = defaultdict(list)
        self.acknowledged = defaultdict(list)
        self.calls = []
        self.due = {}
        self.waiting_since = {}

    @rule(
        keys=st.lists(st.sampled_from("ABCDE"), min_size=1, max_size=8),
        size=st.sampled_from([1, 1, 1024, 1024, 1024 * 1024 - 1]),  # what waits is copied at every step
    )
    def add(self, keys, size):
        """The reader adds updates; in each, its place among the updates of its key."""
        updates = []
        for key in keys:
            data = len(self.added[key]).to_bytes(4) + bytes(max(0, size - 6))
            self.added[key].append(data + b"\n")
            updates.append(update(key, data))
        self.sequencer.add(updates, INTERVAL, self.now)

    @rule(seconds=st.sampled_from([1 / 128, 1 / 8, LINGER, 1.0]))
    def pass_time(self, seconds):
        """Time passes, in steps whose sums are exact."""
        self.now += seconds

    @rule(hurry=st.booleans())
    def send(self, hurry):
        """A sender is free: the next call goes out, with only records that may go."""
        batch = self.sequencer.next_batch(self.now, hurry=hurry)
        assert len(batch) <= MAX_BATCH_RECORDS
        assert sum(one.size for one in batch) <= MAX_BATCH_BYTES
        keys = [one.key for one in batch]
        assert len(set(keys)) == len(keys), "two records of a key in one call"
        flying = {one.key for call in self.calls for one in call}
        for one in batch:
            assert one.key not in flying, "a record overtakes one of its key in another call"
            assert one.data == self.added[one.key][len(self.acknowledged[one.key])], (
                "an earlier one is not acknowledged"
            )
            assert self.due.pop(one.key, 0) <= self.now, "sent again before it was due"
        if batch:
            self.calls.append(batch)

    @precondition(lambda self: self.calls)
    @rule(data=st.data(), wait=st.sampled_from([0.0, 1 / 16, 0.5]))
    def answer(self, data, wait):
        """One of the calls in flight is answered; any of its entries may have failed."""
        batch = self.calls.pop(data.draw(st.integers(0, len(self.calls) - 1)))
        failed = data.draw(st.sets(st.integers(0, len(batch) - 1)))
        for at, one in enumerate(batch):
            if at in failed:
                self.due[one.key] = self.now + wait
            else:
                self.acknowledged[one.key].append(one.data)
        self.wait = wait
        before = INTERVAL.acknowledged
        settled = self.sequencer.settle(batch, [None if at in failed else "" for at in range(len(batch))], self.now)
        taken = [one for at, one in enumerate(batch) if at not in failed]
        assert settled == (len(taken), sum(len(one.data) - 1 for one in taken), len(failed))
        assert INTERVAL.acknowledged == before + len(taken)

    @invariant()
    def it_holds_what_is_not_acknowledged_and_nothing_else(self):
        """What waits and what is in flight are the updates that were added and not acknowledged."""
        flying = [one.data for call in self.calls for one in call]
        outstanding = [data for key in self.added for data in self.added[key][len(self.acknowledged[key]) :]]
        held = [*self.sequencer.waiting(), *(data[:-1] for data in flying)]
        assert Counter((data[:4], len(data) + 1) for data in held) == Counter(
            (one[:4], len(one)) for one in outstanding
        )

    @invariant()
    def it_says_when_to_look_again(self):
        """Nothing is due before the time it names; if only an answer can help, it names none."""
        seconds = self.sequencer.seconds_until_due(self.now)
        flying = {one.key for call in self.calls for one in call}
        idle = [key for key in self.added if len(self.added[key]) > len(self.acknowledged[key]) and key not in flying]
        assert (seconds is None) == (not idle)
        assert seconds is None or 0 <= seconds <= max(LINGER, 0.5)

    def teardown(self):
        """Once nothing fails any more, every record is acknowledged, in the order of its key, exactly once."""
        for _ in range(10_000):
            while self.calls:
                batch = self.calls.pop()
                for one in batch:
                    self.acknowledged[one.key].append(one.data)
                self.sequencer.settle(batch, [""] * len(batch), self.now)
            if not any(self.sequencer.waiting()):
                break
            self.now += self.sequencer.seconds_until_due(self.now)
            self.send(hurry=False)
            assert self.calls, "nothing was due at the time it named"
        assert self.acknowledged == self.added


class TestManyCallsInFlight(ManyCallsInFlight.TestCase):  # type: ignore[valid-type]
    """Per key: in order, exactly once for each acknowledgement, never two at a time; within the limits of a call."""

    settings = settings(max_examples=60, stateful_step_count=40)


def test_a_call_holds_at_most_500_records():
    """A full call goes out at once, and the rest waits for company."""
    sequencer = sequencer_of()
    sequencer.add([update(str(number)) for number in range(MAX_BATCH_RECORDS + 1)], INTERVAL, 0)
    assert [one.key for one in sequencer.next_batch(0)] == [str(number) for number in range(MAX_BATCH_RECORDS)]
    assert sequencer.next_batch(0) == []
    assert [one.key for one in sequencer.next_batch(LINGER)] == [str(MAX_BATCH_RECORDS)]


def test_a_call_holds_at_most_5_mebibytes_of_data_and_keys():
    """Five of the largest records fill a call to the byte; keys count as Kinesis counts them, in UTF-8."""
    sequencer = sequencer_of()
    updates = [update(key, bytes(MAX_RECORD_BYTES - 1 - len(key.encode()))) for key in "äbcdef"]
    sequencer.add(updates, INTERVAL, 0)
    batch = sequencer.next_batch(0, hurry=True)
    assert sum(one.size for one in batch) == MAX_BATCH_BYTES
    assert [one.key for one in sequencer.next_batch(0, hurry=True)] == ["F"]


@pytest.mark.parametrize("extra", [0, 1])
def test_a_byte_too_many_goes_into_the_next_call(extra):
    """The bound on bytes is exact, and what has no room keeps its place."""
    sequencer = sequencer_of()
    sequencer.add([update(key, bytes(MAX_RECORD_BYTES - 2 + (key == "A") * extra)) for key in "ABCDE"], INTERVAL, 0)
    assert "".join(one.key for one in sequencer.next_batch(0, hurry=True)) == "ABCDE"[: 5 - extra]
    assert "".join(one.key for one in sequencer.next_batch(0, hurry=True)) == "ABCDE"[5 - extra :]


def test_a_lone_record_lingers_and_then_goes():
    """A record waits for company for `linger` seconds, counted from when it became ready, and no longer."""
    sequencer = sequencer_of()
    sequencer.add([update("A")], INTERVAL, 10)
    sequencer.add([update("B")], INTERVAL, 10.2)
    assert sequencer.seconds_until_due(10.1) == pytest.approx(0.15)
    assert sequencer.next_batch(10.2) == []
    assert [one.key for one in sequencer.next_batch(10.25)] == ["A", "B"]


def test_in_a_hurry_nothing_lingers():
    """At the end of a run what is ready goes out at once."""
    sequencer = sequencer_of()
    sequencer.add([update()], INTERVAL, 0)
    assert len(sequencer.next_batch(0, hurry=True)) == 1


def test_a_retry_waits_until_it_is_due_and_then_for_nobody():
    """A failed record goes again when its wait is over, not before, in a hurry neither, and does not linger again."""
    sequencer = sequencer_of(lambda attempt: 5.0 * attempt)
    sequencer.add([update("A")], INTERVAL, 0)
    [first] = sequencer.next_batch(0, hurry=True)
    sequencer.settle([first], [None], 0)
    assert sequencer.seconds_until_due(2.0) == 3.0
    assert sequencer.next_batch(4.99, hurry=True) == []
    assert sequencer.next_batch(5.0) == [first]
    sequencer.settle([first], [None], 5.0)
    assert sequencer.seconds_until_due(5.0) == 10.0


def test_due_retries_go_before_what_is_ready():
    """A record sent again is older than what waits: it goes first, earliest due first, and takes the others along."""
    delays = iter((3, 1, 2))
    sequencer = sequencer_of(lambda _: next(delays))
    sequencer.add([update(key) for key in "ABC"], INTERVAL, 0)
    sequencer.settle(sequencer.next_batch(0, hurry=True), [None, None, None], 0)
    sequencer.add([update("d")], INTERVAL, 3)
    assert [one.key for one in sequencer.next_batch(3)] == ["B", "C", "A", "D"]


def test_a_key_is_forgotten_when_its_last_record_is_acknowledged():
    """Memory follows what is outstanding, not how many aircraft were ever seen."""
    sequencer = sequencer_of()
    for number in range(1000):
        sequencer.add([update(str(number))], INTERVAL, 0)
        sequencer.settle(sequencer.next_batch(0, hurry=True), [""], 0)
    assert not sequencer._behind


def test_an_address_in_either_case_and_padded_is_one_key():
    """`78121E`, `78121e` and ` 78121E ` are one aircraft: its updates go one after the other, with one key."""
    sequencer = SingleOutbox(lambda _: 1.0, linger=0)
    sequencer.add([update(key) for key in ("78121E", "78121e", " 78121E ")], INTERVAL, 0)
    for _ in range(3):
        batch = sequencer.next_batch(0)
        assert [one.key for one in batch] == ["78121E"]
        sequencer.settle(batch, ["shardId-000000000000"], 0)
    assert sequencer.next_batch(0) == []
