"""A mapping over a real Kinesis API (moto): put, poll, invoke, across shards, until it is drained or stopped."""

from __future__ import annotations

import dataclasses
import math
import threading
import time

import pytest

from local.clock import SystemClock
from local.event_source_mapping import Pace, SilentListener
from local.runtime.invocation import ThrottledError
from tests.integration.local.event_source_mapping.conftest import TIMEOUT, Function, drained, eventually


def test_all_records_of_all_shards_arrive_once_and_in_order(stream, mapping):
    """What was put before and after the start is delivered, each shard in its own order."""
    source, function = stream(3), Function()
    source.put(*(f"key-{number}" for number in range(700)))
    running = mapping(source, function, BatchSize=50)
    eventually(lambda: len(function.ids()) == 700)
    source.put(*(f"key-{number}" for number in range(300)))
    assert drained(running)
    ids = function.ids()
    assert len(ids) == len(set(ids)) == 1000
    for shard in source.shards():
        numbers = [int(one.split(":")[1]) for one in ids if one.startswith(shard["ShardId"])]
        assert numbers == list(range(1, len(numbers) + 1))
    assert all(len({record["eventID"][:20] for record in event["Records"]}) == 1 for event in function.events)
    assert running.counters.consumed == running.counters.read == 1000
    assert running.iterator_age is not None


def test_latest_begins_at_the_start_and_misses_nothing_after_it(stream, mapping):
    """Records put before the start are not delivered; all put after `start` returned are."""
    source, function = stream(2), Function()
    source.put("before-1", "before-2", "before-3")
    running = mapping(source, function, StartingPosition="LATEST")
    source.put(*(f"after-{number}" for number in range(50)))
    assert drained(running)
    assert sorted(function.keys()) == sorted(f"after-{number}" for number in range(50))


def test_at_timestamp_begins_with_the_records_from_then_on(stream, mapping):
    """The timestamp tells where reading begins."""
    source, function = stream(1), Function()
    source.put("early")
    time.sleep(0.01)  # so that the two records have different times: there is no condition to wait for
    between = SystemClock().now()
    time.sleep(0.01)
    source.put("late")
    running = mapping(source, function, StartingPosition="AT_TIMESTAMP", StartingPositionTimestamp=between)
    assert drained(running)
    assert function.keys() == ["late"]


def test_a_window_closes_by_itself_and_the_rest_at_the_drain(stream, mapping):
    """A window of a second ends with its second; draining does not wait for the last one."""
    source = stream(1)
    function = Function(lambda event: {"state": {"seen": event["state"].get("seen", 0) + len(event["Records"])}})
    running = mapping(source, function, TumblingWindowInSeconds=1)
    source.put("a", "b")
    eventually(lambda: running.counters.windows_closed == 1)
    long = Function(function.answer)
    other = mapping(source, long, TumblingWindowInSeconds=900)
    assert drained(other)
    assert other.counters.windows_closed >= 1
    assert long.events[-1]["isFinalInvokeForWindow"]
    assert all(event["window"]["end"] > event["window"]["start"] for event in long.events)


def test_a_drain_does_not_wait_for_the_next_poll(stream, mapping):
    """Whoever ends a run waits for the drain: the tip is looked for at once, however far the next poll is."""
    source, function = stream(1), Function()
    running = mapping(source, function, start=False, pace=Pace(poll_interval=3600.0))
    source.put("one")
    running.start()
    eventually(lambda: running.counters.consumed == 1)
    source.put("two")
    assert drained(running)
    assert running.counters.consumed == 2


@pytest.mark.parametrize(("speed", "interval"), [(1.0, 1.0), (4.0, 0.25), (60.0, 0.1), (math.inf, 0.1), (0.5, 1.0)])
def test_polls_come_as_much_sooner_as_the_feed_runs_faster(speed, interval):
    """Within bounds: never later than Lambda polls, and never so often that reading is all the local AWS does."""
    assert Pace.at(speed) == dataclasses.replace(Pace(), poll_interval=interval, first_batch_waits=False)


def test_lanes_run_at_the_same_time_with_a_parallelization_factor(stream, mapping):
    """Two batches of one shard are in the function at once, and nothing is lost."""
    source = stream(1)
    together = threading.Barrier(2, timeout=TIMEOUT)
    met = threading.Event()

    def meet(_event):
        if not met.is_set():
            together.wait()
            met.set()

    function = Function(meet)
    source.put(*(f"key-{number}" for number in range(100)))
    running = mapping(source, function, ParallelizationFactor=2, BatchSize=10)
    assert drained(running)
    assert met.is_set()
    assert len(set(function.ids())) == 100


def test_a_throttled_function_gets_everything_in_the_end(stream, mapping):
    """Throttles delay and lose nothing, even with no retry allowed."""
    source, function = stream(1), Function()
    refusals = [ThrottledError(), ThrottledError(), ConnectionError("not yet")]

    def throttled_at_first(payload):
        if refusals:
            raise refusals.pop()
        return function(payload)

    source.put("a", "b")
    running = mapping(source, throttled_at_first, MaximumRetryAttempts=0)
    assert drained(running)
    assert function.keys() == ["a", "b"]
    assert (running.counters.throttles, running.counters.service_errors, running.counters.discarded) == (2, 1, 0)


def test_stopping_waits_for_the_invocation_that_is_under_way(stream, mapping):
    """After `stop` nothing is invoked any more, and the last invocation was let finish."""
    source = stream(1)
    entered, leave = threading.Event(), threading.Event()

    def slow(_event):
        entered.set()
        assert leave.wait(TIMEOUT)

    function = Function(slow)
    source.put(*["key"] * 5)
    running = mapping(source, function, BatchSize=1)
    assert entered.wait(TIMEOUT)
    stopping = threading.Thread(target=running.stop)
    stopping.start()
    stopping.join(0.2)  # a stop that does not wait is over by then
    assert stopping.is_alive()
    leave.set()
    stopping.join(TIMEOUT)
    assert not stopping.is_alive()
    assert len(function.events) == 1
    assert running.counters.consumed == 1


def test_an_invocation_that_ends_with_its_function_is_no_trouble_while_the_mapping_stops(stream, mapping):
    """Whoever ends a stack stops both; before that it is said, since it is tried again."""
    source, listener = stream(1), Troubles()
    entered, leave = threading.Event(), threading.Event()

    def ended(_event):
        entered.set()
        assert leave.wait(TIMEOUT)
        raise ConnectionError("the emulator ended")

    source.put("key")
    running = mapping(source, ended, listener=listener)
    assert entered.wait(TIMEOUT)
    running.stop(now=True)
    leave.set()
    running.stop()
    assert (listener.troubles, running.counters.service_errors) == ([], 1)
    entered.clear()
    running = mapping(source, ended, listener=listener)
    eventually(lambda: listener.troubles)


class Troubles(SilentListener):
    """Remembers each trouble."""

    def __init__(self):
        self.troubles = []

    def trouble(self, text):
        """Take note of it."""
        self.troubles.append(text)


def test_stopping_now_waits_for_nothing(stream, mapping):
    """`stop(now=True)` returns while the function is still at work."""
    source = stream(1)
    entered, leave = threading.Event(), threading.Event()

    def slow(_event):
        entered.set()
        leave.wait(TIMEOUT)

    source.put("key")
    running = mapping(source, Function(slow))
    assert entered.wait(TIMEOUT)
    running.stop(now=True)
    assert running.counters.consumed == 0
    leave.set()


def test_a_disabled_mapping_invokes_nothing_and_holds_up_nobody(stream, mapping):
    """It starts no poller, and counts as drained."""
    source, function = stream(1), Function()
    source.put("a")
    running = mapping(source, function, Enabled=False)
    assert drained(running)
    assert function.events == []
    assert running.counters.read == 0
