"""The local stack's clock, and how long to wait without progress."""

from __future__ import annotations

import subprocess
import sys
import time

from local import clock
from local.clock import StallTimeout, SystemClock
from tests.manual_clock import ManualClock


def test_a_clock_that_is_stepped_changes_nothing(monkeypatch):
    """The machine's clock jumps by a day, as when a time server is reached at last: the run's does not."""
    before = SystemClock().now()
    monkeypatch.setattr(time, "time", lambda: before + 86_400)
    assert 0 <= SystemClock().now() - before < 3_600


def test_another_process_has_the_same_time():
    """Moto notes arrivals in a separate process; what its clock says lies between two looks at ours."""
    script = (
        "import sys; from local import clock; clock.take_over(float(sys.argv[1])); print(clock.SystemClock().now())"
    )
    before = SystemClock().now()
    arguments = [sys.executable, "-c", script, repr(clock.offset() - 5_000)]
    moto_time = float(subprocess.run(arguments, capture_output=True, check=True).stdout)
    assert before <= moto_time + 5_000 <= SystemClock().now()


def test_stalled_is_the_time_in_which_somebody_looked():
    """Frozen for an hour, a process has waited for a second more; progress restarts it."""
    time_passes = ManualClock()
    stalled = StallTimeout(10, time_passes)
    time_passes.advance(3_600)
    assert not stalled.expired()
    for _ in range(9):
        time_passes.advance(1)
        assert not stalled.expired()
    stalled.restart()
    for _ in range(10):
        time_passes.advance(1)
        assert not stalled.expired()
    time_passes.advance(-3_600)
    assert not stalled.expired()
    time_passes.advance(0.5)
    assert stalled.expired()
