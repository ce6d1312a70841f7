"""Flights in a local run: made after each archive run, and once more at the end."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from local.function_names import FLIGHTS
from local.runtime.emulator import EmulatorError
from local.runtime.invocation import ThrottledError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from local.aws.moto import Cloud
    from local.runtime.function import Function
    from local.stack import Stack

ATTEMPTS = 3
"""The first one, and those of Lambda's queue or of the next day."""

_HOURS = "archive/updates/"


class FlightsRun:
    """The function, where the stack has one, over all days that the archive has.

    Its own schedule looks at the last days by the clock; a recording has others.
    """

    def __init__(self, stack: Stack, cloud: Cloud, functions: Mapping[str, Function]) -> None:
        self._function = functions.get(FLIGHTS)
        self._s3 = cloud.client("s3")
        self._bucket = stack.resources.get("DataBucket", "")

    def make(self) -> str:
        """Make the flights of all days; return why they could not be made, nothing if they were.

        Raises
        ------
        botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError
            The local AWS does not answer.
        """
        days = self._days() if self._function is not None else []
        return "" if self._function is None or not days else make_by_hand(self._function, days)

    def make_meanwhile(self, failed: Callable[[str], None]) -> str:
        """Make them; `failed` gets the reason if they could not be made; no update is lost then."""
        try:
            reason = self.make()
        except (BotoCoreError, ClientError) as error:
            reason = f"The local AWS does not answer: {error}"
        if reason:
            failed(reason)
        return ""

    def _days(self) -> list[str]:
        listed: Any = self._s3.list_objects_v2(Bucket=self._bucket, Prefix=_HOURS, Delimiter="/")
        return [one["Prefix"].removeprefix(f"{_HOURS}date=").rstrip("/") for one in listed.get("CommonPrefixes", [])]


def make_by_hand(function: Function, days: list[str], attempts: int = ATTEMPTS) -> str:
    """Make the flights of these days; return why they could not be made, nothing if they were."""
    reason = ""
    for _ in range(attempts):
        try:
            result = function.invoke(json.dumps({"days": days, "only_changed": True}).encode())
        except (ThrottledError, EmulatorError) as error:
            reason = str(error)
            continue
        if result.function_error is None:
            return ""
        reason = f"{result.payload}"[:500]
    return f"The flights could not be made: {reason}"
