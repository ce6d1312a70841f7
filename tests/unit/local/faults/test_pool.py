"""The processes that run schedules: none of the seeds is left unfinished because one of them ends."""

from __future__ import annotations

import pytest

from local.faults.pool import Pool
from tests.support import pool_workers
from tests.support.pool_workers import ENDS_ALWAYS, ENDS_ONCE, FAILS_ALWAYS, HOLDS, SEEDS


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """All seeds on two processes: each outcome, and what was printed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(pool_workers.FOLDER, str(tmp_path_factory.mktemp("begun")))
        messages = []
        return list(Pool(2, messages.append, target=pool_workers.work).outcomes(SEEDS)), messages


@pytest.fixture
def outcomes(ran):
    """The outcomes, by seed."""
    return {one.seed: one for one in ran[0]}


def test_each_seed_has_one_outcome(ran):
    """Those that fail, and those that are run after them."""
    assert sorted(one.seed for one in ran[0]) == list(SEEDS)


def test_a_schedule_that_fails_is_tried_again(ran):
    """Another process takes its place; a message says so, once for each."""
    reasons = dict.fromkeys((ENDS_ONCE, ENDS_ALWAYS), "the worker's process ended with 9")
    reasons[FAILS_ALWAYS] = "OSError: no port"
    begin = "the harness failed, and tries again"
    assert sorted(ran[1]) == [f"schedule {seed}: {begin}: {reason}" for seed, reason in reasons.items()]


def test_what_came_to_its_end_held(outcomes):
    """At the first try, or at the second."""
    assert all(outcomes[seed].verdict.clean for seed in (HOLDS, ENDS_ONCE))


@pytest.mark.parametrize(
    ("seed", "reason"), [(ENDS_ALWAYS, "the worker's process ended with 9"), (FAILS_ALWAYS, "OSError: no port")]
)
def test_a_schedule_that_cannot_be_brought_to_its_end_did_not_hold(outcomes, seed, reason):
    """The verdict says why."""
    assert not outcomes[seed].verdict.clean
    assert outcomes[seed].verdict.unfinished == 1
    assert reason in outcomes[seed].verdict.notes
