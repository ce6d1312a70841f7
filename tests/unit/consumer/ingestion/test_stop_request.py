"""A stop asked for from outside: by SIGTERM, or by a limit in the event."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from consumer.ingestion.stop_request import StopRequest
from consumer.ingestion.summary import StopReason


class ManualClock:
    """A clock that the test moves."""

    def __init__(self):
        self.seconds = 100.0

    def monotonic(self):
        """Return the seconds it was moved to."""
        return self.seconds


@pytest.fixture
def handler():
    """A SIGTERM handler of somebody else's, as the runtime may have one; gives the signals it got."""
    got = []

    def note(number, _):
        got.append(number)

    previous = signal.signal(signal.SIGTERM, note)
    yield got, note
    signal.signal(signal.SIGTERM, previous)


def test_sigterm_asks_for_a_stop(handler):
    """A SIGTERM really sent to the process within the block is a reason to stop, and reaches nobody else."""
    request = StopRequest(ManualClock())
    with request.on_sigterm():
        assert request.reason is None
        os.kill(os.getpid(), signal.SIGTERM)
        assert request.reason is StopReason.REQUESTED
    assert handler[0] == []


def test_the_former_handler_is_back_after_the_block(handler):
    """After the block, by an error too, SIGTERM goes where it went before."""
    request = StopRequest(ManualClock())
    with pytest.raises(ValueError, match="inside"), request.on_sigterm():
        raise ValueError("inside")
    assert signal.getsignal(signal.SIGTERM) is handler[1]
    os.kill(os.getpid(), signal.SIGTERM)
    assert handler[0] == [signal.SIGTERM]
    assert request.reason is None


def test_on_another_thread_the_block_leaves_signals_alone(handler):
    """Python delivers signals to the main thread only; elsewhere the block is entered without one."""
    seen = []

    def enter():
        with StopRequest(ManualClock()).on_sigterm():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert seen == [handler[1]]


def test_a_limit_asks_for_a_stop_once_it_has_passed():
    """A run of 20 s is asked to stop from its 20th second on, and not before."""
    clock = ManualClock()
    request = StopRequest(clock, run_seconds=20)
    clock.seconds += 19.99
    assert request.reason is None
    clock.seconds += 0.01
    assert request.reason is StopReason.RUN_SECONDS


def test_without_a_limit_time_is_no_reason():
    """A run without a limit is never asked to stop by the clock."""
    clock = ManualClock()
    request = StopRequest(clock)
    clock.seconds += 1e9
    assert request.reason is None


def test_a_signal_comes_before_a_limit():
    """Where both hold, the summary tells of the signal: somebody wants the process gone."""
    request = StopRequest(ManualClock(), run_seconds=0)
    request.by_signal = True
    assert request.reason is StopReason.REQUESTED
