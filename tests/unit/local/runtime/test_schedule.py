"""The schedule's tick, and Lambda's queue for asynchronous invocations."""

from __future__ import annotations

import dataclasses
import json
import math
import threading

import pytest

from local.runtime.invocation import InvocationResult, ThrottledError
from local.runtime.schedule import AsynchronousQueue, Schedule, scheduled_event, tick_interval
from local.stack import ScheduleSettings
from tests.manual_clock import ManualClock
from tests.support.conditions import wait_until

SETTINGS = ScheduleSettings("arn:rule", "arn:function", 60, enabled=True, maximum_event_age=60, maximum_retries=0)
DONE = InvocationResult("id", {"graceful": True}, None, 1.0)
FAILED = InvocationResult("id", {"errorType": "E", "errorMessage": "m"}, "Unhandled", 1.0)


@pytest.mark.parametrize(("speed", "seconds"), [(1, 60), (10, 6), (60, 1), (600, 1), (math.inf, 1)])
def test_the_tick_is_as_much_faster_as_the_feed_but_at_least_a_second(speed, seconds):
    """A rule of one minute ticks every minute divided by the speed."""
    assert tick_interval(60, speed) == seconds


def test_the_event_is_what_eventbridge_sends(repository):
    """The function gets the same keys here, in `sam local invoke` and on AWS."""
    sample = json.loads((repository / "events" / "consumer.json").read_text())
    event = scheduled_event("arn:rule", 1_700_000_000)
    assert event.keys() == sample.keys()
    assert (event["source"], event["detail-type"]) == (sample["source"], sample["detail-type"])
    assert (event["time"], event["resources"], event["detail"]) == ("2023-11-14T22:13:20Z", ["arn:rule"], {})


def test_a_throttled_event_is_tried_again_ever_later():
    """A second, two, four: each throttle doubles the wait."""
    queue = AsynchronousQueue(600, 0)
    queue.put(b"{}", 0)
    waits = []
    now = 0.0
    for _ in range(4):
        event = queue.take(now)
        queue.throttled(event, now)
        waits.append(queue.wake_at() - now)
        assert queue.take(queue.wake_at() - 0.01) is None
        now = queue.wake_at()
    assert waits == [1, 2, 4, 8]


def test_an_event_past_its_age_is_discarded():
    """A tick that found the consumer at work for its whole age does nothing."""
    queue = AsynchronousQueue(60, 0)
    queue.put(b"{}", 0)
    assert queue.take(60.1) is None
    assert queue.wake_at() == math.inf


def test_age_and_waits_shrink_with_the_tick():
    """At sixtyfold speed an age of a minute is a second, and the first wait a sixtieth of one (at least 0.05 s)."""
    queue = AsynchronousQueue(60, 0, scale=1 / 60)
    queue.put(b"{}", 0)
    queue.throttled(queue.take(0), 0)
    assert queue.wake_at() == 0.05
    assert queue.take(1.01) is None
    assert queue.wake_at() == math.inf


def test_a_failed_event_is_not_repeated_when_no_retry_is_left():
    """With no retries a failure is the end of the event."""
    queue = AsynchronousQueue(600, 0)
    queue.put(b"{}", 0)
    queue.failed(queue.take(0), 0)
    assert queue.wake_at() == math.inf


def test_retries_wait_one_minute_and_two():
    """Lambda tries a failed event again after a minute, then after two, and then no more."""
    queue = AsynchronousQueue(600, 2)
    queue.put(b"{}", 0)
    queue.failed(queue.take(0), 0)
    assert queue.wake_at() == 60
    queue.failed(queue.take(60), 60)
    assert queue.wake_at() == 180
    queue.failed(queue.take(180), 180)
    assert queue.wake_at() == math.inf


class Consumer:
    """A function with reserved concurrency 1 whose runs last until the test ends them."""

    def __init__(self, result=DONE):
        self.events = []
        self.throttles = 0
        self._result = result
        self._slot = threading.Semaphore(1)
        self._end = threading.Semaphore(0)

    def __call__(self, event):
        if not self._slot.acquire(blocking=False):
            self.throttles += 1
            raise ThrottledError
        try:
            self.events.append(event)
            assert self._end.acquire(timeout=20)
            return self._result
        finally:
            self._slot.release()

    def end_run(self):
        self._end.release()


@pytest.fixture
def run_schedule():
    """Start schedules that end with the test."""
    started = []

    def run(consumer, settings=SETTINGS, speed=1.0, **options):
        clock, results = ManualClock(), []
        schedule = Schedule(settings, consumer, clock, speed=speed, finished=results.append, **options)
        started.append((schedule, consumer))
        schedule.start()
        return schedule, clock, results

    yield run
    for schedule, consumer in started:
        schedule.pause()
        for _ in range(10):
            consumer.end_run()
        schedule.stop()


def test_the_first_tick_is_at_once_and_the_next_a_minute_later(run_schedule):
    """Nobody waits a minute for the system to begin."""
    consumer = Consumer()
    _, clock, results = run_schedule(consumer)
    wait_until(lambda: len(consumer.events) == 1)
    consumer.end_run()
    wait_until(lambda: len(results) == 1)
    clock.advance(59)
    assert len(consumer.events) == 1
    clock.advance(1)
    wait_until(lambda: len(consumer.events) == 2)


def test_the_first_tick_can_be_put_off(run_schedule):
    """What has nothing to do at the start does not start cold beside what has."""
    consumer = Consumer()
    _, clock, _ = run_schedule(consumer, first_after=30.0)
    clock.advance(29)
    assert not consumer.events
    clock.advance(1)
    wait_until(lambda: len(consumer.events) == 1)


def test_a_tick_that_finds_a_run_under_way_follows_it(run_schedule):
    """The event waits in the queue, is throttled, and runs when the run before it is over."""
    consumer = Consumer()
    _, clock, results = run_schedule(consumer)
    wait_until(lambda: len(consumer.events) == 1)
    clock.advance(60)
    wait_until(lambda: consumer.throttles >= 1)
    assert len(consumer.events) == 1
    consumer.end_run()
    wait_until(lambda: len(results) == 1)
    clock.advance(5)
    wait_until(lambda: len(consumer.events) == 2)


def test_a_failed_run_is_reported_and_not_repeated(run_schedule):
    """Retries are 0: the next tick, not the queue, starts the next run."""
    consumer = Consumer(FAILED)
    _, clock, results = run_schedule(consumer)
    wait_until(lambda: len(consumer.events) == 1)
    consumer.end_run()
    wait_until(lambda: results == [FAILED])
    clock.advance(59)
    assert len(consumer.events) == 1


def test_a_paused_schedule_starts_nothing_until_it_is_resumed(run_schedule):
    """Pausing forgets what waits; resuming ticks at once."""
    consumer = Consumer()
    schedule, clock, results = run_schedule(consumer)
    wait_until(lambda: len(consumer.events) == 1)
    schedule.pause()
    consumer.end_run()
    wait_until(lambda: len(results) == 1)
    clock.advance(600)
    assert len(consumer.events) == 1
    schedule.resume()
    wait_until(lambda: len(consumer.events) == 2)


def test_a_rule_that_is_switched_off_starts_nothing_until_it_is_on_again(run_schedule):
    """What waited when it was switched off is forgotten; at the run's end the rule counts no more."""
    consumer, is_on = Consumer(), [True]
    schedule, clock, results = run_schedule(consumer, is_on=lambda: is_on[0])
    wait_until(lambda: len(consumer.events) == 1)
    clock.advance(60)
    wait_until(lambda: consumer.throttles >= 1)
    is_on[0] = False
    clock.advance(60)
    consumer.end_run()
    wait_until(lambda: len(results) == 1)
    clock.advance(600)
    assert len(consumer.events) == 1
    is_on[0] = True
    clock.advance(1)
    wait_until(lambda: len(consumer.events) == 2)
    is_on[0] = False
    consumer.end_run()
    wait_until(lambda: len(results) == 2)
    clock.advance(60)
    schedule.ignore_the_rule()
    wait_until(lambda: len(consumer.events) == 3)


def test_a_run_that_fails_while_the_schedule_is_paused_is_not_tried_again(run_schedule):
    """What waits is forgotten by pausing; what comes back later must not wait, either."""
    retried = dataclasses.replace(SETTINGS, maximum_event_age=600, maximum_retries=1)
    consumer = Consumer(FAILED)
    schedule, clock, results = run_schedule(consumer, retried)
    wait_until(lambda: len(consumer.events) == 1)
    schedule.pause()
    consumer.end_run()
    wait_until(lambda: len(results) == 1)
    clock.advance(61)
    schedule.resume()
    wait_until(lambda: len(consumer.events) == 2)
    assert consumer.events[1] != consumer.events[0]


def test_what_has_left_the_queue_is_under_way(run_schedule):
    """From the moment its event is taken until its result is reported."""
    consumer = Consumer()
    schedule, _, results = run_schedule(consumer)
    wait_until(lambda: len(consumer.events) == 1)
    assert schedule.under_way == 1
    consumer.end_run()
    wait_until(lambda: schedule.under_way == 0)
    assert results == [DONE]


def test_a_disabled_rule_never_ticks():
    """A schedule whose rule is disabled starts no thread at all."""
    consumer = Consumer()
    disabled = ScheduleSettings("arn:rule", "arn:function", 60, enabled=False, maximum_event_age=60, maximum_retries=0)
    schedule = Schedule(disabled, consumer, ManualClock(), speed=1.0, finished=[].append)
    before = set(threading.enumerate())
    schedule.start()
    assert set(threading.enumerate()) <= before
    schedule.stop()
