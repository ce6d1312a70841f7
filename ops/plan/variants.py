"""What settings of an event source mapping do under a load, and what each single change of them does."""

from __future__ import annotations

from dataclasses import dataclass, replace

from benchmarks.cost.prices import HOURS, LAMBDA_GB_SECOND, LAMBDA_REQUEST, SECONDS, SHARD_HOUR
from ops.plan.simulation import READ_BYTES, Function, Mapping, Outcome, Traffic, simulate

LARGEST = 10_000
"""Records in a batch (Lambda API reference, CreateEventSourceMapping)."""


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
