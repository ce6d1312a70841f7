"""The publisher against a moto server that refuses, throttles and loses: nothing lost, every key in order."""

from __future__ import annotations

import random
import threading
from collections import defaultdict
from datetime import UTC, datetime
from typing import NamedTuple

import boto3
import pytest
from botocore.config import Config

from common.clock import SystemClock
from consumer.backoff import Backoff
from consumer.checkpoint.watermark import Interval
from consumer.errors import PublishError
from consumer.publish.limits import MAX_BATCH_RECORDS
from consumer.publish.publisher import Publisher
from consumer.publish.put_records import PutRecords
from consumer.publish.single_outbox import SingleOutbox
from consumer.stream.messages import StreamUpdate
from tests.integration.consumer.conftest import STREAM
from tests.support.conditions import wait_until
from tests.support.faulty_aws import Fault, FaultyProxy, PartlyFailingKinesis, client_error

READ_AT = datetime(2024, 3, 4, 23, 24, tzinfo=UTC)


def bare_client(endpoint=None):
    """Return a Kinesis client as the consumer's: without retries of its own."""
    config = Config(retries={"mode": "standard", "total_max_attempts": 1}, connect_timeout=3, read_timeout=5)
    return boto3.client("kinesis", endpoint_url=endpoint, config=config)


@pytest.fixture
def publish():
    """A function that starts a publisher to a Kinesis client; each is closed after the test."""
    started = []

    def start(kinesis, *, stream=STREAM, on_acknowledged=lambda: None, linger=0.01, **options):
        publisher = Publisher(
            PutRecords(kinesis, stream),
            outbox(linger),
            SystemClock(),
            on_acknowledged=on_acknowledged,
            **options,
        )
        publisher.start()
        started.append(publisher)
        return publisher

    yield start
    for publisher in started:
        publisher.close()


def outbox(linger=0.01):
    """Return what a run uses."""
    return SingleOutbox(Backoff(base=0.05, cap=5.0).delay, linger=linger)


class Put(NamedTuple):
    """What the reader puts: updates, their bytes, and their interval."""

    updates: list[StreamUpdate]
    read_bytes: int
    interval: Interval


def record(key, data, interval):
    """Return what becomes one record."""
    return Put([StreamUpdate(key, READ_AT, data=data)], len(data), interval)


def numbered(count, keys, interval=None):
    """Return updates 0, 1, ... in the order they are read, of so many aircraft."""
    interval = interval or Interval()
    interval.taken += count
    return [record(f"A{n % keys}", b'{"number":%d}' % n, interval) for n in range(count)]


def test_a_single_record_does_not_wait_for_a_second(state, publish):
    """With low traffic a record must go out by itself."""
    acknowledged = threading.Event()
    [record] = numbered(1, 1)
    publish(bare_client(), on_acknowledged=acknowledged.set).put(*record)
    assert acknowledged.wait(10)
    assert state.numbers == [0]
    assert record.interval.acknowledged == 1


def test_a_busy_stream_is_sent_in_full_calls(state, publish):
    """Records of many aircraft must share calls, none over 500 records, and all must arrive."""
    kinesis = PartlyFailingKinesis(state.kinesis)
    publisher = publish(kinesis, linger=10)
    for record in numbered(1200, 1200):
        publisher.put(*record)
    assert publisher.drain(20)
    assert max(len(call) for call in kinesis.calls) == MAX_BATCH_RECORDS
    assert sum(len(call) for call in kinesis.calls) == 1200
    assert state.numbers == list(range(1200))


@pytest.mark.parametrize("seed", range(3))
def test_order_per_aircraft_survives_partial_failures(state, publish, seed):
    """Whatever entries Kinesis refuses, each aircraft's updates must be in the stream once and in order."""
    chance = random.Random(seed)
    kinesis = PartlyFailingKinesis(bare_client(), fails=lambda *_: chance.random() < 0.3)
    publisher = publish(kinesis)
    interval = Interval()
    for record in numbered(60, 12, interval):
        publisher.put(*record)
    assert publisher.drain(30)
    assert state.numbers == list(range(60))
    assert all(numbers == sorted(numbers) for numbers in state.numbers_by_key().values())
    assert interval.acknowledged == 60
    assert publisher.counters.published == 60
    assert publisher.counters.retries > 0


@pytest.mark.parametrize(
    "error",
    [
        client_error("ProvisionedThroughputExceededException", 400),
        client_error("ThrottlingException", 400),
        client_error("LimitExceededException", 400),
        client_error("KMSThrottlingException", 400),
        client_error("InternalFailure", 500),
        client_error("ServiceUnavailable", 503),
        client_error("SomethingNew", 502),
    ],
    ids=lambda error: error.response["Error"]["Code"],
)
def test_order_per_aircraft_survives_refused_calls(state, publish, error):
    """A whole call that is throttled or fails at Kinesis must be sent again, in order, and nothing twice."""
    publisher = publish(PartlyFailingKinesis(bare_client(), raises=lambda call: error if call in (1, 3) else None))
    for record in numbered(24, 6):
        publisher.put(*record)
    assert publisher.drain(30)
    assert state.numbers == list(range(24))
    assert all(numbers == sorted(numbers) for numbers in state.numbers_by_key().values())


@pytest.mark.parametrize("fault", [Fault.LOST, Fault.ANSWER_LOST, Fault.SERVER_ERROR])
def test_a_broken_connection_loses_nothing(state, publish, aws, fault):
    """A call whose connection breaks must be sent again; what arrives twice must do so in order."""
    calls = []

    def plan(_method, _path, operation):
        calls.append(operation)
        return fault if len(calls) in (1, 2, 4) else Fault.NONE

    with FaultyProxy(aws, plan) as proxy:
        publisher = publish(bare_client(proxy.url))
        for record in numbered(24, 6):
            publisher.put(*record)
        assert publisher.drain(30)
        publisher.close()
    assert set(state.numbers) == set(range(24))
    assert (len(state.numbers) > 24) == (fault is Fault.ANSWER_LOST)
    for numbers in state.numbers_by_key().values():
        first = list(dict.fromkeys(numbers))
        assert first == sorted(first)


def test_a_refused_connection_is_tried_again(state, publish, aws):
    """Kinesis that cannot be reached for a moment must be tried again, not fail the run."""
    with FaultyProxy(aws, lambda *_: Fault.NONE) as proxy:
        address = proxy.url
    unreachable, reachable = bare_client(address), bare_client()
    tried = []

    class FirstUnreachable:
        def put_records(self, **request):
            tried.append(request)
            return (unreachable if len(tried) < 3 else reachable).put_records(**request)

    publisher = publish(FirstUnreachable())
    publisher.put(*numbered(1, 1)[0])
    assert publisher.drain(30)
    assert state.numbers == [0]
    assert publisher.counters.retries == 2


def test_draining_raises_that_the_stream_is_missing(state, publish):
    """A stream that is not there must end the waiting, with its name and what to do."""
    del state
    publisher = publish(bare_client(), stream="elsewhere")
    publisher.put(*numbered(1, 1)[0])
    with pytest.raises(PublishError, match=r"elsewhere.*read again.*Check that the stream exists"):
        publisher.drain(30)


@pytest.mark.parametrize("bound", [0, 10**9])
def test_putting_raises_that_the_stream_is_missing(state, publish, bound):
    """A fatal error must reach the reader in `put`, whether it waits there for room or not."""
    del state
    publisher = publish(bare_client(), stream="elsewhere", max_outstanding_bytes=bound)
    with pytest.raises(PublishError, match="elsewhere"):
        _put_for_ever(publisher)


def _put_for_ever(publisher):
    interval = Interval()
    while True:
        publisher.put(*record("A0", b"x", interval))


def test_an_unforeseen_error_is_reported(publish):
    """Whatever goes wrong while sending must reach the reader: a silent end of the thread would be a hang."""

    def broken_lease():
        raise RuntimeError("the clock stopped")

    publisher = publish(None, may_send=broken_lease)
    with pytest.raises(PublishError, match="the clock stopped"):
        _put_for_ever(publisher)


class Gate:
    """A Kinesis client whose calls wait until the gate is opened."""

    def __init__(self, kinesis):
        self.open = threading.Event()
        self.waiting = threading.Event()
        self._turn = threading.Lock()
        self._kinesis = kinesis

    def put_records(self, **request):
        self.waiting.set()
        assert self.open.wait(30)
        with self._turn:  # moto loses records of calls at the same moment
            return self._kinesis.put_records(**request)


@pytest.fixture
def gate(state):
    """A gate before Kinesis, opened at the end of the test."""
    gate = Gate(state.kinesis)
    yield gate
    gate.open.set()


def reader_that_puts(publisher, records):
    """Start a reader; return its thread and the list of what it has put."""
    done = []

    def put_all():
        for record in records:
            publisher.put(*record)
            done.append(record)

    reader = threading.Thread(target=put_all)
    reader.start()
    return reader, done


def test_put_waits_while_too_much_is_outstanding(state, publish, gate):
    """Back pressure: at the bound the reader must wait, and must go on once Kinesis has taken records."""
    publisher = publish(gate, max_outstanding_bytes=100)
    records = numbered(40, 40)
    reader, done = reader_that_puts(publisher, records)
    wait_until(lambda: publisher._bytes_in > 100)
    assert gate.waiting.wait(10)
    assert len(done) < 40
    assert sum(put.read_bytes for put in done) <= 100 + records[-1].read_bytes
    gate.open.set()
    reader.join(20)
    assert len(done) == 40
    assert publisher.drain(20)
    assert state.numbers == list(range(40))


@pytest.mark.parametrize("freed_by", ["interrupt", "abandon"])
def test_a_waiting_put_can_be_freed(publish, gate, freed_by):
    """A run that ends must free its reader from the back pressure, though Kinesis takes nothing."""
    publisher = publish(gate, max_outstanding_bytes=100)
    reader, done = reader_that_puts(publisher, numbered(40, 40))
    wait_until(lambda: publisher._bytes_in > 100)
    assert len(done) < 40
    getattr(publisher, freed_by)()
    reader.join(20)
    assert len(done) == 40


def test_drain_reports_when_time_is_up(publish, gate):
    """Drain must say that not all was acknowledged when its time is up, and leave the rest unacknowledged."""
    publisher = publish(gate)
    [record] = numbered(1, 1)
    publisher.put(*record)
    assert not publisher.drain(0.05)
    assert record.interval.acknowledged == 0


def test_an_answer_on_its_way_is_waited_for(state, publish, gate, monkeypatch):
    """What the run ended without may be known to the next: Kinesis took it, and it must not be sent again."""
    monkeypatch.setattr("consumer.publish.publisher._LAST_ANSWERS_SECONDS", 30)
    publisher = publish(gate)
    publisher.put(*numbered(1, 1)[0])
    assert gate.waiting.wait(10)
    assert not publisher.drain(0.05)
    publisher.close()
    threading.Timer(0.3, gate.open.set).start()
    assert list(publisher.unacknowledged()) == []
    assert state.numbers == [0]


def test_an_answer_that_does_not_come_is_not_waited_for_long(publish, gate):
    """Nothing is known of its updates, and the next run sends them again."""
    publisher = publish(gate)
    publisher.put(*numbered(1, 1)[0])
    assert gate.waiting.wait(10)
    publisher.close()
    assert list(publisher.unacknowledged()) == [b'{"number":0}']


def test_nothing_is_sent_without_the_lease(state, publish):
    """While the lease has run out nothing may be sent; once it is back, everything must be."""
    has_lease = threading.Event()
    kinesis = PartlyFailingKinesis(state.kinesis)
    publisher = publish(kinesis, may_send=has_lease.is_set)
    publisher.put(*numbered(1, 1)[0])
    assert not publisher.drain(0.05)
    assert kinesis.calls == []
    has_lease.set()
    assert publisher.drain(20)
    assert state.numbers == [0]


def test_an_abandoned_publisher_sends_nothing_more(state, publish, gate):
    """Once nothing can be committed any more, what waits must not be sent, and drain must not wait for it."""
    kinesis = PartlyFailingKinesis(gate)
    publisher = publish(kinesis, linger=0)
    for record in numbered(6, 1):
        publisher.put(*record)
    assert gate.waiting.wait(10)
    publisher.abandon()
    assert not publisher.drain(10_000)
    gate.open.set()
    wait_until(lambda: publisher.counters.published == 1)
    publisher.close()  # after what the dispatcher does upon that acknowledgement
    assert len(kinesis.calls) == 1
    assert state.numbers == [0]


def test_each_interval_gets_its_own_acknowledgements(state, publish):
    """An interval must count the acknowledgements of its own records, whatever order the answers come in."""
    chance = random.Random(5)
    publisher = publish(PartlyFailingKinesis(state.kinesis, fails=lambda *_: chance.random() < 0.3))
    taken = defaultdict(int)
    intervals = [Interval() for _ in range(5)]
    for number in range(60):
        interval = intervals[number // 12]
        taken[number // 12] += 1
        interval.taken += 1
        publisher.put(*record(f"A{number % 9}", b'{"number":%d}' % number, interval))
    assert publisher.drain(30)
    assert [interval.acknowledged for interval in intervals] == list(taken.values())


class ClearedAfterwards(threading.Event):
    """An event whose first `clear` loses the race against the first `set`: it clears what was set meanwhile."""

    def __init__(self):
        super().__init__()
        self._was_set = threading.Event()
        self._clears = 0

    def set(self):
        super().set()
        self._was_set.set()

    def clear(self):
        self._clears += 1
        if self._clears == 1:
            assert self._was_set.wait(10)
        super().clear()


def test_closing_is_noticed_at_any_moment(gate):
    """A close that falls between two steps of the dispatcher must not be missed: the run would hang."""
    publisher = Publisher(PutRecords(gate, STREAM), outbox(), SystemClock(), on_acknowledged=lambda: None)
    publisher._work = ClearedAfterwards()
    publisher.start()
    closing = threading.Thread(target=publisher.close, daemon=True)
    closing.start()
    closing.join(30)
    assert not closing.is_alive()


class SlowToPrepare(SingleOutbox):
    """Has to ask Kinesis something first, and gets no answer until the test allows it."""

    def __init__(self):
        super().__init__(Backoff(base=0.05, cap=5.0).delay, linger=0.0)
        self.is_asking, self.answer = threading.Event(), threading.Event()

    def prepare(self, _now):
        self.is_asking.set()
        self.answer.wait(30)


def test_closing_waits_for_no_question_to_kinesis(gate):
    """Shards that are not listed in time must not keep a run past its own; the answer then has nothing sent."""
    slow, failed = SlowToPrepare(), threading.Event()
    publisher = Publisher(
        PutRecords(gate, STREAM), slow, SystemClock(), on_acknowledged=lambda: None, on_error=failed.set
    )
    publisher.put(*numbered(1, 1)[0])
    publisher.start()
    assert slow.is_asking.wait(10)
    closing = threading.Thread(target=publisher.close, daemon=True)
    closing.start()
    closing.join(10)
    is_closed = not closing.is_alive()
    assert list(publisher.unacknowledged()) == [b'{"number":0}']
    slow.answer.set()
    publisher._dispatcher.join(10)
    assert is_closed
    assert not publisher._dispatcher.is_alive()
    assert not gate.waiting.is_set()
    assert not failed.is_set()
