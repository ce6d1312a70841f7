"""`reprocess --stack`: the template's state machine, run over a bucket in moto by the functions' own code."""

from __future__ import annotations

import json
import shutil
import threading

import boto3
import pytest

from local.faults.aws.authorisation import Authoriser
from local.faults.aws.permissions import Permission
from tools.reprocess import items
from tools.reprocess.__main__ import main
from tools.reprocess.attempts import Attempts

HOURS = ["2024-03-04T22", "2024-03-04T23", "2024-03-05T00"]


def _run(stack, end, *options, wait=lambda _: None):
    return main(["--stack", stack.name, "--from", "2024-03-04", "--to", end, *options], wait)


def _objects(stack, prefix):
    listed = stack.s3.list_objects_v2(Bucket=stack.bucket, Prefix=prefix).get("Contents", [])
    return {one["Key"]: stack.s3.get_object(Bucket=stack.bucket, Key=one["Key"])["Body"].read() for one in listed}


def _nothing_left(event):
    """What the functions return when they have read all there was, or had nothing to make."""
    if "hours" in event:
        return {"objects_left": 0, "objects_unread": 0, "read_up_to": "raw/9", "updates": 7}
    return {"days": dict.fromkeys(event["days"], "unchanged"), "large": []}


def _pause():
    threading.Event().wait(0.02)


def test_it_makes_what_one_machine_makes(stack, received, tmp_path):
    """The same hours are done by the same code: the objects are the same, byte for byte, and so is the report."""
    folder = tmp_path / "local"
    shutil.copytree(received, folder)
    archived = {hour: items.archive_hour(folder, 256, hour) for hour in HOURS}
    flown = {day: items.make_flights(folder, 256, day) for day in items.days_between(HOURS)}
    assert _run(stack, "2024-03-05", "--report", str(tmp_path / "report"), wait=lambda _: _pause()) == 0
    for prefix in ("archive/updates", "archive/flights", "flights"):
        made = {str(path.relative_to(folder)): path.read_bytes() for path in (folder / prefix).rglob("*.*")}
        assert _objects(stack, f"{prefix}/") == made
    report = json.loads((tmp_path / "report").read_text())
    assert list(report["hours"]) == HOURS
    assert report["updates"] == sum(one["updates"] for one in archived.values())
    assert report["flights"] == {day: one for day, one in flown.items() if one["flights"] is not None}
    assert (report["failed"], report["status"]) == ({}, "SUCCEEDED")
    kinds = ["hours" if "hours" in event else "days" for event in stack.events]
    assert kinds == sorted(kinds, reverse=True), "flights are made when all hours are done"


def test_an_hour_too_large_for_one_run_is_read_on_where_that_ended(stack, tmp_path):
    """By the key that the run before it gave; the report adds their updates up."""
    stack.instead = lambda event: _nothing_left(event) | {"objects_left": 0 if event.get("after") else 2}
    report = tmp_path / "report"
    assert _run(stack, "2024-03-04T23", "--report", str(report), wait=lambda _: _pause()) == 0
    assert [event["after"] for event in stack.events if "hours" in event] == ["", "raw/9"]
    assert json.loads(report.read_text())["updates"] == 14


def test_an_hour_with_an_object_that_cannot_be_read_is_read_to_its_end_and_fails(stack):
    """Though a run has left the object behind: the next one goes on after it, and the hour is not called done."""

    def unread(event):
        is_first = event.get("after") == ""
        return _nothing_left(event) | {"objects_left": int(is_first), "objects_unread": int(is_first)}

    stack.instead = unread
    assert _run(stack, "2024-03-04T23", wait=lambda _: _pause()) == 1
    assert [event["after"] for event in stack.events if "hours" in event] == ["", "raw/9"]


def test_the_role_allows_what_the_machine_calls_and_little_else(stack):
    """Of hours, days, parts and results. Results are read, and large ones put in pieces, by AWS's own map alone."""
    iam = boto3.client("iam", endpoint_url=stack.url)
    iam.create_role(RoleName=stack.bucket, AssumeRolePolicyDocument="{}")
    for policy in stack.role:
        document = json.dumps(policy["PolicyDocument"])
        iam.put_role_policy(RoleName=stack.bucket, PolicyName=policy["PolicyName"], PolicyDocument=document)
    authoriser = Authoriser(iam, {"machine": f"role/{stack.bucket}"})
    stack.instead, stack.calls = _in_parts, set()
    assert _run(stack, "2024-03-04T23", wait=lambda _: _pause()) == 0
    assert {action for action, _ in stack.calls} == {"lambda:InvokeFunction", "s3:PutObject"}
    for action, resource in stack.calls:
        assert authoriser.refusal("machine", [Permission(action, resource)]) is None, resource
    others = [("lambda:InvokeFunction", f"{resource}-other") for _, resource in stack.calls if ":lambda:" in resource]
    for action, resource in [*others, ("s3:PutObject", "arn:aws:s3:::data/raw/x")]:
        assert authoriser.refusal("machine", [Permission(action, resource)]) is not None, resource
    unused = {grant.action for grant in authoriser.unused("machine")}
    assert unused == {"s3:GetObject", "s3:ListMultipartUploadParts", "s3:AbortMultipartUpload"}


def _in_parts(event):
    """What the function of flights returns when one day of those it is asked for is too large for a run."""
    large = {"day": "2024-03-04", "made_of": "aa", "parts": [{"number": number} for number in range(3)]}
    match event:
        case {"part": _}:
            return {"updates": 5, "flights": 1}
        case {"join": _}:
            return {"days": {"2024-03-04": {"updates": 15, "flights": 3}}, "large": []}
        case {"hours": _}:
            return _nothing_left(event)
        case {"days": days} if days != ["2024-03-04"]:
            return _nothing_left(event)
    return {"days": {"2024-03-04": {"parts": 3}, "2024-03-05": "unchanged"}, "large": [large]}


def _of_flights(stack):
    """Return the events of the days and the parts, in the order in which they were begun."""
    known = {"hours", "after", "only_changed", "in_parts", "part_workers"}
    return [json.dumps(event, sort_keys=True) for event in stack.events if "days" not in event and event.keys() - known]


def test_a_day_too_large_for_one_run_is_made_in_parts(stack, tmp_path):
    """Each part once, and then it is joined; the report has it as any other day."""
    stack.instead = _in_parts
    report = tmp_path / "report"
    assert _run(stack, "2024-03-04T23", "--report", str(report), wait=lambda _: _pause()) == 0
    *made, joined = _of_flights(stack)
    assert sorted(made) == [json.dumps({"part": {"number": number}}) for number in range(3)]
    assert [part["number"] for part in json.loads(joined)["join"]["parts"]] == [0, 1, 2]
    assert json.loads(report.read_text())["flights"] == {"2024-03-04": {"updates": 15, "flights": 3}}


@pytest.mark.parametrize("in_parts", ["on", "off"])
def test_by_schedule_it_makes_the_days_that_the_function_has_left(stack, in_parts):
    """The function finds and makes the last days; those in parts are made behind it, if they are to be."""
    stack.instead = _in_parts
    given = stack.scheduled.replace("${FlightsInParts}", in_parts)
    started = stack.states.start_execution(stateMachineArn=stack.machine, name=stack.bucket, input=given)
    while (status := stack.states.describe_execution(executionArn=started["executionArn"])["status"]) == "RUNNING":
        _pause()
    assert status == "SUCCEEDED"
    assert stack.events[0] == {"in_parts": True}
    is_on = in_parts == "on"
    assert [event["days"] for event in stack.events if "days" in event] == [["2024-03-04"]] * is_on
    assert len(_of_flights(stack)) == 4 * is_on


def test_what_failed_is_done_by_the_same_command(stack, tmp_path, capsys):
    """One hour's failure is named, with the function's own words; the next run does that hour, and all flights."""

    def broken(event):
        if event.get("hours") == ["2024-03-04T23"]:
            raise RuntimeError("no Parquet object")
        return _nothing_left(event)

    stack.instead = broken
    assert _run(stack, "2024-03-05T01") == 1
    assert "2024-03-04T23 failed: not done: the execution FAILED" in capsys.readouterr().out
    attempts = Attempts(stack.states, stack.s3, stack.machine, stack.bucket)
    (before,) = attempts.of("20240304T0000-20240305T0100")
    run = attempts.map_runs(before)["ArchiveHours"]
    cause = json.dumps({"errorType": "RuntimeError", "errorMessage": "no Parquet object"})
    done = [{"Input": json.dumps({"after": "", "hours": [hour]}), "Output": "{}"} for hour in (HOURS[0], HOURS[2])]
    failed = {"Input": json.dumps({"after": "", "hours": [HOURS[1]]}), "Error": "RuntimeError", "Cause": cause}
    stack.put_results(run, SUCCEEDED=done, FAILED=[failed])  # moto writes none of a run that failed
    assert attempts.results(run).reasons == {HOURS[1]: "RuntimeError: no Parquet object"}
    stack.instead, stack.events = _nothing_left, []
    assert _run(stack, "2024-03-05T01", "--report", str(tmp_path / "report"), wait=lambda _: _pause()) == 0
    report = json.loads((tmp_path / "report").read_text())
    assert [event["hours"] for event in stack.events if "hours" in event] == [[HOURS[1]]]
    assert (report["hours_done_before"], list(report["hours"])) == (2, [HOURS[1]])
    assert report["execution"].endswith("-2")
    stack.events = []
    assert _run(stack, "2024-03-05T01", wait=lambda _: _pause()) == 0  # all was well, so that all is done again
    assert sorted(event["hours"] for event in stack.events if "hours" in event) == [[hour] for hour in HOURS]


def test_what_is_under_way_is_followed_and_can_be_stopped(stack, capsys):
    """A second command starts nothing of its own; --stop ends what runs, and the first command says so."""
    go_on = threading.Event()
    stack.instead = lambda event: go_on.wait(60) and _nothing_left(event)
    codes = []

    def run(*options, meanwhile):
        """Run the command, and something else while it waits for the first time."""
        once = iter([meanwhile])
        codes.append(_run(stack, "2024-03-05T02", *options, wait=lambda _: next(once, _pause)()))

    try:
        run(meanwhile=lambda: run(meanwhile=lambda: run("--stop", meanwhile=go_on.set)))
    finally:
        go_on.set()
    assert codes == [1, 1, 1]
    assert "the execution ABORTED" in capsys.readouterr().out
    executions = stack.states.list_executions(stateMachineArn=stack.machine)["executions"]
    assert [one["name"] for one in executions if "20240305T0200" in one["name"]] == ["20240304T0000-20240305T0200-1"]


def test_what_is_under_way_is_found_whatever_its_number(stack):
    """After 90 days Step Functions knows the first execution no longer, and the second one for some more days."""
    go_on = threading.Event()
    span = "20240304T0000-20240305T0400"
    given = {"hours": HOURS[:1], "days": ["2024-03-04"], "workers": 1, "part_workers": 1, "tolerated_failures": 3}
    stack.instead = _nothing_left
    older = stack.states.start_execution(stateMachineArn=stack.machine, name=f"{span}-2", input=json.dumps(given))
    while stack.states.describe_execution(executionArn=older["executionArn"])["status"] == "RUNNING":
        _pause()
    stack.instead = lambda event: go_on.wait(60) and _nothing_left(event)
    once = iter([lambda: _run(stack, "2024-03-05T04", "--stop", wait=lambda _: go_on.set())])
    try:
        assert _run(stack, "2024-03-05T04", wait=lambda _: next(once, _pause)()) == 1
    finally:
        go_on.set()
    executions = stack.states.list_executions(stateMachineArn=stack.machine)["executions"]
    status = {one["name"]: one["status"] for one in executions if span in one["name"]}
    assert status == {f"{span}-1": "ABORTED", f"{span}-2": "SUCCEEDED"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--stack", "absent", "--from", "2024-03-04", "--to", "2024-03-04"], "stack absent: not found in us-east-1"),
        (["--from", "2031-01-01", "--to", "2031-01-01"], "no raw objects from 2031-01-01 to 2031-01-01"),
        (["--from", "2031-01-01", "--to", "2031-01-01", "--stop"], "nothing is under way"),
    ],
    ids=["no-stack", "nothing-arrived", "nothing-to-stop"],
)
def test_what_cannot_be_done_is_said(stack, capsys, arguments, said):
    """With what was looked for, and where."""
    given = arguments if "--stack" in arguments else ["--stack", stack.name, *arguments]
    assert main(given) == 1
    assert said in capsys.readouterr().err
