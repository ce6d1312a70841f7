"""Signals that end a program: handled, unless it was started to ignore them."""

from __future__ import annotations

import runpy
import signal

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
