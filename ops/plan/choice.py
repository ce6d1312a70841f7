"""Chooses settings for a load and its goals, and computes their effect and dollars a month."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.cost import age, options
from benchmarks.cost.envelope_size import RecordSize
from benchmarks.cost.model import (
    AGGREGATOR_AIRCRAFT_SECONDS,
    AGGREGATOR_SECONDS,
    AGGREGATOR_UPDATE_SECONDS,
    BATCH_RECORDS,
    BATCH_SECONDS,
    RAW_BYTES_KEPT,
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
    ON_DEMAND_FAN_OUT_GB,
    ON_DEMAND_KEPT_GB,
    SECONDS,
    SHARD_HOUR,
)
from consumer.publish.envelope_outbox import LINGER_SECONDS
from consumer.publish.single_outbox import LINGER_SECONDS as SINGLE_LINGER_SECONDS
from ops.plan import alerts
from ops.plan.simulation import Function, Mapping, Traffic, simulate

if TYPE_CHECKING:
    from ops.plan.alerts import AlertsPlan
    from ops.plan.load import Load

HEADROOM = 1.5
"""What a stream takes beyond its load, so that it catches up after an outage (docs/operations/resharding.md)."""

STATE_BYTES_PER_UPDATE = 866_000 / (5_600 * 12)
"""Of the aggregator's state (docs/design.md, Aggregator: 5,600 unlike aircraft with 12 updates each)."""
STATE_BOUND = 950_000
"""At which a window's part is written and the window goes on in the next."""

_BATCHING = tuple(range(BATCH_SECONDS, 0, -1))
_KEPT = {24: 6, 48: 12, 72: 18, 168: 42, 720: 168}
"""RetentionHours, and after how many of them a record is given up (template.yaml, mapping Retention)."""
_DAY = 24

_SMALL_LOAD = 300.0
"""Updates a second up to which 256 MB suffice for the consumer (docs/performance.md, memory)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the settings are to give, in seconds.

    `latency`: 95 % of positions are drawn within. `alerts_within`: 95 % of alerts are sent within, since Kinesis has
    their update. `window`: how long the tumbling window is. `outage`: how long a stream function may fail before
    records are given up.
    """

    latency: float = 8.0
    alerts_within: float = 5.0
    window: int = 60
    outage: float = 6 * 3600.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What to set, by the template's names where it has parameters, and what follows; seconds, shares, dollars."""

    settings: dict[str, str | int]
    iterator_age: float
    alerts_within: float
    reading_share: float
    freshness: float
    state_bytes: int
    dollars: dict[str, float]
    notes: list[str]


def plan(load: Load, wishes: Wishes) -> Plan:
    """Return the settings for a load that give what is wished for, as far as there are any."""
    single = RecordSize(1, load.update_bytes, load.update_bytes * RAW_BYTES_KEPT)
    packed = enveloped(load.rate)
    size = Size("planned", load.rate, load.aircraft, window_seconds=wishes.window)
    costs = {"single": _sum(monthly(size, single)), "envelope": _sum(monthly(size, packed))}
    record_format = "envelope" if costs["envelope"] < 0.9 * costs["single"] else "single"
    record, linger = (packed, LINGER_SECONDS) if record_format == "envelope" else (single, SINGLE_LINGER_SECONDS)
    batching = next((one for one in _BATCHING if age.drawn_within(one, linger) <= wishes.latency), _BATCHING[-1])
    freshness = age.drawn_within(batching, linger)
    shards = shards_for(load.rate * HEADROOM, record)
    alerting = alerts.choose(load, record, shards, within=wishes.alerts_within, headroom=HEADROOM)
    retention = next((hours for hours, given_up in _KEPT.items() if given_up * 3600 >= wishes.outage), max(_KEPT))
    mode, stream = _mode(load.rate, record, shards, retention, is_fanned_out=alerting.is_fanned_out)
    dollars = monthly(size, record, batching)
    del dollars["Kinesis, provisioned"]
    mapping = Mapping(batch_size=BATCH_RECORDS, batching_window=batching, tumbling_window=wishes.window)
    traffic = Traffic(
        records=load.rate / record.updates / shards,
        bytes=round(record.bytes),
        readers=READERS - alerting.is_fanned_out,
    )
    outcome = simulate(mapping, traffic, aggregator(load, shards, record.updates))
    written = load.rate / shards * record.bytes_per_update
    state_a_second = load.rate / shards * STATE_BYTES_PER_UPDATE
    return Plan(
        {
            "RecordFormat": record_format,
            "StreamMode": mode,
            "ShardCount": shards,
            "RetentionHours": retention,
            "WindowSeconds": wishes.window,
            "ConsumerMemoryMegabytes": 256 if load.rate <= _SMALL_LOAD else 512,
            "AlertsParallelization": alerting.lanes,
            "AlertsFanOut": "on" if alerting.is_fanned_out else "off",
            "aggregator: BatchSize": BATCH_RECORDS,
            "aggregator: MaximumBatchingWindowInSeconds": batching,
        },
        outcome.high,
        alerting.within,
        written * traffic.readers / SHARD_READ,
        freshness,
        round(state_a_second * wishes.window),
        stream | dollars,
        [
            *_positions(freshness, wishes),
            *_window(state_a_second, wishes),
            *_alerts(alerting, wishes),
            *_reading(written, traffic.readers),
            *_kept(wishes),
        ],
    )


def aggregator(load: Load, shards: int, updates: float) -> Function:
    """Return how long the aggregator takes, by what `benchmarks.cost` takes it to: by batch, aircraft and update."""
    aircraft = load.aircraft / shards * AGGREGATOR_AIRCRAFT_SECONDS
    return Function(invocation=AGGREGATOR_SECONDS + aircraft, record=AGGREGATOR_UPDATE_SECONDS * updates)


def _positions(freshness: float, wishes: Wishes) -> list[str]:
    if freshness <= wishes.latency:
        return []
    return [f"{wishes.latency:g} s are not reached: the waits of Lambda's poll, CloudFront and the page remain"]


def _window(state_a_second: float, wishes: Wishes) -> list[str]:
    state = state_a_second * wishes.window
    if state <= STATE_BOUND:
        return []
    fits = int(STATE_BOUND / state_a_second)
    shorter = f"; windows of {fits} s fit into one" if fits else ""
    return [f"a window is written in {math.ceil(state / STATE_BOUND)} parts: its state outgrows Lambda's 1 MB{shorter}"]


def _alerts(alerting: AlertsPlan, wishes: Wishes) -> list[str]:
    if not alerting.keeps_up:
        return ["the alerts function falls behind at any AlertsParallelization: let its filter pass less"]
    if alerting.within > wishes.alerts_within:
        return [f"alerts are not sent within {wishes.alerts_within:g} s: a reader of their own does not help, either"]
    return []


def _reading(written: float, readers: int) -> list[str]:
    if written * (readers + 1) <= SHARD_READ:
        return []
    return [f"one reader more needs enhanced fan-out: the {readers} that share take most of what a shard gives"]


def _kept(wishes: Wishes) -> list[str]:
    if wishes.outage <= max(_KEPT.values()) * 3600:
        return []
    return ["records are given up after 7 days at most, which is Lambda's bound; redrive brings them back"]


def _mode(
    rate: float, record: RecordSize, shards: int, retention: int, *, is_fanned_out: bool
) -> tuple[str, dict[str, float]]:
    """Return the cheaper capacity mode, and the stream's dollars a month by item."""
    size = Size("", rate, 1)
    provisioned = {
        "Kinesis, PROVISIONED": monthly(size, record)["Kinesis, provisioned"]
        + (shards - shards_for(rate, record)) * HOURS * SHARD_HOUR
    }
    gigabytes = rate * record.bytes_per_update * SECONDS / GB
    on_demand = {"Kinesis, ON_DEMAND": options.on_demand(size, record, READERS - is_fanned_out)}
    if is_fanned_out:
        provisioned["Kinesis, the alerts' own reader"] = options.fanned_out(size, record, shards)
        on_demand["Kinesis, the alerts' own reader"] = gigabytes * ON_DEMAND_FAN_OUT_GB
    if retention > _DAY:
        item = f"Kinesis, {retention} hours kept"
        provisioned[item] = options.kept(size, record, retention, shards)
        kept = gigabytes * (min(retention, 168) - _DAY) / HOURS
        on_demand[item] = kept * ON_DEMAND_KEPT_GB + options.kept_long(size, record, retention)
    if _sum(provisioned) <= _sum(on_demand):
        return "PROVISIONED", provisioned
    return "ON_DEMAND", on_demand


def _sum(costs: dict[str, float]) -> float:
    return sum(costs.values())
