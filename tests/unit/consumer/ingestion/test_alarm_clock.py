"""The alarm clock: it wakes the reader when reading is over, and never otherwise."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from consumer.ingestion.alarm_clock import AlarmClock

LONG = 20.0


@pytest.fixture
def run() -> Any:
    """A run's parts, as far as the alarm clock sees them; `woken` and `interrupted` are events."""
    parts = SimpleNamespace(woken=threading.Event(), interrupted=threading.Event(), brought_forward=threading.Event())
    parts.budget = SimpleNamespace(remaining=0.01, is_exhausted=False)
    parts.deadline = SimpleNamespace(bring_forward=lambda _seconds: parts.brought_forward.set())
    parts.stop_request = SimpleNamespace(reason=None)
    parts.processor = SimpleNamespace(has_uncommitted=True)
    parts.clock = AlarmClock(
        parts.budget,
        parts.deadline,
        parts.stop_request,
        parts.processor,
        SimpleNamespace(interrupt=parts.woken.set),  # type: ignore[arg-type]
        parts.interrupted.set,
    )
    return parts


def test_it_interrupts_all_when_the_time_is_up(run):
    """Whatever waits then must not outlast the run."""
    with run.clock.running():
        assert not run.interrupted.is_set()
        run.budget.is_exhausted = True
        assert run.interrupted.wait(LONG)
    assert not run.woken.is_set()


def test_a_stop_wakes_a_reader_that_has_nothing_left_to_commit(run):
    """It would otherwise wait for a line that may be long in coming; the deadline is brought forward at once."""
    with run.clock.running():
        run.stop_request.reason = "requested"
        assert run.brought_forward.wait(LONG)
        assert not run.woken.is_set()  # a token is still to come
        run.processor.has_uncommitted = False
        assert run.woken.wait(LONG)
    assert not run.interrupted.is_set()


def test_it_ends_with_the_block(run):
    """Its thread is gone soon after, and wakes nobody any more."""
    before = set(threading.enumerate())  # another test's may be about to end
    with run.clock.running():
        [thread] = {one for one in threading.enumerate() if one.name == "alarm-clock"} - before
    thread.join(LONG)
    assert not thread.is_alive()
