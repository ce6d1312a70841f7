"""A shard under the test's own time: put records, let seconds pass, script the function's answers."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from local.event_source_mapping.failure import Discard
from local.event_source_mapping.observation import BatchFailed, WindowClosed
from local.event_source_mapping.pace import Pace
from local.event_source_mapping.record import KinesisRecord
from local.event_source_mapping.settings import MappingSettings
from local.event_source_mapping.shard import Shard
from local.runtime.invocation import InvocationResult, ThrottledError

STREAM = "arn:aws:kinesis:eu-west-1:123456789012:stream/updates"
FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:consumer"
ROLE = "arn:aws:iam::123456789012:role/consumer"
PROPERTIES = {"EventSourceArn": STREAM, "StartingPosition": "TRIM_HORIZON"}


def make_settings(**properties) -> MappingSettings:
    """A mapping's settings: a stream read from its beginning, and these properties."""
    return MappingSettings.from_properties(
        PROPERTIES | properties, role_arn=ROLE, uuid="6d4f0f4e-esm", function_arn=FUNCTION
    )


def failed(message="boom"):
    """What the runtime gives for a function that raised."""
    return InvocationResult("req-err", {"errorType": "ValueError", "errorMessage": message}, "Unhandled", 0.1)


def answered(payload):
    """What the runtime gives for a function that returned this."""
    return InvocationResult("req-ok", payload, None, 0.1)


def reporting(*numbers):
    """The answer of a function that reports these sequence numbers as failed."""
    return answered({"batchItemFailures": [{"itemIdentifier": str(number)} for number in numbers]})


def numbers_of(event) -> list[int]:
    """The sequence numbers in an event."""
    return [int(record["kinesis"]["sequenceNumber"]) for record in event["Records"]]


@dataclass
class Rig:
    """`now` is the time; each entry of `calls` is an event sent; `answers` are given in turn, then `default`."""

    settings: MappingSettings
    pace: Pace = field(default_factory=lambda: Pace(first_retry=1.0, longest_retry=8.0, throttled=0.5))
    now: float = 1_000_000.0
    default: Any = None
    answers: list = field(default_factory=list)
    calls: list[dict] = field(default_factory=list)
    sent_at: list[float] = field(default_factory=list)
    effects: list = field(default_factory=list)
    put_so_far: int = 0

    def __post_init__(self):
        self.shard = Shard(self.settings, "shardId-000000000000", self.pace)

    def put(self, count=1, *, data=b"{}", key=None, arrival=None):
        """Records arrive and are read at once."""
        records = []
        for _ in range(count):
            self.put_so_far += 1
            records.append(
                KinesisRecord(
                    str(self.put_so_far),
                    key or f"key-{self.put_so_far}",
                    data,
                    self.now if arrival is None else arrival,
                )
            )
        self.shard.offer(records, self.now)
        return self

    def poll(self):
        """A read that finds nothing more."""
        self.shard.caught_up(self.now)
        return self

    def work(self):
        """Make the invocations that are due, one after the other, until none is left."""
        while work := self.shard.take(self.now):
            for one in work:
                event = json.loads(one.event)
                self.calls.append(event)
                self.sent_at.append(self.now)
                answer = self.answers.pop(0) if self.answers else self._default(event)
                if callable(answer):
                    answer = answer(event)
                if isinstance(answer, Exception):
                    self.shard.postpone(one, self.now, throttled=isinstance(answer, ThrottledError))
                else:
                    self.shard.complete(one, answer, self.now)
        self.effects += self.shard.effects()
        return self

    def _default(self, _event):
        if self.default is not None:
            return self.default
        if self.settings.tumbling_window:
            return lambda event: answered({"state": {"seen": event["state"].get("seen", []) + numbers_of(event)}})
        return answered(None)

    def wait(self, seconds):
        self.now += seconds
        return self

    def run(self, seconds, step=0.5):
        """Let time pass in steps, polling an empty shard and working at each."""
        until = self.now + seconds
        while self.now < until:
            self.wait(min(step, until - self.now)).poll().work()
        return self

    @property
    def sent(self) -> list[list[int]]:
        return [numbers_of(event) for event in self.calls]

    @property
    def discards(self) -> list[Discard]:
        return [effect for effect in self.effects if isinstance(effect, Discard)]

    @property
    def discarded(self) -> list[list[int]]:
        return [[int(record.sequence_number) for record in discard.records] for discard in self.discards]

    @property
    def windows(self) -> list[WindowClosed]:
        return [effect for effect in self.effects if isinstance(effect, WindowClosed)]

    @property
    def failures(self) -> list[BatchFailed]:
        return [effect for effect in self.effects if isinstance(effect, BatchFailed)]


@pytest.fixture
def rig():
    """Makes a shard with these properties of its mapping."""
    return lambda **properties: Rig(make_settings(**properties))


@pytest.fixture
def settings():
    """Makes a mapping's settings from these properties."""
    return make_settings


@pytest.fixture
def answers():
    """The answers a function can give: `answers.failed()`, `.answered(payload)`, `.reporting(sequence numbers)`."""
    return SimpleNamespace(failed=failed, answered=answered, reporting=reporting)


@pytest.fixture
def data_of():
    """Decodes the data of an event's records."""
    return lambda event: [base64.b64decode(record["kinesis"]["data"]) for record in event["Records"]]
