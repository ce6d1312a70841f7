"""Hours and days of a deployed stack, done by its state machine: started, followed and reported.

What runs goes on when this command ends; the same command follows it again, and does what a run before it left undone.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.exceptions import ClientError

from tools.reprocess import items, progress
from tools.reprocess.attempts import RUNNING, Attempts, Results, name_of
from tools.reprocess.errors import ReprocessError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from tools.reprocess.attempts import Attempt

WORKERS: Final = 5
"""Invocations at a time, where nothing is said: a new account has 10, and the stack itself needs some of them."""

NEEDS: Final = (
    "The caller needs cloudformation:DescribeStacks, s3:ListBucket and s3:GetObject on the data bucket, and "
    "states:StartExecution, StopExecution, DescribeExecution, ListMapRuns and DescribeMapRun on the state machine"
)

_HOURS, _DAYS = "ArchiveHours", "MakeFlights"
"""The labels of the state machine's maps."""

_POLL_SECONDS: Final = 5.0
_MOST_BYTES: Final = 262_144
"""Of an execution's input (Step Functions' quotas)."""

_FEWEST_FAILURES, _FAILING_SHARE = 3, 10
"""A tenth of the items may fail, and three in any case, before what is not begun is not begun any more."""


@dataclass(frozen=True, slots=True)
class _Stack:
    machine: str
    bucket: str
    states: Any
    s3: Any

    @property
    def attempts(self) -> Attempts:
        return Attempts(self.states, self.s3, self.machine, self.bucket)


def reprocess(
    options: argparse.Namespace, begin: datetime, end: datetime, wait: Callable[[float], object]
) -> dict[str, Any]:
    """Have the hours of arrival from `begin` on and before `end` done, and the flights; return the report.

    Raises
    ------
    ReprocessError
        There is no such stack, nothing arrived then, or nothing is to be stopped.
    botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError
        AWS cannot be asked.
    """
    stack, name = _find(options), name_of(begin, end)
    hours = items.hours_between(_folders(stack, begin, end), begin, end)
    before = list(stack.attempts.of(name))
    running = next((one for one in before if one.status == RUNNING), None)
    done = _done(stack.attempts, [one for one in before if one.status != RUNNING])
    if options.stop:
        running = _stopped(stack, running, options)
    elif running is None:
        if not hours:
            raise ReprocessError(
                f"stack {options.stack}: no raw objects from {options.begin} to {options.end}; raw updates are kept "
                "for RawRetentionDays"
            )
        left = [hour for hour in hours if hour not in done]
        running = _started(stack, f"{name}-{len(before) + 1}", left, hours, options.workers or WORKERS)
    ended = _followed(stack, running, wait)
    return _report(stack, ended, options, len(done & set(hours)))


def _find(options: argparse.Namespace) -> _Stack:
    session = boto3.Session(region_name=options.region, profile_name=options.profile)
    cloudformation = session.client("cloudformation")
    try:
        [description] = cloudformation.describe_stacks(StackName=options.stack)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":
            raise ReprocessError(
                f"stack {options.stack}: not found in {cloudformation.meta.region_name}. Check the name; another "
                "region or account is chosen by --region and --profile"
            ) from error
        raise
    outputs = {output["OutputKey"]: output["OutputValue"] for output in description.get("Outputs", [])}
    try:
        machine, bucket = outputs["ReprocessStateMachineArn"], outputs["DataBucketName"]
    except KeyError as error:
        raise ReprocessError(
            f"stack {options.stack}: is {description['StackStatus']} and has no output {error.args[0]}; expected a "
            "stack of this template. Deploy it again"
        ) from error
    return _Stack(machine, bucket, session.client("stepfunctions"), session.client("s3"))


def _folders(stack: _Stack, begin: datetime, end: datetime) -> Iterator[str]:
    """Yield the hours' folders below `raw/` of the days of a span."""
    for day in _below(stack, "raw/"):
        if f"raw/date={begin:%Y-%m-%d}/" <= day <= f"raw/date={end:%Y-%m-%d}/":
            yield from (hour.rstrip("/") for hour in _below(stack, day))


def _below(stack: _Stack, prefix: str) -> list[str]:
    pages = stack.s3.get_paginator("list_objects_v2").paginate(Bucket=stack.bucket, Prefix=prefix, Delimiter="/")
    return [one["Prefix"] for page in pages for one in page.get("CommonPrefixes", [])]


def _done(attempts: Attempts, before: list[Attempt]) -> set[str]:
    """Return the hours that need not be done again: those since the last time that all went well."""
    done: set[str] = set()
    for attempt in before:
        runs = attempts.map_runs(attempt)
        done |= attempts.results(runs[_HOURS]).outputs.keys() if _HOURS in runs else set()
        flights = attempts.results(runs[_DAYS]).outputs.keys() if _DAYS in runs else set()
        if set(attempt.hours) <= done and set(attempt.days) <= flights:
            done = set()
    return done


def _started(stack: _Stack, name: str, hours: list[str], all_hours: list[str], workers: int) -> Attempt:
    days = items.days_between(all_hours)
    tolerated = max(_FEWEST_FAILURES, len(hours) // _FAILING_SHARE)
    part_workers = max(1, workers // len(days))  # of each day that is made in parts: `workers` in all
    given = json.dumps(
        {
            "hours": hours,
            "days": days,
            "workers": workers,
            "part_workers": part_workers,
            "tolerated_failures": tolerated,
        }
    )
    if len(given) > _MOST_BYTES:
        raise ReprocessError(f"{len(hours):,} hours are more than one execution takes; ask for a year at a time")
    try:
        stack.states.start_execution(stateMachineArn=stack.machine, name=name, input=given)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ExecutionAlreadyExists":
            raise
        # Somebody else has started it since this command looked: it is followed.
    attempt = stack.attempts.get(name)
    assert attempt is not None
    return attempt


def _stopped(stack: _Stack, running: Attempt | None, options: argparse.Namespace) -> Attempt:
    if running is None:
        raise ReprocessError(f"stack {options.stack}: nothing is under way from {options.begin} to {options.end}")
    stack.states.stop_execution(
        executionArn=running.arn, error="Stopped", cause="by reprocess --stop; the same command without it goes on"
    )
    return running


def _followed(stack: _Stack, attempt: Attempt, wait: Callable[[float], object]) -> Attempt:
    """Show how far an execution is until it has ended; return it then."""
    name = attempt.arn.rpartition(":")[2]
    while True:
        found = stack.attempts.get(name)
        assert found is not None
        is_over = found.status != RUNNING
        runs = stack.attempts.map_runs(found)
        label = _DAYS if _DAYS in runs else _HOURS
        if label in runs:
            progress.show(
                _progress(label, stack.states.describe_map_run(mapRunArn=runs[label])["itemCounts"]), last=is_over
            )
        if is_over:
            return found
        wait(_POLL_SECONDS)


def _progress(label: str, counts: dict[str, int]) -> str:
    what = "hours" if label == _HOURS else "days of flights"
    failed = counts["failed"] + counts["timedOut"] + counts["aborted"]
    return f"{what}: {counts['succeeded']} of {counts['total']}, {counts['running']} under way, {failed} failed"


def _report(stack: _Stack, ended: Attempt, options: argparse.Namespace, done_before: int) -> dict[str, Any]:
    runs = stack.attempts.map_runs(ended)
    hours, days = (stack.attempts.results(runs[label]) if label in runs else Results() for label in (_HOURS, _DAYS))
    unknown = f"not done: the execution {ended.status}" + (f" ({ended.reason})" if ended.reason else "")
    made = {day: one for output in days.outputs.values() for day, one in output["days"].items() if one != "unchanged"}
    return {
        "from": options.begin,
        "to": options.end,
        "execution": ended.arn,
        "status": ended.status,
        "seconds": ended.seconds,
        "hours_done_before": done_before,
        "updates": sum(output["updates"] for output in hours.outputs.values()),
        "hours": {hour: output["report"] for hour, output in sorted(hours.outputs.items())},
        "flights": dict(sorted(made.items())),
        "failed": {
            item: of.reasons.get(item, unknown)
            for asked, of in ((ended.hours, hours), (ended.days, days))
            for item in asked
            if item not in of.outputs
        },
    }
