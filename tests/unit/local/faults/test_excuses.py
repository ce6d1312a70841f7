"""What excuses a double: what ends a process or loses the answer to a write, and nothing that merely happened."""

from __future__ import annotations

from collections import Counter

import pytest

from local.faults.aws.calls import Call
from local.faults.aws.plan import FaultKind
from local.faults.excuses import alerted_twice_by, doubled_by, may_leave_something, outlived_its_lease, that_happened
from local.faults.timed.processes import ProcessFault, ProcessKind
from local.faults.waits import LEASE_SECONDS
from local.function_names import ALERTS, ARCHIVE, CONSUMER
from local.runtime.invocation import InvocationResult


def fault(kind, function=CONSUMER, seconds=0.0):
    """A fault of a process."""
    return ProcessFault(kind=kind, function=function, at=1.0, seconds=seconds)


def lost(caller, service, operation, kind=FaultKind.ANSWER_LOST):
    """One call of a function whose answer was lost."""
    return Counter({(Call(caller, service, operation), kind): 1})


def run(*, error=None, **payload):
    """What a run of the consumer gave back."""
    return InvocationResult("id", payload, error, 1.0)


GRACEFUL, AT_ITS_DEADLINE = run(graceful=True), run(graceful=False)
FAILED = run(error="Unhandled", errorType="CheckpointError")
LONG_PAUSE = fault(ProcessKind.PAUSED, seconds=LEASE_SECONDS)


@pytest.mark.parametrize(
    "cut_off", [fault(ProcessKind.KILLED), fault(ProcessKind.TIMED_OUT), LONG_PAUSE], ids=lambda one: one.kind
)
def test_a_process_that_was_cut_off_excuses_doubles(cut_off):
    """Killed, timed out, or frozen until its lease was over; another function's does not."""
    assert doubled_by([cut_off], Counter(), [GRACEFUL]) == {cut_off.name}
    assert not doubled_by([fault(cut_off.kind, ARCHIVE, cut_off.seconds)], Counter(), [GRACEFUL])


def test_a_pause_shorter_than_the_lease_excuses_nothing():
    """The process goes on, with all that it knows."""
    assert not doubled_by([fault(ProcessKind.PAUSED, seconds=LEASE_SECONDS / 3)], Counter(), [GRACEFUL])


@pytest.mark.parametrize("ended", [AT_ITS_DEADLINE, FAILED], ids=["between two tokens", "in error"])
def test_two_at_once_excuse_doubles_only_where_a_run_left_something_to_the_next(ended):
    """The next may be in the other environment, which does not know of it; one that ended at a token leaves nothing."""
    two = fault(ProcessKind.TWO_AT_ONCE)
    assert not doubled_by([two], Counter(), [GRACEFUL, GRACEFUL])
    assert doubled_by([two], Counter(), [GRACEFUL, ended]) == {"two at once"}
    assert not doubled_by([], Counter(), [GRACEFUL, ended])


@pytest.mark.parametrize("stopped", ["lease_held", "lease_lost"])
def test_two_are_at_once_wherever_one_met_the_other_s_lease(stopped):
    """The schedule's own ticks may begin a second run, too: a run that was refused or overtaken shows it."""
    met = run(graceful=stopped == "lease_held", stopped=stopped)
    assert doubled_by([], Counter(), [met, AT_ITS_DEADLINE]) == {"two at once"}
    assert doubled_by([], Counter(), [run(graceful=True, stopped="lease_held"), GRACEFUL]) == set()


def test_only_a_run_that_left_something_may_have_ended_before_an_answer():
    """One that only met another's lease, or ended at a token with all acknowledged, waits for no answer itself."""
    assert not may_leave_something(GRACEFUL)
    assert not may_leave_something(run(graceful=True, stopped="lease_held"))
    assert may_leave_something(AT_ITS_DEADLINE)
    assert may_leave_something(FAILED)


def test_a_lost_answer_of_kinesis_excuses_doubles():
    """The call was carried out and is sent again; one that was refused is no lost answer, nor is another function's."""
    call = "kinesis", "PutRecords"
    assert doubled_by([], lost(CONSUMER, *call), []) == {"answer_lost kinesis PutRecords"}
    assert not doubled_by([], lost(CONSUMER, *call, FaultKind.THROTTLED), [])
    assert not doubled_by([], lost(ARCHIVE, *call), [])


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("s3", "PutObject"),
        ("dynamodb", "PutItem"),
        ("dynamodb", "UpdateItem"),
        ("secretsmanager", "GetSecretValue"),
        ("s3", "GetObject"),
        ("s3", "HeadObject"),
        ("s3", "ListObjectsV2"),
        ("kinesis", "ListShards"),
        ("kinesis", "DescribeStreamSummary"),
    ],
)
def test_any_other_lost_answer_excuses_nothing(service, operation):
    """A checkpoint, a claim or a mark that was written all the same is recognised; a read changes nothing."""
    assert not doubled_by([], lost(CONSUMER, service, operation), [])
    assert not alerted_twice_by([], lost(ALERTS, service, operation))


def test_a_run_that_timed_out_by_itself_excuses_doubles():
    """Lambda ended it, whatever the schedule did."""
    timed_out = run(error="Unhandled", errorType="Sandbox.Timedout")
    assert doubled_by([], Counter(), [timed_out]) == {"Sandbox.Timedout"}


def test_an_alert_sent_twice_is_excused_by_what_happened_to_the_alerts_function():
    """A kill, or a lost answer of SNS."""
    killed = fault(ProcessKind.KILLED, ALERTS)
    assert alerted_twice_by([killed], lost(ALERTS, "sns", "Publish")) == {killed.name, "answer_lost sns Publish"}
    assert not alerted_twice_by([fault(ProcessKind.KILLED)], lost(CONSUMER, "kinesis", "PutRecords"))


def test_only_a_consumer_frozen_past_its_lease_outlived_it():
    """A shorter pause and another function's do not count."""
    assert outlived_its_lease([LONG_PAUSE])
    assert outlived_its_lease([fault(ProcessKind.TIMED_OUT)])
    assert not outlived_its_lease([fault(ProcessKind.PAUSED, seconds=LEASE_SECONDS / 3), fault(ProcessKind.KILLED)])
    assert not outlived_its_lease([fault(ProcessKind.TIMED_OUT, ARCHIVE)])


def test_what_was_drawn_and_never_came_did_not_happen():
    """Only what was counted as injected excuses anything."""
    drawn = [fault(ProcessKind.KILLED), LONG_PAUSE]
    assert that_happened(drawn, Counter({LONG_PAUSE.name: 1})) == [LONG_PAUSE]
