"""The state machine of `reprocess --stack`: what it calls its role may call, and nothing else."""

from __future__ import annotations

import json
import re

import pytest

from tests.unit.template.test_roles import as_list, statements
from tools.reprocess import attempts, deployed


@pytest.fixture
def maps(resources):
    """The state machine's maps, by the name of their state."""
    states = resources["ReprocessStateMachine"]["Properties"]["Definition"]["States"]
    return {name: state for name, state in states.items() if state["Type"] == "Map"}


def test_its_role_may_call_what_the_steps_call(resources, maps):
    """The functions of its tasks, and where its results go."""
    tasks = [
        state for one in maps.values() for state in one["ItemProcessor"]["States"].values() if state["Type"] == "Task"
    ]
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


def test_children_have_as_long_as_a_run_takes(resources, maps):
    """An express execution ends after 5 minutes (Step Functions' quotas)."""
    assert {state["ItemProcessor"]["ProcessorConfig"]["ExecutionType"] for state in maps.values()} == {"STANDARD"}
    assert resources["ArchiveFunction"]["Properties"]["Timeout"] == 900


def test_results_are_kept_as_long_as_executions_are_known(resources):
    """90 days: what a run before has done is then not done again."""
    rules = resources["DataBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    (days,) = [rule["ExpirationInDays"] for rule in rules if rule.get("Prefix") == attempts.RESULTS]
    assert days == 90


def test_errors_that_are_tried_again_are_the_functions_own(repository, maps):
    """Names of exceptions that are there to be raised."""
    source = "".join(path.read_text() for path in (repository / "src/archive").glob("*.py"))
    for state in maps.values():
        (task,) = [one for one in state["ItemProcessor"]["States"].values() if one["Type"] == "Task"]
        named = [error for retry in task["Retry"] for error in retry["ErrorEquals"] if "." not in error]
        for error in named:
            assert re.search(rf"class {error}\(", source)
