"""Three fault schedules over the real parts, always the same ones: every promise holds in each."""

from __future__ import annotations

import pytest

from local.faults import __main__ as chaos
from local.faults.schedule import FaultSchedule

SEEDS = (375, 66, 311)
"""Few, and all kinds of faults among them; `pipenv run chaos` plays as many as wanted."""

OF_THE_STREAM = {"disconnect", "cut_line", "cut_gzip", "stall", "not_listening", "token_refused", "status_401"}
OF_AWS = {"aws_throttled", "aws_answer_lost", "aws_partial", "aws_reset", "aws_server_error"}
OF_AWS |= {"aws_hot_keys", "aws_odd_answer", "aws_delayed"}
OF_PROCESSES = {"killed_ConsumerFunction", "paused_ConsumerFunction", "two_at_once_ConsumerFunction"}


@pytest.fixture(scope="module")
def totals():
    """What the schedules came to; what each failing one did is shown with a failing test."""
    return chaos.run(SEEDS, workers=1, verbose=False, tell=chaos.say)


def test_every_schedule_came_to_its_end(totals):
    """No schedule may hang, or leave a line without a place."""
    assert totals.schedules == len(SEEDS)
    assert totals.figures["unfinished"] == 0


def test_nothing_is_lost(totals):
    """Each line that was sent is in Kinesis or among the rejected ones."""
    assert totals.figures["lost"] == 0


def test_the_order_per_aircraft_is_kept(totals):
    """No update of an aircraft may come after a later one, whatever was refused or sent again in between."""
    assert totals.figures["out_of_order"] == 0


def test_only_a_kill_or_a_lost_answer_doubles_an_update(totals):
    """An update stands twice only where a process was killed or an answer lost, and none before the last commit."""
    assert totals.figures["duplicates_unexplained"] == 0


def test_the_window_rows_equal_a_recount(totals):
    """The rows, merged by their key, say what a plain count of the stream says."""
    assert totals.figures["windows_wrong"] == 0


def test_each_alert_is_sent_once(totals):
    """Every alert that the feed calls for is sent, and once in its suppression window."""
    assert totals.figures["alerts"] > 20
    assert totals.figures["alerts_missing"] == 0
    assert totals.figures["alerts_repeated"] == 0


def test_the_live_objects_show_the_newest_of_each_aircraft(totals):
    """The joined snapshots equal a recount of the stream, and nothing that a reader saw was older later."""
    assert totals.figures["snapshots_wrong"] == 0
    assert totals.figures["snapshots_went_back"] == 0


def test_nothing_that_is_shown_holds_a_token(totals):
    """Neither the live objects nor the API's answers."""
    assert totals.figures["secrets_shown"] == 0


def test_the_schedules_broke_something(totals):
    """A harness whose faults do not happen would prove nothing: most kinds of all four sorts must have happened.

    Not all: whether a run gets as far as a fault depends on the others, and on how busy the machine is.
    """
    kinds = set(totals.faults)
    assert len(OF_THE_STREAM & kinds) >= 5, kinds
    assert len(OF_AWS & kinds) >= 5, kinds
    assert len(OF_PROCESSES & kinds) >= 2, kinds
    assert {"shard_split", "shard_merge"} & kinds, kinds


def test_all_kinds_of_faults_are_drawn():
    """What has to happen is planned, each kind in at least one of the schedules."""
    drawn = [FaultSchedule.draw(seed) for seed in SEEDS]
    upstream = {fault.kind.value for one in drawn for fault in one.upstream}
    upstream |= {f"status_{fault.status}" for one in drawn for fault in one.upstream}
    assert upstream >= OF_THE_STREAM
    assert {f"aws_{rule.fault.kind.value}" for one in drawn for rule in one.aws.rules} >= OF_AWS
    assert {fault.name for one in drawn for fault in one.processes} >= OF_PROCESSES
    assert {"split", "merge"} <= {reshard.kind.value for one in drawn for reshard in one.reshards}


def test_the_schedules_tried_both_record_formats(totals):
    """The promises are those of either format."""
    assert 1 <= totals.envelope_schedules < len(SEEDS)


def test_a_seed_is_a_schedule():
    """A failing schedule is run again from its seed alone."""
    assert all(FaultSchedule.draw(seed) == FaultSchedule.draw(seed) for seed in SEEDS)
    assert len({FaultSchedule.draw(seed) for seed in SEEDS}) == len(SEEDS)
