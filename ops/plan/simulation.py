"""Simulates an event source mapping under a load, with the local stack's shard, lanes and batches, and no waiting.

Time is a number that goes from event to event, as `local.event_source_mapping.poller` would see it pass: a poll, an
answer, a batch that has waited long enough. All shards are alike and independent, so that one of them is all of them.
"""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass, field
from itertools import count
from statistics import quantiles
from typing import TYPE_CHECKING

from local.event_source_mapping import MappingSettings, Pace
from local.event_source_mapping.event import EventWriter
from local.event_source_mapping.record import KinesisRecord, PendingRecord
from local.event_source_mapping.shard import Shard
from local.runtime.invocation import InvocationResult

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.event_source_mapping.shard import Work
    from local.event_source_mapping.window import Window

READ_BYTES = 2 * 1024 * 1024
"""A shard gives so much a second, to all who read it together (Kinesis quotas)."""

KEYS = tuple(f"{number:06X}" for number in range(997))
"""Partition keys of a shard's records: aircraft, spread over the lanes."""

BEGIN = 1_700_000_000.0
_ARN = "arn:aws:kinesis:us-east-1:123456789012:stream/planned"
_FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:planned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """An event source mapping's settings, in seconds and records."""

    batch_size: int = 100
    batching_window: int = 0
    parallelization: int = 1
    tumbling_window: int = 0

    def settings(self) -> MappingSettings:
        """Return it as the pollers take it."""
        properties = {
            "EventSourceArn": _ARN,
            "StartingPosition": "TRIM_HORIZON",
            "BatchSize": self.batch_size,
            "MaximumBatchingWindowInSeconds": self.batching_window,
            "ParallelizationFactor": self.parallelization,
            "TumblingWindowInSeconds": self.tumbling_window,
        }
        return MappingSettings.from_properties(properties, role_arn="planned", uuid="planned", function_arn=_FUNCTION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """How long an invocation takes: by itself, and for each record in it; seconds."""

    invocation: float
    record: float

    def seconds(self, records: int) -> float:
        """Return the duration of an invocation with so many records."""
        return self.invocation + self.record * records


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What comes to one shard: records a second, and their bytes. `readers` share what the shard gives; 0: no bound."""

    records: float
    bytes: int
    readers: int = 3


@dataclass(slots=True)
class Outcome:
    """What came of it: `ages` are seconds of each invocation's last record since its arrival.

    `invocations`, `records` in them and seconds `busy` are of the second half; `arrived` and `left` of all of it.
    """

    ages: list[float] = field(default_factory=list)
    left: int = 0
    invocations: int = 0
    records: int = 0
    arrived: int = 0
    busy: float = 0.0
    seconds: float = 0.0

    @property
    def mean(self) -> float:
        """The mean iterator age."""
        return sum(self.ages) / len(self.ages) if self.ages else 0.0

    @property
    def high(self) -> float:
        """What 95 % of the invocations stay below."""
        return quantiles(self.ages, n=20)[-1] if len(self.ages) > 1 else self.mean

    @property
    def most(self) -> float:
        """The highest, which is what CloudWatch's maximum shows."""
        return max(self.ages, default=0.0)


def simulate(  # noqa: PLR0913 - a mapping, its load, its function, and for how long
    mapping: Mapping,
    traffic: Traffic,
    function: Function,
    *,
    seconds: float = 120.0,
    seed: int = 1,
    pace: Pace | None = None,
) -> Outcome:
    """Run one shard for so many seconds; the ages are those of its second half, when it has settled or has not."""
    return _Simulation(mapping, traffic, function, seconds, seed, pace or Pace()).run()


class _Unread(EventWriter):
    """Writes no event, for nobody reads it: of a record its size counts, and each is as large as the first."""

    _encoded = b""

    def record(self, record: KinesisRecord, received: float) -> PendingRecord:
        """Give a record the first one's bytes."""
        self._encoded = self._encoded or super().record(record, received).encoded
        return PendingRecord(record.sequence_number, round(record.arrival, 3), received, self._encoded)

    def event(
        self,
        records: tuple[PendingRecord, ...],  # noqa: ARG002 - as its base has them
        window: Window | None,  # noqa: ARG002
        *,
        final: bool = False,  # noqa: ARG002
        early: bool = False,  # noqa: ARG002
    ) -> bytes:
        """Write nothing."""
        return b""


class _Simulation:
    """One run; `_now` is its time."""

    def __init__(  # noqa: PLR0913, PLR0917 - as above
        self, mapping: Mapping, traffic: Traffic, function: Function, seconds: float, seed: int, pace: Pace
    ) -> None:
        self._pace = pace
        settings, shard_id = mapping.settings(), "shardId-000000000000"
        self._shard = Shard(settings, shard_id, self._pace, _Unread(settings, shard_id))
        self._lanes = mapping.parallelization
        self._function = function
        self._traffic = traffic
        self._arrivals = arrivals(traffic, seed)
        self._next = next(self._arrivals)
        self._now = BEGIN
        self._end = BEGIN + seconds
        self._settled = BEGIN + seconds / 2
        self._next_poll = BEGIN
        self._under_way: list[tuple[float, int, Work]] = []
        self._number = count()
        self._windowed = mapping.tumbling_window > 0
        self._outcome = Outcome(seconds=seconds)

    def run(self) -> Outcome:
        """Go from event to event until the time is over."""
        while self._now < self._end:
            if not (self._complete() + self._send() + self._poll()):
                self._now = self._following()
        waiting = self._waiting()
        self._outcome.left = self._shard.buffered + waiting
        self._outcome.arrived = int(self._next.sequence_number) - 1
        return self._outcome

    def _complete(self) -> int:
        done = 0
        while self._under_way and self._under_way[0][0] <= self._now:
            _, _, work = heapq.heappop(self._under_way)
            payload: dict[str, dict[str, str]] | None = {"state": {}} if self._windowed else None
            result = InvocationResult("planned", payload, None, 0.0)
            self._shard.complete(work, result, self._now)
            done += 1
        self._shard.effects()
        return done

    def _send(self) -> int:
        works = self._shard.take(self._now)
        for work in works:
            records = len(work.batch.records)
            seconds = self._function.seconds(records)
            heapq.heappush(self._under_way, (self._now + seconds, next(self._number), work))
            if self._now >= self._settled:
                if records:
                    self._outcome.ages.append(self._now - work.batch.records[-1].arrival)
                self._outcome.invocations += 1
                self._outcome.records += records
                self._outcome.busy += seconds
        return len(works)

    def _poll(self) -> int:
        # A shard with one lane is read and invoked by one thread in turn.
        if (self._lanes == 1 and self._under_way) or self._now < self._next_poll or not self._shard.has_room:
            return 0
        records: list[KinesisRecord] = []
        while self._next.arrival <= self._now and len(records) < self._pace.poll_limit:
            records.append(self._next)
            self._next = next(self._arrivals)
        self._shard.offer(records, self._now)
        at_tip = len(records) < self._pace.poll_limit
        if at_tip:
            self._shard.caught_up(self._now)
        read = len(records) * self._traffic.bytes * self._traffic.readers / READ_BYTES
        self._next_poll = self._now + max(read, self._pace.poll_interval if at_tip else 0.0)
        return len(records)

    def _following(self) -> float:
        moments = [self._shard.wake_at(self._now), self._under_way[0][0] if self._under_way else None]
        if not (self._lanes == 1 and self._under_way) and self._shard.has_room:
            moments.append(self._next_poll)
        later = [moment for moment in moments if moment is not None and moment > self._now]
        return min(later, default=self._end)

    def _waiting(self) -> int:
        """Return the records that have arrived and were not read."""
        waiting = 0
        while self._next.arrival <= self._now:
            waiting += 1
            self._next = next(self._arrivals)
        return waiting


def arrivals(traffic: Traffic, seed: int) -> Iterator[KinesisRecord]:
    """Yield records as they arrive: at random, by the rate, without end."""
    chance = random.Random(seed)  # noqa: S311 - nothing secret
    data = bytes(traffic.bytes)
    moment = BEGIN
    for number in count(1):
        moment += chance.expovariate(traffic.records)
        yield KinesisRecord(str(number), KEYS[number % len(KEYS)], data, moment)
