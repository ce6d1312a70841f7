"""The deadline: what is left of it, and calls that never outlast it."""

from __future__ import annotations

import threading

import pytest

from common.clock import SystemClock
from consumer.deadline import Deadline
from consumer.errors import DeadlineError


class ManualClock:
    """A monotonic clock that a test moves; nobody may ask it for the wall time."""

    seconds = 1000.0

    def monotonic(self):
        return self.seconds


def test_what_is_left_follows_the_monotonic_clock_alone():
    """A wall clock that is stepped, as an NTP correction or a sleeping machine does, changes nothing."""
    clock = ManualClock()
    deadline = Deadline(clock, 10)
    clock.seconds += 4
    assert deadline.left == pytest.approx(6)
    assert deadline.cut(3) == pytest.approx(3)
    assert deadline.cut(100) == pytest.approx(6)
    assert deadline.cut(100, reserve=2) == pytest.approx(4)
    clock.seconds += 7
    assert deadline.is_over
    assert deadline.cut(100) == 0


def test_it_is_brought_forward_and_never_back():
    """A stop that is asked for leaves less time, and one asked for later leaves none of it again."""
    deadline = Deadline(ManualClock(), 100)
    deadline.bring_forward(30)
    deadline.bring_forward(50)
    assert deadline.left == pytest.approx(30)


def test_an_earlier_moment_moves_with_it():
    """The end of reading lies before the end of the run by what the end needs, which grows with a slow S3."""
    deadline, reserve = Deadline(ManualClock(), 100), [1.5]
    reading = deadline.earlier(lambda: reserve[0])
    assert reading.left == pytest.approx(98.5)
    reserve[0] = 7
    assert reading.left == pytest.approx(93)
    deadline.bring_forward(5)
    assert reading.is_over
    assert not deadline.is_over


def test_a_call_gives_what_it_gives():
    """A call that is done in time returns or raises as if it were made directly."""
    deadline = Deadline(SystemClock(), 60)
    assert deadline.call("a sum", lambda: 1 + 1) == 2
    with pytest.raises(ZeroDivisionError):
        deadline.call("a quotient", lambda: 1 // 0)


def test_a_call_that_hangs_is_left_behind():
    """Whatever a call waits for, who made it goes on at the deadline, and hears what was not done."""
    never = threading.Event()
    deadline = Deadline(SystemClock(), 60)
    threading.Timer(0.05, deadline.bring_forward, [0]).start()
    with pytest.raises(DeadlineError, match="the write: no answer"):
        deadline.call("the write", never.wait)
    never.set()


def test_after_the_deadline_no_call_is_made():
    """A call that could not be waited for must not be made at all."""
    made = []
    with pytest.raises(DeadlineError):
        Deadline(SystemClock(), 0).call("the write", lambda: made.append(1))
    assert not made
