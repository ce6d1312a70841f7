"""The archive in a local run: delivery of raw objects, scheduled runs of the function, and a last run at the end."""

from __future__ import annotations

import json
import math
import time
from typing import TYPE_CHECKING

from local.aws.raw_delivery import RawDelivery
from local.function_names import ARCHIVE
from local.runtime.emulator import EmulatorError
from local.runtime.invocation import ThrottledError
from local.runtime.schedule import Schedule, scheduled_event

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from local.aws.moto import Cloud
    from local.clock import Clock
    from local.runtime.function import Function
    from local.runtime.invocation import InvocationResult
    from local.stack import Stack

ATTEMPTS = 3
"""Of the last run: the first, and the two of Lambda's queue or of the next hours."""


def archive_by_hand(function: Function, attempts: int = ATTEMPTS) -> str:
    """Run the archive until it has read everything; return why it has not, nothing if it has."""
    reason = ""
    for _ in range(attempts):
        try:
            result = function.invoke(json.dumps(scheduled_event("by hand", time.time())).encode())
        except (ThrottledError, EmulatorError) as error:
            reason = str(error)
            continue
        if result.function_error is None and isinstance(result.payload, dict) and not result.payload["objects_left"]:
            return ""
        reason = f"{result.payload}"[:500]
    return f"The archive could not be brought up to date: {reason}"


class ArchiveRun:
    """The archive part of a run, where the stack has one. Durations shrink with the feed's speed."""

    def __init__(  # noqa: PLR0913 -- the parts it is put together from
        self,
        stack: Stack,
        cloud: Cloud,
        functions: Mapping[str, Function],
        clock: Clock,
        *,
        speed: float,
        failed: Callable[[str], None],
        archived: Callable[[], object],
    ) -> None:
        """`failed` gets the scheduled invocations that end in error, `archived` is called after the others."""
        self._function = functions.get(ARCHIVE)
        self._failed = failed
        self._archived = archived
        self._is_closing = False
        pace = 1.0 if math.isinf(speed) else speed
        buffers = [max(1.0, settings.interval / pace) for settings in stack.deliveries]
        self._deliveries = [
            RawDelivery(settings, cloud.client("kinesis"), cloud.client("s3"), clock, interval=seconds)
            for settings, seconds in zip(stack.deliveries, buffers, strict=True)
        ]
        # Before the first delivery there is nothing to archive, and a cold start more while the first aircraft is due.
        first_after = min(buffers, default=0.0)
        self._schedules = [
            Schedule(settings, function.invoke, clock, speed=pace, finished=self._finished, first_after=first_after)
            for settings in stack.schedules
            for function in functions.values()
            if settings.function_arn == function.settings.arn and function.settings.logical_id == ARCHIVE
        ]

    def start(self) -> None:
        """Start the delivery and the schedule."""
        for delivery in self._deliveries:
            delivery.start()
        for schedule in self._schedules:
            schedule.start()

    def finish(self) -> str:
        """Deliver what is in the stream, and archive it; return why it could not be done, nothing if it was.

        Raises
        ------
        botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError
            The local AWS does not answer.
        """
        for schedule in self._schedules:
            schedule.stop()
        for delivery in self._deliveries:
            delivery.stop()
        return "" if self._function is None else archive_by_hand(self._function)

    def pause(self) -> None:
        """Begin nothing more, and say nothing more of what is under way: the functions are about to be stopped."""
        self._is_closing = True
        for schedule in self._schedules:
            schedule.pause()
        for delivery in self._deliveries:
            delivery.stop(deliver=False)

    def close(self) -> None:
        """End the threads, when `pause` has been called and the functions are stopped."""
        for schedule in self._schedules:
            schedule.stop()

    def _finished(self, result: InvocationResult) -> None:
        if self._is_closing:
            return
        if result.function_error is not None:
            self._failed(f"a run of the archive failed: {result.payload}")
        else:
            self._archived()
