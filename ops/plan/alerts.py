"""How the alerts function reads: batches of a shard at once, and whether by a reader of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from local.event_source_mapping import Pace
from ops.plan.simulation import Function, Mapping, Traffic, simulate

if TYPE_CHECKING:
    from benchmarks.cost.envelope_size import RecordSize
    from ops.plan.load import Load

BATCH_SIZE = 100
"""Of the alerts' mapping (template.yaml)."""
MOST_LANES = 10
PUSHED_SECONDS = 0.07
"""Until a reader of its own has a record, on average (Kinesis developer guide, enhanced fan-out)."""

_INVOCATION_SECONDS = 0.08
"""Assumed of an invocation: the answers of DynamoDB, SNS and S3, which its alerts wait for side by side."""
_ALERT_SECONDS = 0.016
"""Each alert's CPU at the function's 256 MB (docs/performance.md, memory)."""
_OPENED_SECONDS = 30e-6
"""Each update's of an envelope, the same: it is decoded to be asked."""


@dataclass(frozen=True, slots=True)
class AlertsPlan:
    """Settings, and seconds within which 95 % of alerts are sent after Kinesis has their update."""

    lanes: int
    is_fanned_out: bool
    within: float
    keeps_up: bool


def choose(load: Load, record: RecordSize, shards: int, *, within: float, headroom: float) -> AlertsPlan:
    """Return the fewest lanes that keep up with `headroom`, shared reading if its alerts are sent in time."""
    passing, function = _work(load, record, shards)
    enough = next(
        (
            number
            for number in range(1, MOST_LANES + 1)
            if number * BATCH_SIZE / function.seconds(BATCH_SIZE) > passing * headroom
        ),
        None,
    )
    lanes = enough or MOST_LANES
    shared = AlertsPlan(
        lanes, is_fanned_out=False, within=_within(lanes, passing, function, Pace()), keeps_up=enough is not None
    )
    if shared.within <= within:
        return shared
    pushed = _within(lanes, passing, function, replace(Pace(), poll_interval=PUSHED_SECONDS))
    return replace(shared, is_fanned_out=True, within=pushed) if pushed <= within else shared


def _work(load: Load, record: RecordSize, shards: int) -> tuple[float, Function]:
    """Return records a second of a shard that pass the filter, and how long the function takes for them."""
    records = load.rate / record.updates / shards
    share = 1 - (1 - load.matching) ** record.updates
    opened = record.updates * _OPENED_SECONDS if record.updates > 1 else 0.0
    matching = record.updates * load.matching / share if share else 0.0  # updates of a record that passes
    return records * share, Function(invocation=_INVOCATION_SECONDS, record=opened + matching * _ALERT_SECONDS)


def _within(lanes: int, passing: float, function: Function, pace: Pace) -> float:
    """Simulate one shard; a record a second at least, which ages as rarer ones do."""
    mapping = Mapping(batch_size=BATCH_SIZE, parallelization=lanes)
    traffic = Traffic(records=max(passing, 1.0), bytes=1_000, readers=0)
    outcome = simulate(mapping, traffic, function, pace=pace)
    return outcome.high + function.seconds(1)
