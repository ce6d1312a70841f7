"""`ops repair`: what it asks CloudFormation for, by botocore's model of it, and what it makes of the answers."""

from __future__ import annotations

import io
import json
import sys
from datetime import UTC, datetime

import boto3
import pytest
from botocore.stub import ANY, Stubber

from ops import command_line, repair
from ops.stack import Stack
from tests.integration.ops.test_examples import HurriedClock
from tests.support.failed_batches import STACK, client

NAMED = {"StackName": STACK, "ChangeSetName": ANY}
ASKED = NAMED | {
    "ChangeSetType": "UPDATE",
    "UsePreviousTemplate": True,
    "Parameters": [{"ParameterKey": "ScheduleState", "UsePreviousValue": True}],
    "Capabilities": ["CAPABILITY_IAM"],
    "DeploymentMode": "REVERT_DRIFT",
}
LOOKED_AT = NAMED | {"IncludePropertyValues": True}
DISABLED = {
    "Action": "Modify",
    "LogicalResourceId": "ConsumerSchedule",
    "ResourceType": "AWS::Events::Rule",
    "Replacement": "False",
    "ResourceDriftStatus": "MODIFIED",
    "Details": [{"Target": {"Path": "/Properties/State", "BeforeValue": "DISABLED", "AfterValue": "ENABLED"}}],
}
DELETED = {
    "Action": "Modify",
    "LogicalResourceId": "ConsumerAlarm",
    "ResourceType": "AWS::CloudWatch::CompositeAlarm",
    "Replacement": "True",
    "ResourceDriftStatus": "DELETED",
}
WEBHOOK = {
    "Action": "Modify",
    "LogicalResourceId": "AlertWebhookDestination",
    "ResourceType": "AWS::Events::ApiDestination",
    "Details": [{"Target": {"Name": "InvocationEndpoint", "BeforeValue": "https://x/secret", "AfterValue": "y"}}],
}
STREAM = {
    "Action": "Modify",
    "LogicalResourceId": "UpdatesStream",
    "ResourceType": "AWS::Kinesis::Stream",
    "Replacement": "Conditional",
    "ResourceDriftStatus": "MODIFIED",
}


def described(status, **fields):
    """What CloudFormation says of the stack."""
    stack = {"StackName": STACK, "CreationTime": datetime(2026, 1, 1, tzinfo=UTC), "StackStatus": status, **fields}
    return {"Stacks": [stack | {"Parameters": [{"ParameterKey": "ScheduleState", "ParameterValue": "****"}]}]}


class CloudFormation:
    """Answers in their order, each to the call that is expected."""

    def __init__(self, stubber):
        self._add = stubber.add_response
        self._add("describe_stacks", described("UPDATE_COMPLETE"), {"StackName": STACK})
        self._add("create_change_set", {}, ASKED)

    def looks(self, *changes, status="CREATE_COMPLETE", **fields):
        """It takes two looks to be done; each change is on a page of its own."""
        self.keeps_looking(1)
        page = {}
        for number, change in enumerate(changes or [None]):
            answer = {"Status": status, "Changes": [{"Type": "Resource", "ResourceChange": change}] if change else []}
            following = {"NextToken": str(number)} if number + 1 < len(changes) else {}
            self._add("describe_change_set", answer | following | fields, LOOKED_AT | page)
            page = following

    def keeps_looking(self, times):
        """It is not done yet."""
        for _ in range(times):
            self._add("describe_change_set", {"Status": "CREATE_IN_PROGRESS"}, LOOKED_AT)

    def deletes(self):
        """The change set goes."""
        self._add("delete_change_set", {}, NAMED)

    def executes(self, status, **fields):
        """The changes are made, or are not."""
        self._add("execute_change_set", {}, NAMED)
        for one in ("UPDATE_IN_PROGRESS", status):
            self._add("describe_stacks", described(one, **(fields if one == status else {})), {"StackName": STACK})


@pytest.fixture
def cloudformation(monkeypatch):
    """CloudFormation, all of whose answers have to be asked for."""
    made = boto3.client("cloudformation", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    monkeypatch.setattr(command_line, "find", lambda _: Stack(STACK, {}, lambda _service: made))
    monkeypatch.setattr(repair, "SystemClock", HurriedClock)
    with Stubber(made) as stubber:
        yield CloudFormation(stubber)
        stubber.assert_no_pending_responses()


def ops_repair(*options):
    """Run the command."""
    return command_line.main(["repair", "--stack", STACK, *options])


@pytest.fixture
def typed(monkeypatch):
    """A function that has a person at a terminal answer."""

    def answer(text):
        monkeypatch.setattr(sys, "stdin", io.StringIO(text))
        monkeypatch.setattr(sys.stdin, "isatty", lambda: True)

    return answer


def test_what_was_changed_by_hand_is_shown_asked_about_and_put_back(cloudformation, typed, capsys):
    """Of a setting what is there and what was deployed; of the webhook no address, which may be the secret."""
    cloudformation.looks(DISABLED, DELETED, WEBHOOK)
    cloudformation.executes("UPDATE_COMPLETE")
    typed("y\n")
    assert ops_repair() == 0
    said = capsys.readouterr()
    assert said.out.splitlines() == [
        "CloudFormation looks at every resource, which takes minutes",
        "ConsumerSchedule (AWS::Events::Rule): Modify",
        "    /Properties/State: DISABLED -> ENABLED",
        "ConsumerAlarm (AWS::CloudWatch::CompositeAlarm): deleted by hand, is made again",
        "AlertWebhookDestination (AWS::Events::ApiDestination): Modify",
        "    InvocationEndpoint",
        "done: all is as it was deployed",
    ]
    assert f"Make these 3 changes to stack {STACK}?" in said.err


def test_a_script_gets_the_changes_as_json(cloudformation, capsys):
    """And is not asked."""
    cloudformation.looks(DISABLED)
    cloudformation.executes("UPDATE_COMPLETE")
    assert ops_repair("--yes", "--json") == 0
    [change] = json.loads(capsys.readouterr().out)["changes"]
    assert (change["logical_id"], change["is_replaced"]) == ("ConsumerSchedule", False)


def test_nothing_is_changed_unless_somebody_agrees(cloudformation, typed, capsys):
    """The change set is not left behind."""
    cloudformation.looks(DISABLED)
    cloudformation.deletes()
    typed("n\n")
    assert ops_repair() == 2
    assert "not confirmed; nothing was changed" in capsys.readouterr().err


def test_what_may_be_replaced_is_not_touched(cloudformation, capsys):
    """A stream that gives way to a new one takes its records along; --yes is no yes to that."""
    cloudformation.looks(DISABLED, STREAM)
    cloudformation.deletes()
    assert ops_repair("--yes") == 2
    assert "UpdatesStream may be replaced, and what is in it lost. Nothing was changed" in capsys.readouterr().err


def test_replacements_are_made_where_they_are_asked_for(cloudformation):
    """By an option of their own."""
    cloudformation.looks(STREAM)
    cloudformation.executes("UPDATE_COMPLETE")
    assert ops_repair("--yes", "--replace") == 0


@pytest.mark.parametrize(
    "reason",
    [
        "The submitted information didn't contain changes. Submit different information to create a change set.",
        "No updates are to be performed.",
    ],
)
def test_a_stack_that_is_as_it_was_deployed(cloudformation, capsys, reason):
    """CloudFormation calls an empty change set failed, in two ways."""
    cloudformation.looks(status="FAILED", StatusReason=reason)
    cloudformation.deletes()
    assert ops_repair() == 0
    assert "nothing differs from what was deployed" in capsys.readouterr().out


def test_why_cloudformation_cannot_compare_is_said(cloudformation, capsys):
    """In its own words."""
    cloudformation.looks(status="FAILED", StatusReason="AccessDenied for lambda:GetFunction")
    cloudformation.deletes()
    assert ops_repair() == 2
    assert "cannot compare it with what is there: AccessDenied for lambda:GetFunction" in capsys.readouterr().err


def test_why_the_changes_were_taken_back_is_said(cloudformation, capsys):
    """In its own words."""
    cloudformation.looks(DISABLED)
    cloudformation.executes("UPDATE_ROLLBACK_COMPLETE", StackStatusReason="ConsumerSchedule failed")
    assert ops_repair("--yes") == 2
    assert "UPDATE_ROLLBACK_COMPLETE: ConsumerSchedule failed. CloudFormation took back" in capsys.readouterr().err


def test_an_empty_change_set_is_not_left_behind(cloudformation):
    """Should CloudFormation make one."""
    cloudformation.looks()
    cloudformation.deletes()
    assert ops_repair() == 0


def test_it_waits_no_longer_than_it_is_asked_to(cloudformation, capsys):
    """CloudFormation goes on by itself."""
    cloudformation.keeps_looking(2)
    assert ops_repair("--timeout", "8s") == 2
    assert "took longer than --timeout to look at every resource" in capsys.readouterr().err


@pytest.mark.usefixtures("deployed")
def test_a_real_stack_of_which_nothing_differs(capsys):
    """Moto's, through the command line; no change set is left."""
    assert ops_repair("--yes", "--region", "us-east-1") == 0
    assert "nothing differs from what was deployed" in capsys.readouterr().out
    assert client("cloudformation").list_change_sets(StackName=STACK)["Summaries"] == []


def test_a_local_stack_is_not_repaired(local_stack, capsys):
    """It is started again."""
    assert command_line.main(["repair", "--local", local_stack.endpoint]) == 2
    assert "a local stack is not held against its template" in capsys.readouterr().err
