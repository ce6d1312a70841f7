"""From a load to settings, to what they lead to, and to dollars a month."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from benchmarks.cost import age
from benchmarks.cost.envelope_size import RecordSize
from benchmarks.cost.model import (
    AGGREGATOR_AIRCRAFT_SECONDS,
    AGGREGATOR_SECONDS,
    AGGREGATOR_UPDATE_SECONDS,
    READERS,
    SHARD_READ,
    Size,
    enveloped,
    monthly,
    shards_for,
)
from benchmarks.cost.prices import (
    GB,
    HOURS,
    LAMBDA_GB_SECOND,
    LAMBDA_REQUEST,
    ON_DEMAND_GB_IN,
    ON_DEMAND_GB_OUT,
    ON_DEMAND_STREAM_HOUR,
    SECONDS,
    SHARD_HOUR,
)
from consumer.publish.envelope_outbox import LINGER_SECONDS
from consumer.publish.single_outbox import LINGER_SECONDS as SINGLE_LINGER_SECONDS
from ops.plan.simulation import READ_BYTES, Function, Mapping, Outcome, Traffic, simulate

if TYPE_CHECKING:
    from ops.plan.load import Load

HEADROOM = 1.5
"""What a stream takes beyond its load, so that it catches up after an outage (docs/operations/resharding.md)."""

STATE_BYTES_PER_UPDATE = 866_000 / (5_600 * 12)
"""Of the aggregator's state (docs/design.md, Aggregator: 5,600 unlike aircraft with 12 updates each)."""
STATE_BOUND = 950_000
"""At which a window's part is written and the window goes on in the next."""

_BATCHING = (3, 2, 1)
LARGEST = 10_000
"""Records in a batch (Lambda API reference, CreateEventSourceMapping)."""

_SMALL_LOAD = 300.0
"""Updates a second up to which 256 MB suffice for the consumer (docs/performance.md, memory)."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to set, by the template's names where it has parameters, and what follows; seconds, shares, dollars."""

    settings: dict[str, str | int]
    iterator_age: float
    reading_share: float
    freshness: float
    state_bytes: int
    dollars: dict[str, float]
    notes: list[str]


def plan(load: Load, latency: float) -> Plan:
    """Return the settings for a load whose positions are to be drawn within `latency` seconds, 95 % of them."""
    single = RecordSize(1, load.update_bytes, load.update_bytes * 0.12)
    packed = enveloped(load.rate)
    size = Size("planned", load.rate, load.aircraft)
    costs = {"single": _sum(monthly(size, single)), "envelope": _sum(monthly(size, packed))}
    record_format = "envelope" if costs["envelope"] < 0.9 * costs["single"] else "single"
    record, linger = (packed, LINGER_SECONDS) if record_format == "envelope" else (single, SINGLE_LINGER_SECONDS)
    batching = next((one for one in _BATCHING if age.drawn_within(one, linger) <= latency), _BATCHING[-1])
    shards = shards_for(load.rate * HEADROOM, record)
    mode, stream = _mode(load.rate, record, shards)
    dollars = monthly(size, record, batching) | {"Kinesis, provisioned": stream}
    dollars = {name.replace("Kinesis, provisioned", f"Kinesis, {mode}"): cost for name, cost in dollars.items()}
    mapping = Mapping(batch_size=2000, batching_window=batching, tumbling_window=60)
    records = load.rate / record.updates / shards
    traffic = Traffic(records=records, bytes=round(record.bytes), readers=READERS)
    outcome = simulate(mapping, traffic, aggregator(load, shards, record.updates))
    written = load.rate / shards * record.bytes_per_update
    state = round(load.rate / shards * 60 * STATE_BYTES_PER_UPDATE)
    freshness = age.drawn_within(batching, linger)
    return Plan(
        {
            "RecordFormat": record_format,
            "StreamMode": mode,
            "ShardCount": shards,
            "WindowSeconds": 60,
            "ConsumerMemoryMegabytes": 256 if load.rate <= _SMALL_LOAD else 512,
            "aggregator: BatchSize": 2000,
            "aggregator: MaximumBatchingWindowInSeconds": batching,
            "alerts: ParallelizationFactor": 1,
            "alerts: reads": "shared",
            "retention, hours": 24,
        },
        outcome.high,
        written * READERS / SHARD_READ,
        freshness,
        state,
        dollars,
        _notes(freshness, latency, state, written),
    )


def aggregator(load: Load, shards: int, updates: float) -> Function:
    """Return how long the aggregator takes, by what `benchmarks.cost` takes it to: by batch, aircraft and update."""
    aircraft = load.aircraft / shards * AGGREGATOR_AIRCRAFT_SECONDS
    return Function(invocation=AGGREGATOR_SECONDS + aircraft, record=AGGREGATOR_UPDATE_SECONDS * updates)


def _notes(freshness: float, latency: float, state: int, written: float) -> list[str]:
    notes = []
    if freshness > latency:
        notes.append(f"{latency:g} s are not reached: the waits of Lambda's poll, CloudFront and the page remain")
    if state > STATE_BOUND:
        notes.append(f"a window is written in {math.ceil(state / STATE_BOUND)} parts: its state outgrows Lambda's 1 MB")
    if written * (READERS + 1) > SHARD_READ:
        notes.append("a fourth reader needs enhanced fan-out: the three take most of what a shard gives")
    return notes


def _mode(rate: float, record: RecordSize, shards: int) -> tuple[str, float]:
    """Return the cheaper capacity mode, and the stream's dollars a month."""
    provisioned = monthly(Size("", rate, 1), record)["Kinesis, provisioned"]
    provisioned += (shards - shards_for(rate, record)) * HOURS * SHARD_HOUR
    gigabytes = rate * record.bytes_per_update * SECONDS / GB
    on_demand = HOURS * ON_DEMAND_STREAM_HOUR + gigabytes * (ON_DEMAND_GB_IN + READERS * ON_DEMAND_GB_OUT)
    return ("PROVISIONED", provisioned) if provisioned <= on_demand else ("ON_DEMAND", on_demand)


def _sum(costs: dict[str, float]) -> float:
    return sum(costs.values())


@dataclass(frozen=True, slots=True)
class Variant:
    """One set of settings under a load: what it can take, how old records get, and what it costs a month."""

    name: str
    capacity: float
    outcome: Outcome
    concurrency: float
    dollars: float

    @property
    def keeps_up(self) -> bool:
        """Whether a shard takes more than comes."""
        arriving = self.outcome.arrived / self.outcome.seconds
        return self.capacity > arriving


def variants(  # noqa: PLR0913 - a mapping, its load, its function
    mapping: Mapping, function: Function, *, rate: float, shards: int, record_bytes: int, readers: int, memory_mb: int
) -> list[Variant]:
    """Return the settings as given, and what each single change of them does; `rate` is in records a second."""
    changed: list[tuple[str, Mapping, Function, int]] = [("as given", mapping, function, shards)]
    for factor in (2, 5, 10):
        if factor > mapping.parallelization and not mapping.tumbling_window:
            more = replace(mapping, parallelization=factor)
            changed.append((f"ParallelizationFactor {factor}", more, function, shards))
    sizes = [
        size for size in (2 * mapping.batch_size, 5 * mapping.batch_size, 10 * mapping.batch_size) if size <= LARGEST
    ]
    changed += [(f"BatchSize {size:,}", replace(mapping, batch_size=size), function, shards) for size in sizes]
    quick = Function(invocation=function.invocation / 2, record=function.record / 2)
    changed += [
        (f"{memory_mb * 2:,} MB, if the function computes", mapping, quick, shards),
        (f"{shards * 2} shards", mapping, function, shards * 2),
    ]
    return [
        _variant(
            name,
            one,
            how,
            Traffic(records=rate / count, bytes=record_bytes, readers=readers),
            count,
            memory_mb * (2 if how is quick else 1),
        )
        for name, one, how, count in changed
    ]


def _variant(  # noqa: PLR0913, PLR0917 - a mapping, its load, its function
    name: str, mapping: Mapping, function: Function, traffic: Traffic, shards: int, memory_mb: int
) -> Variant:
    outcome = simulate(mapping, traffic, function, seconds=30.0)
    measured = outcome.seconds / 2
    worked = mapping.parallelization * mapping.batch_size / function.seconds(mapping.batch_size)
    capacity = min(worked, READ_BYTES / traffic.readers / traffic.bytes)
    busy = outcome.busy / measured
    dollars = shards * HOURS * SHARD_HOUR + shards * SECONDS * (
        busy * memory_mb / 1024 * LAMBDA_GB_SECOND + outcome.invocations / measured * LAMBDA_REQUEST
    )
    return Variant(name, capacity, outcome, busy * shards, dollars)
