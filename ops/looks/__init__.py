"""The looks of `ops status`: each reads the state of one part, and returns a finding."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ops.looks.consumer import ConsumerLooks
from ops.looks.data import DataLooks
from ops.looks.failures import FailureLooks
from ops.looks.reading import Reading
from ops.looks.streaming import StreamingLooks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime, timedelta

    from ops.finding import Finding
    from ops.stack import Stack

type Look = tuple[str, Callable[[], Iterable[Finding]]]


class Looks:
    """What can be looked at of a stack, with metrics of the last `span`."""

    def __init__(self, stack: Stack, span: timedelta) -> None:
        self._functions = [name for name in stack.resources if name.endswith("Function")]
        self._reading = reading = Reading(stack, span)
        self._consumer = ConsumerLooks(reading)
        self._streaming = StreamingLooks(reading)
        self._data = DataLooks(reading)
        self._failures = FailureLooks(reading)

    def all(self, now: datetime) -> list[Look]:
        """Return all looks at one moment."""
        self._reading.now = now
        return [
            ("consumer", self._consumer.consumer),
            ("schedule", self._consumer.schedule),
            ("stream", self._streaming.stream),
            *((name, lambda name=name: self._streaming.function(name)) for name in self._functions),
            ("live objects", self._data.live),
            ("archives", self._data.archives),
            ("given up", self._failures.failures),
            ("rejected", self._failures.rejected),
            ("alarms", self._failures.alarms),
        ]
