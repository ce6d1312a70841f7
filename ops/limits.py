"""AWS's limits that the code and the template rely on, each with its source; `docs/limits.md` is made of them.

Read on `READ_ON`. `exceeded` holds a template against those that it can exceed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ops.template import DeployedTemplate

READ_ON = "2026-11-29"

_ESM = "Lambda API reference, CreateEventSourceMapping"
_LAMBDA = "Lambda developer guide, Lambda quotas"
_KINESIS = "Kinesis developer guide, Quotas and limits"
_PUT_RECORDS = "Kinesis API reference, PutRecords"


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit: what of, which properties of which resource type it bounds, from and to, and who says so."""

    what: str
    low: float
    high: float
    unit: str
    source: str
    type: str = ""
    property: str = ""


_MAPPING, _FUNCTION, _STREAM = "AWS::Lambda::EventSourceMapping", "AWS::Lambda::Function", "AWS::Kinesis::Stream"

LIMITS = (
    Limit("records in a batch", 1, 10_000, "records", _ESM, _MAPPING, "BatchSize"),
    Limit("batching window", 0, 300, "s", _ESM, _MAPPING, "MaximumBatchingWindowInSeconds"),
    Limit("batches of a shard at once; 1 with a tumbling window", 1, 10, "", _ESM, _MAPPING, "ParallelizationFactor"),
    Limit("tumbling window", 0, 900, "s", _ESM, _MAPPING, "TumblingWindowInSeconds"),
    Limit("attempts for a batch", -1, 10_000, "", _ESM, _MAPPING, "MaximumRetryAttempts"),
    Limit("age of a record before it is given up", -1, 604_800, "s", _ESM, _MAPPING, "MaximumRecordAgeInSeconds"),
    Limit("filter patterns of a mapping", 0, 5, "", "Lambda developer guide, filtering", _MAPPING, "FilterCriteria"),
    Limit("time of an invocation", 1, 900, "s", _LAMBDA, _FUNCTION, "Timeout"),
    Limit("memory of a function", 128, 10_240, "MB", _LAMBDA, _FUNCTION, "MemorySize"),
    Limit("payload of a synchronous invocation", 0, 6_000_000, "bytes", _LAMBDA),
    Limit("environment variables of a function, together", 0, 4_096, "bytes", _LAMBDA),
    Limit("state of a tumbling window, a shard", 0, 1_048_576, "bytes", "Lambda developer guide, Kinesis windows"),
    Limit("characters of a filter pattern", 1, 4_096, "", "Lambda API reference, Filter"),
    Limit("retention of a stream", 24, 8_760, "hours", _KINESIS, _STREAM, "RetentionPeriodHours"),
    Limit("records written to a shard a second", 0, 1_000, "records", _KINESIS),
    Limit("bytes written to a shard a second", 0, 1_048_576, "bytes", _KINESIS),
    Limit("bytes read of a shard a second, by all that share it", 0, 2_097_152, "bytes", _KINESIS),
    Limit("reads of a shard a second, by all that share it", 0, 5, "", _KINESIS),
    Limit("records a read", 1, 10_000, "records", "Kinesis API reference, GetRecords"),
    Limit("a record's data and key, unless the stream is told of more", 0, 1_048_576, "bytes", _PUT_RECORDS),
    Limit("records a call of PutRecords", 1, 500, "records", _PUT_RECORDS),
    Limit("bytes a call of PutRecords", 0, 5_242_880, "bytes", _PUT_RECORDS),
)


def exceeded(template: DeployedTemplate) -> Iterator[str]:
    """Yield a sentence for each property of the template that AWS would refuse."""
    for limit in LIMITS:
        for logical_id, properties in template.of_type(limit.type) if limit.type else ():
            value = _number(template, properties, limit.property)
            if value is not None and not limit.low <= value <= limit.high:
                yield (
                    f"{logical_id}: {limit.property} is {value:,g}; {limit.what}: {limit.low:,g} to {limit.high:,g} "
                    f"{limit.unit}".rstrip()
                    + f" ({limit.source})"
                )
    for logical_id, properties in template.of_type(_MAPPING):
        window = _number(template, properties, "TumblingWindowInSeconds")
        factor = _number(template, properties, "ParallelizationFactor")
        if window and factor is not None and factor > 1:
            yield f"{logical_id}: ParallelizationFactor is {factor:g} with a tumbling window; expected 1 ({_ESM})"


def _number(template: DeployedTemplate, properties: dict[str, Any], name: str) -> float | None:
    given = properties.get(name)
    if name == "FilterCriteria":
        return None if given is None else float(len(given["Filters"]))
    value = template.value(given)
    try:
        return None if value is None else float(value)
    except (TypeError, ValueError):
        return None


def page() -> list[str]:
    """Return the table of `docs/limits.md`."""
    rows = ["| limit | from | to | unit | source | property |", "|---|---:|---:|---|---|---|"]
    for one in LIMITS:
        named = f"`{one.property}`" if one.property else ""
        rows.append(f"| {one.what} | {one.low:,g} | {one.high:,.0f} | {one.unit} | {one.source} | {named} |")
    return rows
