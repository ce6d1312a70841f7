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
    made = rigs.Rig(free_port())
    yield made
    made.close()


def test_runs_without_progress_are_lengthened_until_there_is_some(hasty_rig):
    """A schedule is no failure of the product where no run can get anywhere: the promises hold with longer ones."""
    drawn = FaultSchedule.draw(1)
    quiet = dataclasses.replace(
        drawn, updates=50, seconds=0.5, upstream=(), aws=FaultPlan(), processes=(), reshards=(), deliver_twice=0.0
    )
    outcome = schedule_run.ScheduleRun(hasty_rig, quiet).execute()
    assert hasty_rig.consumer_timeout > SECRET_SECONDS
    assert hasty_rig.consumer_timeout == 2**outcome.lengthened
    assert outcome.verdict.clean, outcome.verdict.notes
