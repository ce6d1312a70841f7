"""How a run ends: in what order, and what happens when it does not."""

from __future__ import annotations

import threading

import pytest

from local.runtime.invocation import InvocationResult
from local.runtime.schedule import Schedule
from local.shutdown import Shutdown
from local.stack import ScheduleSettings
from tests.manual_clock import ManualClock
from tests.support.conditions import wait_until


class World:
    """Stands for the running system: a consumer that is asked to stop, a schedule, a mapping, and its own clock.

    Each wait is a step of time, in which `happens` may change something.
    """

    interval = 1.0

    def __init__(self, happens=lambda _world: None):
        self.calls = []
        self.under_way = 1
        self.errors = 0
        self.paused = False
        self.committed = self.delivered = False
        self.listens = True
        self.drains = True
        self.seconds = 0.0
        self._happens = happens

    # the clock
    def now(self):
        return self.seconds

    def wait(self, event, seconds):
        assert isinstance(event, threading.Event)
        self.seconds += seconds
        self._happens(self)
        return False

    # the consumer
    def terminate(self):
        self.calls.append("terminate")
        return self.listens

    # the schedule, and what ends as the consumer and the mappings do
    def pause(self):
        self.paused = True

    def resume(self):
        self.calls.append("resume")
        self.paused = False

    def stop(self):
        self.calls.append("stop")

    # the mapping
    def begin_drain(self):
        self.calls.append("begin to drain")

    def drain(self, timeout, _broken):
        self.calls.append(f"drain, within {timeout:.0f} s")
        return self.drains

    def end(self, **options):
        ending = Shutdown(
            self,
            [self],
            [self],
            self,
            committed=lambda: self.committed,
            delivered=lambda: self.delivered,
            progress=lambda: (self.committed, self.delivered),
            token_interval=2.0,
            **options,
        )
        return [step() for _, step in ending.steps]


def test_the_consumer_is_asked_to_stop_as_soon_as_all_stands_in_kinesis():
    """The next token then covers everything: one interval is waited for, not two."""

    def happens(world):
        if world.seconds > 3 and "terminate" in world.calls:
            world.committed, world.under_way = True, 0
        world.delivered = world.seconds > 1

    world = World(happens)
    assert world.end() == ["", "", ""]
    assert world.calls.count("terminate") == 1
    assert world.paused
    assert "resume" not in world.calls


def test_a_run_that_was_only_beginning_when_another_was_asked_is_asked_as_well():
    """It did not listen yet; nobody waits for it until its time is up."""

    def happens(world):
        world.under_way = max(0, 2 - world.calls.count("terminate"))

    world = World(happens)
    world.committed, world.under_way = True, 2
    assert world.end() == ["", "", ""]
    assert world.seconds < 1


def test_a_consumer_that_is_idle_after_the_last_commit_is_still_stopped_at_a_token():
    """All is committed and the run goes on reading: it is asked, and waited for."""

    def happens(world):
        if world.seconds > 2:
            world.under_way = 0

    world = World(happens)
    world.committed = True
    assert world.end() == ["", "", ""]
    assert world.calls[0] == "terminate"


def test_a_run_that_stopped_too_early_is_followed_by_another():
    """It stopped at a token before the last updates: the schedule goes on until they are committed."""

    def happens(world):
        world.delivered = True
        if world.seconds > 1 and "resume" not in world.calls:
            world.under_way = 0
        if "resume" in world.calls:
            world.under_way = 1
        if world.seconds > 5:
            world.committed, world.under_way = True, 0

    world = World(happens)
    assert world.end() == ["", "", ""]
    assert "resume" in world.calls


def test_an_end_that_never_comes_is_given_up_with_a_reason():
    """Nothing moves: after a while the run says so, kills the consumer, and still counts what there is."""
    world = World()
    world.listens = False
    first, second, third = world.end()
    assert "does not cover all that was sent" in first
    assert "no progress for" in first
    assert "did not stop within" in second
    assert third == ""
    assert world.calls[-2:] == ["drain, within 180 s", "stop"]


def test_runs_that_only_fail_are_not_waited_for_long():
    """Three failures without progress are enough to know."""

    def happens(world):
        world.errors += 1
        world.under_way = 0

    world = World(happens)
    reason = world.end()[0]
    assert "does not cover all that was sent" in reason
    assert "3 runs of the consumer failed" in reason
    assert "no progress for" not in reason
    assert world.seconds < 1


def test_where_runs_are_made_to_fail_more_of_them_are_waited_for():
    """A schedule of faults may fail several runs in a row, and the next one comes to the end all the same."""

    def happens(world):
        world.errors = min(world.errors + 1, 5)
        if world.seconds > 1:
            world.committed, world.under_way = True, 0

    assert World(happens).end(failed_runs=6)[0] == ""
    assert "does not cover all that was sent" in World(happens).end(failed_runs=5)[0]


def test_failures_with_progress_in_between_are_waited_for():
    """A consumer that fails and yet gets on will come to the end."""

    def happens(world):
        world.errors += 1
        world.delivered = not world.delivered
        if world.seconds > 2:
            world.committed, world.under_way = True, 0

    assert World(happens).end()[0] == ""


class SlowConsumer:
    """A consumer that the schedule has called, and that is not at work yet: it begins when the ending first waits."""

    def __init__(self):
        self.called, self.asked = threading.Event(), threading.Event()
        self.begins = threading.Event()
        self.under_way = self.errors = 0

    def invoke(self, _event):
        self.called.set()
        if self.begins.wait(5):
            self.under_way = 1
            assert self.asked.wait(20)
            self.under_way = 0
        return InvocationResult("id", {"graceful": True}, None, 1.0)

    def terminate(self):
        if self.under_way:
            self.asked.set()
        return self.under_way > 0


def test_a_run_that_is_just_about_to_begin_is_asked_to_stop_as_well():
    """Its event had left the queue when the schedule was paused: nobody else would ever end it before its timeout."""
    consumer, results = SlowConsumer(), []
    settings = ScheduleSettings("arn:rule", "arn:function", 60, enabled=True, maximum_event_age=60, maximum_retries=0)
    schedule = Schedule(settings, consumer.invoke, ManualClock(), speed=1.0, finished=results.append)
    schedule.start()
    wait_until(consumer.called.is_set)

    def begin(_world):
        consumer.begins.set()
        return consumer.asked.wait(0.001)

    world = World(begin)
    ending = Shutdown(
        consumer,
        [schedule],
        [],
        world,
        committed=lambda: True,
        delivered=lambda: True,
        progress=lambda: 0,
        token_interval=100_000.0,
    )
    assert [step() for _, step in ending.steps] == ["", "", ""]
    assert consumer.asked.is_set()
    assert len(results) == 1


@pytest.mark.parametrize("drains", [True, False])
def test_pollers_that_do_not_come_to_the_end_are_named(drains):
    """What was not consumed is no success."""

    def happens(world):
        world.under_way = 0

    world = World(happens)
    world.committed, world.drains = True, drains
    assert ("not consumed to its end" in world.end()[2]) is not drains


def test_all_pollers_begin_to_drain_before_one_is_waited_for():
    """Two mappings that drain one after the other would take twice the time; they look for the tip at once."""
    world = World()
    world.committed, world.under_way = True, 0
    other = World()
    calls = world.calls
    other.calls = calls
    ending = Shutdown(
        world,
        [world],
        [world, other],
        world,
        committed=lambda: True,
        delivered=lambda: True,
        progress=lambda: 0,
        token_interval=2.0,
    )
    for _, step in ending.steps:
        step()
    assert calls.count("begin to drain") == 2
    assert [one.partition(",")[0] for one in calls if "drain" in one] == ["begin to drain"] * 2 + ["drain"] * 2


def test_a_machine_that_slept_has_waited_for_nobody():
    """An hour passes between two looks, in which the consumer stood still as well: the run goes on to its good end."""

    def happens(world):
        if world.seconds < 3600:
            world.seconds += 3600
        if world.seconds > 3602:
            world.committed, world.under_way = True, 0

    assert World(happens).end() == ["", "", ""]
