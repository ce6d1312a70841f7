"""One invocation's result, and when it stops before its time runs out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from alerts.timeouts import LEAST_SECONDS
from alerts.turn import OutOfTimeError, Turn


def test_counts_of_several_threads_add_up():
    """Alerts are sent side by side."""
    turn = Turn(lambda: 60.0)
    with ThreadPoolExecutor(4) as threads:
        for _ in range(200):
            threads.submit(turn.count, notified=1, suppressed=2, unmarked=3)
    assert (turn.result.notified, turn.result.suppressed, turn.result.unmarked) == (200, 400, 600)


def test_it_stops_when_another_alert_may_not_fit():
    """What is left is sent again by the next invocation, rather than cut off in the middle."""
    turn = Turn(lambda: LEAST_SECONDS - 0.1, something_done=True)
    with pytest.raises(OutOfTimeError):
        turn.check_time()
    Turn(lambda: LEAST_SECONDS, something_done=True).check_time()


def test_something_is_tried_with_any_time_that_is_left():
    """An invocation that does nothing would be given the same batch for ever."""
    turn = Turn(lambda: 0.0)
    turn.check_time()
    turn.something_done = True
    with pytest.raises(OutOfTimeError):
        turn.check_time()
