"""The state machine of `reprocess --stack`: what it calls its role may call, and nothing else."""

from __future__ import annotations

import json
import re

import pytest

from tests.support import cloudwatch
from tests.support.cloudwatch import ALARM, OK, Metrics
from tests.support.resolved_template import ResolvedTemplate
from tests.unit.template.test_roles import as_list, statements
from tools.reprocess import attempts, deployed


@pytest.fixture
def states(resources):
    """The state machine's states, by their name."""
    return resources["ReprocessStateMachine"]["Properties"]["Definition"]["States"]


@pytest.fixture
def maps(states):
    """Those that are maps whose children are executions."""
    return {name: state for name, state in states.items() if state["Type"] == "Map"}


def _of_all(states):
    """Yield all states, those inside of others too."""
    for state in states.values():
        yield state
        yield from _of_all(state.get("ItemProcessor", {}).get("States", {}))


def test_its_role_may_call_what_the_steps_call(resources, states, maps):
    """The functions of its tasks, and where its results go."""
    tasks = [state for state in _of_all(states) if state["Type"] == "Task"]
    assert len(tasks) == 5
    called = {json.dumps(task["Parameters"]["FunctionName"]) for task in tasks}
    by_sid = {each["Sid"]: each for each in statements(resources["ReprocessRole"]["Properties"])}
    assert by_sid.keys() == {"ArchiveHoursAndMakeFlights", "KeepResults", "UseKeyInS3"}
    invoke = by_sid["ArchiveHoursAndMakeFlights"]
    assert invoke["Action"] == "lambda:InvokeFunction"
    assert {json.dumps(resource) for resource in as_list(invoke["Resource"])} == called
    (written,) = {json.dumps(one["ResultWriter"]["Parameters"]) for one in maps.values()}
    assert json.loads(written) == {"Bucket": {"Ref": "DataBucket"}, "Prefix": attempts.RESULTS.rstrip("/")}
    assert by_sid["KeepResults"]["Resource"] == {"Fn::Sub": f"${{DataBucket.Arn}}/{attempts.RESULTS}*"}


def test_its_role_may_start_and_follow_its_own_children_alone(resources, maps):
    """As the developer guide has it for a distributed map; the executions of no other state machine."""
    policy = resources["ReprocessChildrenPolicy"]["Properties"]
    assert policy["Roles"] == [{"Ref": "ReprocessRole"}]
    start, follow = policy["PolicyDocument"]["Statement"]
    assert (start["Action"], start["Resource"]) == ("states:StartExecution", {"Ref": "ReprocessStateMachine"})
    executions = [resource["Fn::Sub"].partition(":execution:")[2] for resource in follow["Resource"]]
    own = "${ReprocessStateMachine.Name}"
    assert executions == [f"{own}:*", *(f"{own}/{state['Label']}:*" for state in maps.values())]


def test_the_command_knows_its_maps_and_its_input(maps):
    """Labels by which results are found, and a value for each path of the input."""
    labels = {state["Label"] for state in maps.values()}
    assert labels == maps.keys() == {deployed._HOURS, deployed._DAYS}
    paths = {value for state in maps.values() for name, value in state.items() if name.endswith("Path") and value}
    assert paths == {"$.hours", "$.days", "$.workers", "$.tolerated_failures"}
    inner = maps["MakeFlights"]["ItemSelector"]
    assert inner["part_workers.$"] == "$.part_workers"


def test_the_schedule_gives_what_the_machine_takes(resources):
    """All that the command gives but the days, which the function finds."""
    (target,) = resources["FlightsSchedule"]["Properties"]["Targets"]
    given = json.loads(target["Input"]["Fn::Sub"])
    assert given.keys() == {"hours", "in_parts", "workers", "part_workers", "tolerated_failures"}
    assert (given["hours"], given["in_parts"]) == ([], "${FlightsInParts}")
    (start,) = statements(resources["FlightsScheduleRole"]["Properties"])
    assert (start["Action"], start["Resource"]) == ("states:StartExecution", target["Arn"])


def test_children_have_as_long_as_a_run_takes(resources, maps):
    """An express execution ends after 5 minutes (Step Functions' quotas)."""
    assert {state["ItemProcessor"]["ProcessorConfig"]["ExecutionType"] for state in maps.values()} == {"STANDARD"}
    assert resources["ArchiveFunction"]["Properties"]["Timeout"] == 900


def test_results_are_kept_as_long_as_executions_are_known(resources):
    """90 days: what a run before has done is then not done again."""
    rules = resources["DataBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    (days,) = [rule["ExpirationInDays"] for rule in rules if rule.get("Prefix") == attempts.RESULTS]
    assert days == 90


def test_a_task_of_flights_that_fails_is_tried_again_once(states):
    """Last of all, a minute later: the alarm waits for a second failure within the hour."""
    tasks = [state for state in _of_all(states) if state["Type"] == "Task" and "FlightsFunction" in json.dumps(state)]
    assert len(tasks) == 4
    for task in tasks:
        *others, last = task["Retry"]
        assert last == {"ErrorEquals": ["States.TaskFailed"], "IntervalSeconds": 60, "MaxAttempts": 1}
        assert not [retry for retry in others if "States.TaskFailed" in retry["ErrorEquals"]]


@pytest.mark.parametrize(
    ("metric", "count", "expected"),
    [
        (("AWS/Lambda", "Errors", {"FunctionName": "FlightsFunction"}), 1, OK),
        (("AWS/Lambda", "Errors", {"FunctionName": "FlightsFunction"}), 2, ALARM),
        (("AWS/States", "ExecutionsFailed", {"StateMachineArn": "ReprocessStateMachine"}), 1, ALARM),
        (("AWS/Events", "FailedInvocations", {"RuleName": "FlightsSchedule"}), 1, ALARM),
    ],
    ids=["tried again", "failed twice", "execution failed", "not started"],
)
def test_flights_that_fail_outside_of_lambda_set_the_alarm_off(repository, metric, count, expected):
    """One metric is enough: without an invocation the others have no values."""
    alarm = ResolvedTemplate(repository).properties("AWS::CloudWatch::Alarm")["FlightsErrorsAlarm"]
    metrics = Metrics()
    metrics.add(*metric, 30, *[1.0] * count)
    assert cloudwatch.state(alarm, metrics, 60) == expected
    assert cloudwatch.state(alarm, metrics, 240) == OK


def test_errors_that_are_tried_again_are_the_functions_own(repository, states):
    """Names of exceptions that are there to be raised, by the function that a task calls."""
    for task in _of_all(states):
        if task["Type"] == "Task":
            room = "archive" if "Archive" in json.dumps(task["Parameters"]["FunctionName"]) else "flights"
            source = "".join(path.read_text() for path in (repository / "src" / room).glob("*.py"))
            named = [error for retry in task["Retry"] for error in retry["ErrorEquals"] if "." not in error]
            for error in named:
                assert re.search(rf"class {error}\(", source)
