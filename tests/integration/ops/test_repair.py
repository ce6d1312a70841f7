"""`ops repair`: what it asks CloudFormation for, by botocore's model of it, and what it makes of the answers."""

from __future__ import annotations

import io
import json
import re
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
    "ClientToken": ANY,
}
DONE = ("UPDATE_COMPLETE", None)
EXECUTED = NAMED | {"ClientRequestToken": ANY, "DisableRollback": False}
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
        self._add, self._refuse = stubber.add_response, stubber.add_client_error
        self._add("describe_stacks", described("UPDATE_COMPLETE"), {"StackName": STACK})
        self._has_change_set = False

    def refuses(self):
        """It makes no change set."""
        why = "Stack:s is in UPDATE_IN_PROGRESS state and can not be updated."
        self._refuse("create_change_set", "ValidationError", why, 400, {}, ASKED)

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
        if not self._has_change_set:
            self._add("create_change_set", {}, ASKED)
            self._has_change_set = True
        for _ in range(times):
            self._add("describe_change_set", {"Status": "CREATE_IN_PROGRESS"}, LOOKED_AT)

    def deletes(self):
        """The change set goes."""
        self._add("delete_change_set", {}, NAMED)

    def refuses_to_delete(self):
        """It does not take the change set away while it is still looking."""
        self._refuse("delete_change_set", "InvalidChangeSetStatus", "it is CREATE_IN_PROGRESS", 400, {}, NAMED)

    def refuses_to_execute(self):
        """The caller may look, and change nothing."""
        self._refuse("execute_change_set", "AccessDenied", "not authorized", 403, {}, EXECUTED)

    def falls_silent(self):
        """Nothing is heard of the stack any more."""
        self._refuse("describe_stacks", "Throttling", "Rate exceeded", 400, {}, {"StackName": STACK})

    def executes(self, *states):
        """The changes are made, or are not: the stack's states one after the other, with their reasons."""
        self._add("execute_change_set", {}, EXECUTED)
        for status, reason in [("UPDATE_IN_PROGRESS", "User Initiated"), *states]:
            answer = described(status, **({"StackStatusReason": reason} if reason else {}))
            self._add("describe_stacks", answer, {"StackName": STACK})


@pytest.fixture
def cloudformation(monkeypatch):
    """CloudFormation, all of whose answers have to be asked for."""
    made = boto3.client("cloudformation", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    monkeypatch.setattr(command_line, "find", lambda _: Stack(STACK, {}, lambda _service: made))
    monkeypatch.setattr(repair, "SystemClock", HurriedClock)
    with Stubber(made) as stubber:
        yield CloudFormation(stubber)
        stubber.assert_no_pending_responses()


def interrupted(*_):
    """Ctrl-C."""
    raise KeyboardInterrupt


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
    cloudformation.executes(DONE)
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
    cloudformation.executes(DONE)
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


@pytest.mark.parametrize("stream", [STREAM, STREAM | {"Action": "Dynamic", "Replacement": "False"}])
def test_what_may_be_replaced_is_not_touched(cloudformation, capsys, stream):
    """A stream that gives way to a new one takes its records along; --yes is no yes to that.

    Neither is it to what CloudFormation decides later.
    """
    cloudformation.looks(DISABLED, stream)
    cloudformation.deletes()
    assert ops_repair("--yes") == 2
    assert "UpdatesStream may be replaced, and what is in it lost. Nothing was changed" in capsys.readouterr().err


def test_replacements_are_made_where_they_are_asked_for(cloudformation):
    """By an option of their own."""
    cloudformation.looks(STREAM)
    cloudformation.executes(DONE)
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
    assert "finds nothing that differs from what was deployed" in capsys.readouterr().out


def test_what_is_listed_of_a_stack_without_drift_is_not_changed(cloudformation, capsys):
    """CloudFormation lists what it cannot know beforehand, such as a reference it resolves late, even as replaced."""
    cloudformation.looks(STREAM | {"ResourceDriftStatus": "IN_SYNC"}, StackDriftStatus="IN_SYNC")
    cloudformation.deletes()
    assert ops_repair("--yes", "--replace") == 0
    assert "finds nothing that differs" in capsys.readouterr().out


def test_what_changes_because_others_do_is_marked(cloudformation, capsys):
    """A permission goes along with the rule that it names."""
    permission = {"Action": "Modify", "LogicalResourceId": "P", "ResourceType": "AWS::Lambda::Permission"}
    cloudformation.looks(DISABLED, permission | {"ResourceDriftStatus": "IN_SYNC"}, StackDriftStatus="DRIFTED")
    cloudformation.executes(DONE)
    assert ops_repair("--yes") == 0
    assert "P (AWS::Lambda::Permission): Modify, since others change" in capsys.readouterr().out


def test_why_cloudformation_cannot_compare_is_said(cloudformation, capsys):
    """In its own words."""
    cloudformation.looks(status="FAILED", StatusReason="AccessDenied for lambda:GetFunction")
    cloudformation.deletes()
    assert ops_repair() == 2
    assert "cannot compare it with what is there: AccessDenied for lambda:GetFunction" in capsys.readouterr().err


def test_why_the_changes_were_taken_back_is_said(cloudformation, capsys):
    """In CloudFormation's own words, which it has while it takes them back, and no longer when it has."""
    cloudformation.looks(DISABLED)
    cloudformation.executes(
        ("UPDATE_ROLLBACK_IN_PROGRESS", "ConsumerSchedule failed"),
        ("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", None),
        ("UPDATE_ROLLBACK_COMPLETE", None),
    )
    assert ops_repair("--yes") == 2
    assert "UPDATE_ROLLBACK_COMPLETE: ConsumerSchedule failed. CloudFormation took back" in capsys.readouterr().err


def test_nothing_was_taken_back_where_that_failed(cloudformation, capsys):
    """The stack is neither as it was nor as it should be."""
    cloudformation.looks(DISABLED)
    cloudformation.executes(("UPDATE_ROLLBACK_FAILED", None))
    assert ops_repair("--yes") == 2
    said = capsys.readouterr().err
    assert "UPDATE_ROLLBACK_FAILED: its events say why" in said
    assert "took back" not in said


def test_a_change_set_that_may_not_be_executed_is_not_left_behind(cloudformation, capsys):
    """Whoever may is to decide on what is there then."""
    cloudformation.looks(DISABLED)
    cloudformation.refuses_to_execute()
    cloudformation.deletes()
    assert ops_repair("--yes") == 2
    said = capsys.readouterr().err
    assert "not authorized" in said
    assert "goes on" not in said


def test_where_nothing_more_is_heard_the_changes_go_on(cloudformation, capsys):
    """The changes are CloudFormation's by then."""
    cloudformation.looks(DISABLED)
    cloudformation.executes()
    cloudformation.falls_silent()
    assert ops_repair("--yes") == 2
    said = capsys.readouterr().err
    assert "CloudFormation goes on" in said
    assert "Rate exceeded" in said


def test_an_empty_change_set_is_not_left_behind(cloudformation):
    """Should CloudFormation make one."""
    cloudformation.looks()
    cloudformation.deletes()
    assert ops_repair() == 0


def test_it_waits_no_longer_than_it_is_asked_to(cloudformation, capsys):
    """What is left behind is said, after the attempt to remove it."""
    cloudformation.keeps_looking(2)
    cloudformation.refuses_to_delete()
    assert ops_repair("--timeout", "8s") == 2
    said = capsys.readouterr().err
    assert re.search(r"change set repair-\d{8}-\d{6} stays: .*CREATE_IN_PROGRESS", said)
    assert "took longer than --timeout to look at every resource" in said


def test_ctrl_c_leaves_no_change_set_behind(cloudformation, monkeypatch):
    """Whoever does not wait for the comparison has nothing to clean up."""
    cloudformation.keeps_looking(1)
    cloudformation.deletes()
    monkeypatch.setattr(HurriedClock, "sleep", interrupted)
    assert ops_repair() == command_line.INTERRUPTED


def test_why_nothing_was_done_is_said_though_the_change_set_stays(cloudformation, capsys):
    """Whoever may not delete it learns first of all that nothing was changed."""
    cloudformation.looks(STREAM)
    cloudformation.refuses_to_delete()
    assert ops_repair("--yes") == 2
    assert "UpdatesStream may be replaced" in capsys.readouterr().err


def test_a_change_set_that_is_refused_is_not_deleted(cloudformation, capsys):
    """A stack that is being deployed takes none."""
    cloudformation.refuses()
    assert ops_repair() == 2
    assert "UPDATE_IN_PROGRESS state and can not be updated" in capsys.readouterr().err


@pytest.mark.usefixtures("deployed")
def test_a_real_stack_of_which_nothing_differs(capsys):
    """Moto's, through the command line; no change set is left."""
    assert ops_repair("--yes", "--region", "us-east-1") == 0
    assert "finds nothing that differs from what was deployed" in capsys.readouterr().out
    assert client("cloudformation").list_change_sets(StackName=STACK)["Summaries"] == []


def test_a_local_stack_is_not_repaired(local_stack, capsys):
    """It is started again."""
    assert command_line.main(["repair", "--local", local_stack.endpoint]) == 2
    assert "a local stack is not held against its template" in capsys.readouterr().err
