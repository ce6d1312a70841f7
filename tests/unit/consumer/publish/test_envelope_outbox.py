"""The enveloper: each aircraft in order and in its shard, whatever fails and however the stream is resharded."""

from __future__ import annotations

import json
from base64 import b64encode
from collections import Counter, defaultdict
from datetime import UTC, datetime
from hashlib import md5
from random import Random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from common import envelope as wire
from common.normal_form import addresses
from consumer.checkpoint.watermark import Interval
from consumer.errors import PublishError
from consumer.publish.envelope_outbox import BETWEEN_READS_SECONDS, GATHER_SECONDS, LINGER_SECONDS, EnvelopeOutbox
from consumer.publish.envelope_writer import HeaderedUpdate
from consumer.publish.limits import MAX_BATCH_BYTES, MAX_RECORD_BYTES
from consumer.publish.shard_map import ShardMap
from consumer.publish.shard_queue import FULL_BYTES

READ_AT = datetime(2024, 3, 4, 23, 24, tzinfo=UTC)
ALL = 2**128
AIRCRAFT = [f"{number:06X}" for number in range(12)]


def update(key, number=0, size=0):
    """An update of this aircraft; its number, then filling that does not compress."""
    filling = b64encode(Random(number).randbytes(size * 3 // 4)).decode()
    fields = {"icao_address": key, "timestamp": READ_AT.isoformat(), "number": number, "filling": filling}
    return HeaderedUpdate(key, READ_AT, data=json.dumps(fields).encode())


class Stream:
    """Kinesis as far as it matters here: shards with ranges of digests, splits, merges, and what lies in each shard."""

    def __init__(self, shards):
        self.made = 0
        self.open = []
        self.parents = {}
        self.records = defaultdict(list)
        for number in range(shards):
            self._make(ALL * number // shards, ALL * (number + 1) // shards - 1, ())

    def _make(self, low, high, parents):
        shard_id = f"shardId-{self.made:012d}"
        self.made += 1
        self.open.append((low, high, shard_id))
        self.parents[shard_id] = parents

    def split(self, at):
        """Split a shard in the middle of its range."""
        low, high, shard_id = self.open.pop(at % len(self.open))
        self._make(low, (low + high) // 2, (shard_id,))
        self._make((low + high) // 2 + 1, high, (shard_id,))

    def merge(self, at):
        """Merge a shard with its neighbour."""
        self.open.sort()
        at %= len(self.open) - 1
        (low, _, first), (_, high, second) = self.open[at : at + 2]
        del self.open[at : at + 2]
        self._make(low, high, (first, second))

    def list_shards(self):
        """What ListShards says; closed shards come along."""
        closed = {
            "ShardId": "closed",
            "HashKeyRange": {"StartingHashKey": "0", "EndingHashKey": str(ALL - 1)},
            "SequenceNumberRange": {"StartingSequenceNumber": "0", "EndingSequenceNumber": "1"},
        }
        return [closed] + [
            {
                "ShardId": shard_id,
                "HashKeyRange": {"StartingHashKey": str(low), "EndingHashKey": str(high)},
                "SequenceNumberRange": {"StartingSequenceNumber": "0"},
            }
            for low, high, shard_id in self.open
        ]

    def shard_of(self, digest):
        """The shard whose range holds a digest."""
        return next(shard_id for low, high, shard_id in self.open if low <= digest <= high)

    def put(self, record):
        """Take a record; return its shard."""
        by_key = int.from_bytes(md5(record.key.encode()).digest())
        shard_id = self.shard_of(by_key if record.hash_key is None else int(record.hash_key))
        self.records[shard_id].append(record.data)
        return shard_id

    def read(self):
        """Read the updates as consumers do: a shard after its parents, and no envelope outside of its shard."""
        taken = defaultdict(list)
        for shard_id in sorted(self.parents):  # children have later numbers than their parents
            for data in self.records[shard_id]:
                lines = wire.lines(data, shard_id)[0] if wire.is_envelope(data) else data
                for line in lines.split(b"\n")[:-1]:
                    taken[line.partition(b'"icao_address": "')[2][:6].decode()].append((line, shard_id))
        return taken


class Resharding(RuleBasedStateMachine):
    """Updates, calls answered in any order, entries and answers that fail, and a stream that is split and merged."""

    @initialize(shards=st.integers(1, 3))
    def begin(self, shards):
        """A stream with some shards."""
        self.stream = Stream(shards)
        self.interval = Interval()
        self.wait = 0.0
        self.can_list = True
        self.enveloper = EnvelopeOutbox(
            lambda: ShardMap(self.stream.list_shards()) if self.can_list else None, lambda _: self.wait
        )
        self.now = 0.0
        self.added = defaultdict(list)
        self.calls = []
        self.is_lossy = False

    @rule(
        keys=st.lists(st.sampled_from(AIRCRAFT), min_size=1, max_size=8),
        size=st.sampled_from([0, 0, 0, 64 * 1024, FULL_BYTES]),
    )
    def add(self, keys, size):
        """The reader adds updates."""
        updates = []
        for key in keys:
            updates.append(update(key, len(self.added[key]), size))
            self.added[key].append(updates[-1].data)
        self.interval.taken += len(updates)
        self.enveloper.add(updates, self.interval, self.now)

    @rule(seconds=st.sampled_from([0.05, LINGER_SECONDS, 3.0]))
    def pass_time(self, seconds):
        """Time passes."""
        self.now += seconds

    @rule(hurry=st.booleans())
    def send(self, hurry):
        """A sender is free: the next call goes out, within the limits of one, with one record a lane."""
        self.enveloper.prepare(self.now)
        is_sorted = self.enveloper._shards is not None
        seconds = self.enveloper.seconds_until_due(self.now, others_in_flight=bool(self.calls))
        batch = self.enveloper.next_batch(self.now, hurry=hurry, others_in_flight=bool(self.calls))
        assert hurry or not is_sorted or bool(batch) == (seconds == 0), "it does not send when it says so"
        assert sum(one.size for one in batch) <= MAX_BATCH_BYTES
        assert all(one.size <= MAX_RECORD_BYTES for one in batch)
        lanes = [id(one.lane) for one in batch] + [id(one.lane) for call in self.calls for one in call]
        assert len(set(lanes)) == len(lanes)
        if batch:
            self.calls.append(batch)

    @precondition(lambda self: self.calls)
    @rule(data=st.data(), is_answer_lost=st.sampled_from([False, False, False, True]))
    def answer(self, data, is_answer_lost):
        """One of the calls in flight is carried out; any of its entries may fail, or its answer be lost."""
        batch = self.calls.pop(data.draw(st.integers(0, len(self.calls) - 1)))
        failed = data.draw(st.sets(st.integers(0, len(batch) - 1)))
        answer = [None if at in failed else self.stream.put(one) for at, one in enumerate(batch)]
        if is_answer_lost:
            self.is_lossy = True
            answer = [None] * len(batch)
        self.wait = data.draw(st.sampled_from([0.0, 0.5]))
        self.enveloper.settle(batch, answer, self.now)

    @precondition(lambda self: len(self.stream.open) < 8)
    @rule(at=st.integers(0, 7))
    def split(self, at):
        """A shard is split."""
        self.stream.split(at)

    @precondition(lambda self: len(self.stream.open) > 1)
    @rule(at=st.integers(0, 7))
    def merge(self, at):
        """Two shards are merged."""
        self.stream.merge(at)

    @rule(can_list=st.booleans())
    def list_or_not(self, can_list):
        """ListShards is throttled, or no longer."""
        self.can_list = can_list

    @invariant()
    def it_holds_what_is_not_acknowledged(self):
        """What waits and what is in flight are as many as were added and not acknowledged."""
        flying = sum(1 for call in self.calls for _ in self.enveloper.updates_in(call))
        waiting = sum(1 for _ in self.enveloper.waiting())
        assert waiting + flying == self.interval.taken - self.interval.acknowledged

    def teardown(self):
        """Once nothing fails any more, readers have every update, in order, and once unless an answer was lost."""
        self.can_list = True
        for _ in range(1_000):
            for batch in self.calls:
                self.enveloper.settle(batch, [self.stream.put(one) for one in batch], self.now)
            self.calls = []
            seconds = self.enveloper.seconds_until_due(self.now)
            if seconds is None:
                break
            self.now += seconds
            self.enveloper.prepare(self.now)
            batch = self.enveloper.next_batch(self.now)
            if batch:
                self.calls.append(batch)
        assert self.interval.acknowledged == self.interval.taken
        taken = self.stream.read()
        for key, added in self.added.items():
            lines = [line for line, _ in taken[key]]
            assert list(dict.fromkeys(lines)) == added, "out of order, or lost"
            if not self.is_lossy:
                assert len(lines) == len(added), "sent twice"


class TestResharding(Resharding.TestCase):  # type: ignore[valid-type]
    """Nothing is lost, nothing is twice, each aircraft is in order, and always in the shard of its key."""

    settings = settings(max_examples=40, stateful_step_count=40)


def next_batch(enveloper, now, **options):
    """What the dispatcher does."""
    enveloper.prepare(now)
    return enveloper.next_batch(now, **options)


def of_one_shard(**options):
    """An enveloper of a stream with one shard, and the stream."""
    stream = Stream(1)
    return EnvelopeOutbox(lambda: ShardMap(stream.list_shards()), lambda _: 1.0, **options), stream


def test_updates_linger_and_then_go_together():
    """A few updates wait for company, counted from the first, and go as one record addressed to their shard."""
    enveloper, stream = of_one_shard()
    enveloper.add([update("A"), update("B")], Interval(), 10.0)
    assert next_batch(enveloper, 10.0) == []
    enveloper.add([update("C")], Interval(), 10.5)
    assert enveloper.seconds_until_due(10.5) == pytest.approx(LINGER_SECONDS - 0.5)
    assert next_batch(enveloper, 10.79) == []
    [record] = next_batch(enveloper, 10.0 + LINGER_SECONDS)
    assert (record.key, record.hash_key) == ("shardId-000000000000", "0")
    assert [one.icao_address for one in record.updates] == ["A", "B", "C"]
    assert stream.put(record) == "shardId-000000000000"


def test_in_a_hurry_nothing_lingers():
    """At the end of a run what waits goes out at once."""
    enveloper, _ = of_one_shard()
    enveloper.add([update("A")], Interval(), 0.0)
    assert len(next_batch(enveloper, 0.0, hurry=True)) == 1


def test_a_full_envelope_goes_at_once_and_the_rest_when_it_is_acknowledged():
    """Under load envelopes are full, one of a shard at a time; what is left over has waited long enough."""
    enveloper, stream = of_one_shard()
    updates = [update("A", number, 2048) for number in range(FULL_BYTES // 2048 + 20)]
    enveloper.add([update("B")], Interval(), 0.0)
    enveloper.settle(next_batch(enveloper, 0.0, hurry=True), [""], 0.0)
    assert [enveloper.add([one], Interval(), 0.0) for one in updates].count(True) == 1
    [first] = next_batch(enveloper, 0.0)
    assert FULL_BYTES - 4096 <= first.read_bytes < FULL_BYTES + 4096
    assert next_batch(enveloper, 0.0, hurry=True) == []
    enveloper.settle([first], [stream.put(first)], LINGER_SECONDS)
    [second] = next_batch(enveloper, LINGER_SECONDS)
    assert first.updates + second.updates == updates


def of_shards(count):
    """An enveloper of a stream with so many shards, the stream, and updates that fill an envelope of each shard."""
    stream = Stream(count)
    shards = ShardMap(stream.list_shards())
    enveloper = EnvelopeOutbox(lambda: shards, lambda _: 5.0)
    enveloper.add([update(key) for key in AIRCRAFT], Interval(), -0.5)
    first = next_batch(enveloper, -0.5, hurry=True)
    enveloper.settle(first, [stream.put(one) for one in first], -0.5)
    places = shards.places_of(AIRCRAFT)
    keys = [next(key for key, at in zip(AIRCRAFT, places, strict=True) if at == place) for place in range(count)]
    return enveloper, stream, [[update(key, number, 64 * 1024) for number in range(8)] for key in keys]


def test_an_aircraft_is_in_one_shard_however_its_address_is_written():
    """Spellings of one address go where the records of its key go."""
    shards = ShardMap(Stream(8).list_shards())
    for address in AIRCRAFT:
        spelled = [update(one) for one in (address.upper(), address.lower(), f" {address} ")]
        assert len(set(shards.places_of(addresses(spelled)))) == 1


def test_a_full_envelope_waits_a_moment_for_those_of_the_other_shards():
    """Under load all shards' envelopes fill up together, and one call for all of them costs less than one for each."""
    enveloper, _, (of_first, of_second) = of_shards(2)
    assert enveloper.add(of_first, Interval(), 0.0), "the dispatcher has to know from when on it waits"
    assert next_batch(enveloper, 0.0) == []
    assert enveloper.seconds_until_due(0.0) == pytest.approx(GATHER_SECONDS)
    assert not enveloper.add(of_second[:1], Interval(), 0.005)
    assert enveloper.add(of_second[1:], Interval(), 0.01), "nothing is left to wait for"
    assert enveloper.seconds_until_due(0.01) == 0
    assert len(next_batch(enveloper, 0.01)) == 2


def test_a_full_envelope_goes_alone_if_the_others_take_longer():
    """A shard whose aircraft are silent holds up no other one."""
    enveloper, _, (of_first, of_second) = of_shards(2)
    enveloper.add(of_first, Interval(), 0.0)
    enveloper.add(of_second[:1], Interval(), 0.0)
    assert [one.count for one in next_batch(enveloper, GATHER_SECONDS)] == [8]


def test_a_full_envelope_waits_for_none_that_failed():
    """One that waits to be sent again may wait for seconds; what is full beside it goes as if it were not there."""
    enveloper, stream, (of_first, of_second, of_third) = of_shards(3)
    enveloper.add(of_first, Interval(), 0.0)
    [failed] = next_batch(enveloper, 0.0, hurry=True)
    enveloper.settle([failed], [None], 0.0)
    assert enveloper.add(of_second, Interval(), 0.1), "the dispatcher has to know from when on it waits"
    assert enveloper.seconds_until_due(0.1) == pytest.approx(GATHER_SECONDS)
    assert enveloper.add(of_third, Interval(), 0.11), "nothing is left to wait for"
    others = next_batch(enveloper, 0.11)
    assert len(others) == 2
    enveloper.settle(others, [stream.put(other) for other in others], 0.2)
    assert next_batch(enveloper, 4.9) == []
    assert next_batch(enveloper, 5.0) == [failed]


def test_each_interval_gets_its_own():
    """An envelope may hold updates of several token intervals; each counts its own acknowledgements."""
    enveloper, stream = of_one_shard()
    intervals = [Interval(), Interval()]
    enveloper.add([update("A"), update("B")], intervals[0], 0.0)
    enveloper.add([update("C")], intervals[1], 0.0)
    [record] = next_batch(enveloper, 0.0, hurry=True)
    settled = enveloper.settle([record], [stream.put(record)], 0.0)
    assert settled == (3, sum(len(one.data) for one in record.updates), 0)
    assert [interval.acknowledged for interval in intervals] == [2, 1]


def test_an_update_too_large_for_an_envelope_goes_by_its_own_key():
    """It is a record of the other format: Kinesis chooses its shard, and no reader has to pass over it."""
    enveloper, stream = of_one_shard()
    large = update("A", size=MAX_RECORD_BYTES - 200)
    enveloper.add([update("B"), large, update("C")], Interval(), 0.0)
    sent = []
    for _ in range(3):
        [record] = next_batch(enveloper, 0.0, hurry=True)
        sent.append((record.key, record.hash_key, [one.icao_address for one in record.updates]))
        enveloper.settle([record], [stream.put(record) if record.hash_key else ""], 0.0)
    assert sent == [
        ("shardId-000000000000", "0", ["B"]),
        ("A", None, ["A"]),
        ("shardId-000000000000", "0", ["C"]),
    ]


def test_many_shards_take_turns():
    """Where a call cannot hold an envelope of every shard, those left out go first in the next one."""
    stream = Stream(40)
    enveloper = EnvelopeOutbox(lambda: ShardMap(stream.list_shards()), lambda _: 1.0)
    updates = [update(f"{number:06X}", size=400 * 1024) for number in range(200)]
    enveloper.add(updates, Interval(), 0.0)
    served = Counter()
    for _ in range(8):
        batch = next_batch(enveloper, 0.0, hurry=True)
        served.update(record.key for record in batch)
        enveloper.settle(batch, [stream.put(record) for record in batch], 0.0)
    assert max(served.values()) - min(served[shard_id] for *_, shard_id in stream.open) <= 1


def test_nothing_is_sorted_again_while_an_answer_is_missing():
    """What is on its way to Kinesis may have been taken: sorted and sent again before its answer, it would be twice."""
    stream = Stream(2)
    enveloper = EnvelopeOutbox(lambda: ShardMap(stream.list_shards()), lambda _: 1.0)
    places = dict(zip(AIRCRAFT, ShardMap(stream.list_shards()).places_of(AIRCRAFT), strict=True))
    calls = []
    for place in (0, 1):
        enveloper.add([update(key) for key in AIRCRAFT if places[key] == place], Interval(), 0.0)
        calls.append(next_batch(enveloper, 0.0, hurry=True))
    stream.split(0)
    [misplaced], [on_its_way] = calls
    enveloper.settle([misplaced], [stream.put(misplaced)], 0.0)
    assert next_batch(enveloper, BETWEEN_READS_SECONDS, hurry=True) == []
    assert enveloper.seconds_until_due(BETWEEN_READS_SECONDS, others_in_flight=True) is None
    enveloper.settle([on_its_way], [stream.put(on_its_way)], 0.0)
    again = next_batch(enveloper, BETWEEN_READS_SECONDS, hurry=True)
    assert sorted(one.icao_address for record in again for one in record.updates) == [
        key for key in AIRCRAFT if places[key] == 0
    ]


def test_a_list_of_shards_that_lags_behind_is_not_asked_for_all_the_time():
    """By an old list every envelope lands elsewhere: once a second is often enough to find that out."""
    stream, listed = Stream(1), []
    before = ShardMap(stream.list_shards())

    def lagging():
        listed.append(now)
        return before if now < 3 else ShardMap(stream.list_shards())

    now = 0.0
    enveloper = EnvelopeOutbox(lagging, lambda _: 0.0)
    stream.split(0)
    interval = Interval()
    enveloper.add([update(key) for key in AIRCRAFT], interval, now)
    while interval.acknowledged < len(AIRCRAFT):
        batch = next_batch(enveloper, now, hurry=True)
        enveloper.settle(batch, [stream.put(record) for record in batch], now)
        now += 0.01
    assert listed == pytest.approx([0, 1, 2, 3], abs=0.05)


def test_shards_that_may_not_be_listed_end_the_run():
    """A missing permission is no reason to wait: it comes out as the error the reader gets."""

    def refused():
        raise PublishError("may not")

    enveloper = EnvelopeOutbox(refused, lambda _: 1.0)
    enveloper.add([update("A")], Interval(), 0.0)
    with pytest.raises(PublishError, match="may not"):
        enveloper.prepare(0.0)
