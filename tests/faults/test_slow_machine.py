"""A machine on which the consumer gets nowhere in the time its runs have gives them longer, and fails nothing."""

from __future__ import annotations

import dataclasses
import time

import pytest

from local.faults import rig as rigs
from local.faults import schedule_run
from local.faults.aws.calls import recognise
from local.faults.aws.commit_recorder import CommitRecorder
from local.faults.aws.plan import FaultPlan
from local.faults.schedule import FaultSchedule
from local.faults.worker import free_port
from local.shutdown import Shutdown

SECRET_SECONDS = 2.5


@pytest.fixture
def hasty_rig(monkeypatch):
    """A rig whose runs have a second, and that waits for nothing much longer; the API token alone takes more."""
    carry_out = CommitRecorder._carry_out

    def slow(proxy, request, upstream):
        if recognise(request).operation == "GetSecretValue":
            time.sleep(SECRET_SECONDS)
        return carry_out(proxy, request, upstream)

    monkeypatch.setattr(CommitRecorder, "_carry_out", slow)
    monkeypatch.setattr(rigs, "CONSUMER_TIMEOUT", 1)
    monkeypatch.setattr(rigs, "_STARTS", 0)
    monkeypatch.setattr(schedule_run, "_STALL_SECONDS", 1.0)
    monkeypatch.setattr(schedule_run, "FAILED_RUNS", 1)
    made = rigs.Rig(free_port())
    yield made
    made.close()


@pytest.fixture
def waits(monkeypatch):
    """How long the end of a schedule waited at most for the consumer's last run to stop."""
    seen = []

    class Watched(Shutdown):
        def _stop_consumer(self):
            seen.append(self._timeout)
            return super()._stop_consumer()

    monkeypatch.setattr(schedule_run, "Shutdown", Watched)
    return seen


def test_runs_without_progress_are_lengthened_until_there_is_some(hasty_rig, waits):
    """A schedule is no failure of the product where no run can get anywhere: the promises hold with longer ones."""
    drawn = FaultSchedule.draw(1)
    quiet = dataclasses.replace(
        drawn, updates=50, seconds=0.5, upstream=(), aws=FaultPlan(), processes=(), reshards=(), deliver_twice=0.0
    )
    outcome = schedule_run.ScheduleRun(hasty_rig, quiet).execute()
    assert hasty_rig.consumer_timeout > SECRET_SECONDS
    assert hasty_rig.consumer_timeout == 2**outcome.lengthened
    assert all(wait > hasty_rig.consumer_timeout for wait in waits)
    assert waits
    assert outcome.verdict.clean, outcome.verdict.notes
