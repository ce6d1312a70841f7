"""What `pipenv run chaos` draws from a seed, sums up and tells; the schedules themselves run in `tests/faults`."""

from __future__ import annotations

import dataclasses
from collections import Counter

import pytest

from local.audit.envelope import ENVELOPE, SINGLE
from local.faults import __main__ as chaos
from local.faults.outcome import Outcome
from local.faults.pool import Pool
from local.faults.schedule import FaultSchedule
from local.faults.stream.fault import UpstreamKind
from local.faults.traffic import has_wrong_times
from local.faults.verdict import Verdict
from local.function_names import AGGREGATOR


def test_a_third_of_the_schedules_draws_envelopes():
    """Both formats are tried by whoever gives no format."""
    drawn = [FaultSchedule.draw(seed).record_format for seed in range(300)]
    assert 70 < drawn.count(ENVELOPE) < 130
    assert drawn.count(ENVELOPE) + drawn.count(SINGLE) == 300


def test_shards_change_in_some_schedules_of_either_format():
    """Resharding is drawn apart from the format."""
    drawn = [FaultSchedule.draw(seed) for seed in range(300)]
    assert {one.record_format for one in drawn if one.reshards} == {SINGLE, ENVELOPE}
    assert any(not one.reshards for one in drawn)


def test_tokens_are_refused_where_ingestion_times_are_wrong():
    """A recovery goes by ingestion times: what it does with wrong ones is tried in one schedule of six."""
    drawn = [FaultSchedule.draw(seed) for seed in range(1, 201)]
    wrong = [one for one in drawn if has_wrong_times(one.seed)]
    refused = [one for one in wrong if any(fault.kind is UpstreamKind.TOKEN_REFUSED for fault in one.upstream)]
    assert 30 < len(wrong) < 70
    assert len(wrong) * 0.6 < len(refused) < len(wrong)


def test_live_objects_are_refused_for_longer_than_a_write_is_tried():
    """In some schedules; what is owed then is written before the next one is refused."""
    drawn = [rule for seed in range(200) for rule in FaultSchedule.draw(seed).aws.rules if rule.caller == AGGREGATOR]
    runs = [sorted(rule.calls) for rule in drawn if (rule.service, rule.operation) == ("s3", "PutObject")]
    assert 30 < len(runs) < 120
    in_a_row = [calls for calls in runs if {calls[0] + 1, calls[0] + 2} <= set(calls)]
    assert in_a_row
    assert all(later - calls[2] > 2 for calls in in_a_row for later in calls[3:4])


def test_a_schedule_says_how_many_runs_it_can_fail():
    """Seed 118 refuses two requests with 401 and kills a run, and all three may come when nothing else does."""
    schedule = FaultSchedule.draw(118)
    refusals = [fault.count for fault in schedule.upstream if fault.status is not None]
    assert (refusals, len(schedule.processes)) == ([2], 1)
    assert "ConsumerFunction" not in {rule.caller for rule in schedule.aws.rules}  # none of them fails the consumer
    assert schedule.failing == 3


@pytest.mark.parametrize("seed", range(5))
def test_the_format_changes_nothing_else_of_a_seed(seed):
    """The same faults can be tried on the other format."""
    single, envelope = (FaultSchedule.draw(seed, one) for one in (SINGLE, ENVELOPE))
    assert single != envelope
    assert dataclasses.replace(single, record_format=ENVELOPE) == envelope
    assert FaultSchedule.draw(seed) in {single, envelope}


@pytest.mark.parametrize(
    ("asked", "again"),
    [
        (None, "pipenv run chaos --schedules 1 --seed 7 --verbose"),
        (ENVELOPE, "pipenv run chaos --schedules 1 --seed 7 --record-format envelope --verbose"),
    ],
)
def test_a_failing_seed_comes_with_the_command_that_runs_it_again(monkeypatch, asked, again):
    """The command has the format, too, where the seed alone would draw another one."""
    outcomes = [
        Outcome(6, SINGLE, Verdict(), Counter(), 1.0),
        Outcome(7, ENVELOPE, Verdict(lost=2, notes=["lost lines: 3, 4"]), Counter(stall=1), 1.0),
    ]
    monkeypatch.setattr(Pool, "outcomes", lambda _pool, _seeds: iter(outcomes))
    messages = []
    totals = chaos.run([6, 7], workers=1, verbose=False, tell=messages.append, record_format=asked)
    assert messages[0].startswith("2 schedules, 1 at a time")
    assert messages[1] == "schedule 6, single: held in 1.0 s (no fault); 1 of 2, 1 min left"
    assert messages[2:] == [
        "schedule 7, envelope: FAILED in 1.0 s (stall 1); 2 of 2",
        "    lost lines: 3, 4",
        f"    again: {again}",
    ]
    report = totals.as_json()
    assert (report["schedules"], report["envelope_schedules"], report["lost"]) == (2, 1, 2)
    assert report["failing_seeds"] == [7]
