"""Executions of the state machine for one span of time: their names, what they were given, what came of each item.

The first one is called `20240301T0000-20240401T0000-1`, by the span, the next one for the same span ends in `-2`. A
name is taken once, so that two who start the same thing start it once.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from common.s3_errors import status_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from mypy_boto3_s3 import S3Client

RESULTS: Final = "reprocess/"
"""Where Step Functions puts the results, in the data bucket."""

RUNNING: Final = "RUNNING"
_NOT_FOUND: Final = 404


def name_of(begin: datetime, end: datetime) -> str:
    """Return what executions for a span are called, but for their number."""
    return f"{begin:%Y%m%dT%H%M}-{end:%Y%m%dT%H%M}"


@dataclass(frozen=True, slots=True)
class Attempt:
    """An execution: its items, how it stands, and what ended it where it failed."""

    arn: str
    status: str
    hours: list[str]
    days: list[str]
    seconds: float
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Results:
    """What came of the items of a map that has ended: outputs by item, reasons of those that failed."""

    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)


class Attempts:
    """Finds and reads executions; `maps` are the states whose children do the items."""

    def __init__(self, states: Any, s3: S3Client, machine: str, bucket: str) -> None:
        self._states = states
        self._s3 = s3
        self._machine = machine
        self._bucket = bucket

    def of(self, name: str) -> Iterator[Attempt]:
        """Yield the executions of this name, the first one first; Step Functions knows them for 90 days."""
        number = 1
        while (found := self.get(f"{name}-{number}")) is not None:
            yield found
            number += 1

    def get(self, name: str) -> Attempt | None:
        """Return an execution, None if no execution has this name."""
        arn = f"{self._machine.replace(':stateMachine:', ':execution:')}:{name}"
        try:
            found = self._states.describe_execution(executionArn=arn)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ExecutionDoesNotExist":
                return None
            raise
        given = json.loads(found["input"])
        ended = found.get("stopDate")
        return Attempt(
            arn,
            found["status"],
            given["hours"],
            given["days"],
            (ended - found["startDate"]).total_seconds() if ended else 0.0,
            ": ".join(found[part] for part in ("error", "cause") if found.get(part)),
        )

    def map_runs(self, attempt: Attempt) -> dict[str, str]:
        """Return the runs of an execution's maps, by the label of the map's state."""
        pages = self._states.get_paginator("list_map_runs").paginate(executionArn=attempt.arn)
        arns = [one["mapRunArn"] for page in pages for one in page["mapRuns"]]
        return {arn.rpartition("/")[2].partition(":")[0]: arn for arn in arns}

    def results(self, map_run: str) -> Results:
        """Return what came of the items of a map's run; nothing where no results were written."""
        results = Results()
        manifest = self._read(f"{RESULTS}{map_run.rpartition(':')[2]}/manifest.json")
        if manifest is None:
            return results
        for outcome, files in manifest["ResultFiles"].items():
            for file in files:
                for child in self._read(file["Key"]) or []:
                    given = json.loads(child["Input"])
                    (item,) = given.get("hours") or given["days"]
                    if outcome == "SUCCEEDED":
                        results.outputs[item] = json.loads(child["Output"])
                    else:
                        results.reasons[item] = _reason(child)
        return results

    def _read(self, key: str) -> Any:
        try:
            return json.loads(self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read())
        except ClientError as error:
            if status_of(error) == _NOT_FOUND:
                return None
            raise


def _reason(child: dict[str, Any]) -> str:
    """Return why a child failed, as a function's error says it where it was one."""
    cause = child.get("Cause", "")
    with contextlib.suppress(ValueError, TypeError, KeyError):
        cause = json.loads(cause)["errorMessage"]
    return ": ".join(part for part in (child.get("Error", ""), cause) if part) or child.get("Status", "not begun")
