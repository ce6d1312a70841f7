"""Two consumers under the real runtime, one of them frozen past its lease: never do both commit."""

from __future__ import annotations

from itertools import groupby

import pytest

from local.faults.aws.plan import FaultPlan
from local.faults.schedule import CONSUMER, LEASE_SECONDS, FaultSchedule
from local.faults.schedule_run import ScheduleRun
from local.faults.timed.processes import ProcessFault, ProcessKind

pytestmark = pytest.mark.timeout(180)


def schedule(*processes, seed):
    """A schedule in which two runs of the consumer may be under way, and nothing but this goes wrong."""
    return FaultSchedule(
        seed=seed,
        updates=900,
        seconds=5.0,
        token_interval=0.2,
        consumers=2,
        batch_size=200,
        batching_window=0,
        upstream=(),
        aws=FaultPlan(),
        processes=processes,
    )


def owners(rig):
    """Who committed, in turns."""
    return [owner for owner, _ in groupby(one.owner for one in rig.proxy.commits if one.owner is not None)]


@pytest.fixture(scope="module")
def frozen(rig):
    """A run in which the consumer is frozen for longer than its lease while another may begin."""
    pause = ProcessFault(kind=ProcessKind.PAUSED, function=CONSUMER, at=1.2, seconds=LEASE_SECONDS + 2.0)
    before = rig.functions[CONSUMER].log.total("LeaseLost")
    run = ScheduleRun(rig, schedule(pause, seed=1001))
    outcome = run.execute()
    return run, outcome, owners(rig), rig.functions[CONSUMER].log.total("LeaseLost") - before


def test_another_takes_over_while_one_is_frozen(frozen):
    """A frozen consumer must not hold the stream up beyond its lease: another commits meanwhile."""
    _, outcome, turns, _ = frozen
    assert outcome.faults["paused_ConsumerFunction"] == 1
    assert len(turns) >= 2


def test_who_lost_the_lease_never_commits_again(frozen):
    """Once another has committed, the one that was frozen must not: no owner has a second turn."""
    _, _, turns, _ = frozen
    assert len(turns) == len(set(turns))


def test_the_losers_stop_is_seen(frozen):
    """The loser says so in its summary and counts the metric LeaseLost, once."""
    run, _, _, lost = frozen
    assert [result.payload.get("stopped") for result in run.results].count("lease_lost") == 1
    assert lost == 1


def test_nothing_is_lost_or_miscounted_by_it(frozen):
    """What the two sent between them must be complete, in order, counted and told right."""
    _, outcome, _, _ = frozen
    assert outcome.verdict.clean, outcome.verdict.notes


def test_of_two_that_begin_at_once_one_reads(rig):
    """Two consumers that start in the same moment: one holds the lease, the other reads and doubles nothing."""
    twins = tuple(ProcessFault(kind=ProcessKind.TWO_AT_ONCE, function=CONSUMER, at=0.0) for _ in range(2))
    run = ScheduleRun(rig, schedule(*twins, seed=1002))
    outcome = run.execute()
    stopped = [result.payload.get("stopped") for result in run.results]
    assert set(stopped) & {"lease_held", "lease_lost"}
    assert outcome.verdict.clean, outcome.verdict.notes
    assert outcome.verdict.duplicates == 0
