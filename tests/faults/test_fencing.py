"""Two consumers under the real runtime, one of them frozen past its lease: never do both commit."""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from itertools import groupby, islice

import pytest

from local.faults.aws.plan import FaultPlan
from local.faults.rig import Rig
from local.faults.schedule import FaultSchedule
from local.faults.schedule_run import ScheduleRun
from local.faults.timed.processes import ProcessFault, ProcessKind
from local.faults.traffic import FaultTraffic
from local.faults.waits import LEASE_SECONDS
from local.faults.worker import free_port
from local.function_names import CONSUMER
from tests.support.conditions import wait_until

PAUSE = ProcessFault(kind=ProcessKind.PAUSED, function=CONSUMER, at=0, seconds=LEASE_SECONDS)


def schedule(*processes, seed, updates=360, seconds=2.0):
    """A schedule in which two runs of the consumer may be under way, and nothing but this goes wrong."""
    return FaultSchedule(
        seed=seed,
        updates=updates,
        seconds=seconds,
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


class Freeze:
    """Freezes the consumer that commits first, until another has committed: by what happens, whatever time that takes.

    To a run it is its process faults.
    """

    def __init__(self, rig):
        self.injected = Counter()
        self._rig = rig
        self._thread = threading.Thread(target=self._run, name="freeze")
        self.start, self.join = self._thread.start, self._thread.join

    def _run(self):
        commits, consumer = self._rig.proxy.commits, self._rig.functions[CONSUMER]
        at_work: list[int] = []

        def only_who_commits():  # until the end; the other is gone once it has found the lease held
            at_work[:] = consumer.busy_processes()
            return commits and len(at_work) == 1

        wait_until(only_who_commits)
        (pid,) = at_work
        os.kill(pid, signal.SIGSTOP)
        self.injected[PAUSE.name] += 1
        first = commits[-1].owner
        try:
            wait_until(lambda: commits[-1].owner not in {first, None})
        finally:
            os.kill(pid, signal.SIGCONT)

    def stop(self):
        self._thread.join()

    def join_invocations(self):
        pass


@pytest.fixture(scope="module")
def patient_rig():
    """A rig whose consumer may be frozen for long before its timeout ends it."""
    made = Rig(free_port(), consumer_timeout=90)
    yield made
    made.close()


@pytest.fixture(scope="module")
def frozen(patient_rig):
    """A run in which the consumer is frozen past its lease, until another has begun and committed."""
    rig = patient_rig
    before = rig.functions[CONSUMER].log.total("LeaseLost")
    run = ScheduleRun(rig, schedule(PAUSE, seed=1001, updates=900, seconds=10.0))
    run._processes = Freeze(rig)  # type: ignore[assignment]  # as much of it as this run needs
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
    """A loser says so in its summary and counts the metric LeaseLost, once.

    The stream goes on when the frozen one wakes, so that there is something for it to commit. It need not be the only
    loser: two that find the lease run out at once race for it.
    """
    run, _, _, lost = frozen
    stopped = [result.payload.get("stopped") for result in run.results]
    assert stopped.count("lease_lost") == lost, stopped
    assert lost >= 1


def test_nothing_is_lost_or_miscounted_by_it(frozen):
    """What the two sent between them must be complete, in order, counted and alerted on correctly."""
    _, outcome, _, _ = frozen
    assert outcome.verdict.clean, outcome.verdict.notes


def test_of_two_that_begin_at_once_one_reads(patient_rig):
    """Two consumers that start in the same moment: one holds the lease, the other reads and doubles nothing."""
    twins = tuple(ProcessFault(kind=ProcessKind.TWO_AT_ONCE, function=CONSUMER, at=0.0) for _ in range(2))
    run = ScheduleRun(patient_rig, schedule(*twins, seed=1002))
    outcome = run.execute()
    stopped = [result.payload.get("stopped") for result in run.results]
    assert set(stopped) & {"lease_held", "lease_lost"}
    assert outcome.verdict.clean, outcome.verdict.notes
    assert outcome.verdict.duplicates == 0


def test_a_source_that_dies_is_no_schedule_that_held(patient_rig, monkeypatch):
    """Whatever was sent has arrived; the rest never was, and so nothing can be said of it.

    The last test: after trouble the rig starts its functions again, and each costs a cold start.
    """

    class Dying(FaultTraffic):
        def updates(self):
            yield from islice(super().updates(), 100)
            raise RuntimeError("no more")

    monkeypatch.setattr("local.faults.schedule_run.FaultTraffic", Dying)
    verdict = ScheduleRun(patient_rig, schedule(seed=1003)).execute().verdict
    assert (verdict.lost, verdict.unfinished, verdict.clean) == (0, 1, False)
    assert "the thread 'feed' ended with an error: RuntimeError: no more" in verdict.notes[0]
