"""Signals that end a program: handled, unless it was started to ignore them."""

from __future__ import annotations

import itertools
import runpy
import signal
import sys
import threading

import pytest

from feeds.stopping import Stopping
from local import signals

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture
def inherited():
    """A function that has a signal ignored, as the program's parent may have; all are as before after the test."""
    previous = {number: signal.getsignal(number) for number in ENDING}
    yield lambda number: signal.signal(number, signal.SIG_IGN)
    for number, handler in previous.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", ENDING)
def test_each_of_them_is_handled_while_asked_for(inherited, number):
    """Not before and not afterwards."""
    del inherited
    before, seen = signal.getsignal(number), []
    with signals.handled_by(lambda number, _frame: seen.append(number)):
        signal.raise_signal(number)
    assert seen == [number]
    assert signal.getsignal(number) is before


@pytest.mark.parametrize("number", ENDING)
def test_one_that_is_ignored_stays_ignored(inherited, number):
    """`nohup` has a command outlive its terminal, a script's background job outlives Ctrl-C."""
    inherited(number)
    seen = []
    with signals.handled_by(lambda number, _frame: seen.append(number)):
        signal.raise_signal(number)
    with signals.ending_in_order():
        signal.raise_signal(number)
    assert seen == []
    assert signal.getsignal(number) is signal.SIG_IGN


def test_a_command_that_drains_goes_on_too(inherited):
    """`feeder` and `record` in a script's background."""
    inherited(signal.SIGINT)
    stopping = Stopping()
    with stopping.on_signals():
        signal.raise_signal(signal.SIGINT)
        assert not stopping.asked.is_set()
        signal.raise_signal(signal.SIGTERM)
        assert stopping.asked.is_set()


@pytest.mark.parametrize("is_ignored", [False, True])
def test_until_a_local_run_takes_ctrl_c_over_it_ends_the_program_or_stays_ignored(inherited, is_ignored):
    """Its imports take a second, in which nothing has been started yet."""
    if is_ignored:
        inherited(signal.SIGINT)
    runpy.run_module("local", run_name="imported")
    assert signal.getsignal(signal.SIGINT) is (signal.SIG_IGN if is_ignored else signal.SIG_DFL)


def test_an_event_may_be_set_between_any_two_instructions_of_a_wait():
    """As a signal's handler sets it, on the thread that waits."""
    woken = []

    def wait_and_set(moment):
        event, instructions = signals.SignalledEvent(), itertools.count(1)

        def trace(frame, _kind, _argument):
            frame.f_trace_opcodes = True
            if next(instructions) == moment:
                event.set()
            return trace

        sys.settrace(trace)
        has_come = event.wait(0.0)
        sys.settrace(None)
        return next(instructions) > moment, has_come, event.is_set()

    def all_moments():
        for moment in itertools.count(1):
            was_reached, has_come, is_set = wait_and_set(moment)
            if not was_reached:
                return
            woken.append((has_come, is_set))

    thread = threading.Thread(target=all_moments, daemon=True)
    thread.start()
    thread.join(20)
    assert not thread.is_alive(), f"waits for itself from instruction {len(woken) + 1} on"
    assert len(woken) > 20
    assert all(is_set for _, is_set in woken)


def test_everybody_who_waits_for_it_is_woken():
    """It is set once, and stays so."""
    event, woken = signals.SignalledEvent(), []
    threads = [threading.Thread(target=lambda: woken.append(event.wait())) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert not event.wait(-1)
    event.set()
    for thread in threads:
        thread.join()
    assert woken == [True] * 3
    assert event.wait()
    with pytest.raises(RuntimeError, match="stays asked for"):
        event.clear()
