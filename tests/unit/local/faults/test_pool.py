"""The processes that run schedules: none of the seeds is left unfinished because one of them ends."""

from __future__ import annotations

import pytest

from local.faults.pool import Pool
from tests.support import pool_workers


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Run the seeds 1 to 4 on two processes of a kind; return the outcomes by seed, and what was printed."""
    monkeypatch.setenv(pool_workers.FOLDER, str(tmp_path))

    def do(target):
        messages = []
        outcomes = list(Pool(2, messages.append, target=target).outcomes([1, 2, 3, 4]))
        assert sorted(one.seed for one in outcomes) == [1, 2, 3, 4]
        return {one.seed: one for one in outcomes}, messages

    return do


def test_a_schedule_whose_process_ends_is_tried_again(run):
    """Another process takes its place; a message says so."""
    outcomes, messages = run(pool_workers.ends_once)
    assert all(one.verdict.clean for one in outcomes.values())
    assert messages == ["schedule 2: the harness failed, and tries again: the worker's process ended with 9"]


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        (pool_workers.ends_always, "the worker's process ended with 9"),
        (pool_workers.fails_always, "OSError: no port"),
    ],
)
def test_a_schedule_that_cannot_be_brought_to_its_end_did_not_hold(run, target, reason):
    """The others are run all the same."""
    outcomes, _ = run(target)
    assert not outcomes[2].verdict.clean
    assert outcomes[2].verdict.unfinished == 1
    assert reason in outcomes[2].verdict.notes
    assert all(outcomes[seed].verdict.clean for seed in (1, 3, 4))
