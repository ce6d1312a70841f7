"""AWS's limits that the code and the template rely on, each with its source and with who relies on it.

Read on `READ_ON`. `ops.plan.check` holds a template against those that it can exceed. `python -m ops.limits` prints the
tables of `docs/limits.md`, with what AWS does that no figure says (`ops.facts`).
"""

from __future__ import annotations

from dataclasses import dataclass

READ_ON = "2026-11-29"

ESM = "Lambda API reference, CreateEventSourceMapping"
_LAMBDA = "Lambda developer guide, Lambda quotas"
_KINESIS = "Kinesis developer guide, Quotas and limits"
_PUT_RECORDS = "Kinesis API reference, PutRecords"
_FIREHOSE = "Firehose API reference, PutRecordBatch"
_SNS = "SNS API reference, Publish"


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit: what of, which properties of which resource type it bounds, from and to, and who says so.

    `besides` are values that are allowed as well. `used_by` names modules, constants in them that are within the
    limit, and the template's resources and parameters.
    """

    what: str
    low: float
    high: float
    unit: str
    source: str
    used_by: tuple[str, ...]
    type: str = ""
    property: str = ""
    besides: tuple[float, ...] = ()

    def takes(self, value: float) -> bool:
        """Return whether a value is within the limit."""
        return self.low <= value <= self.high or value in self.besides


MAPPING, _FUNCTION, _STREAM = "AWS::Lambda::EventSourceMapping", "AWS::Lambda::Function", "AWS::Kinesis::Stream"
_QUEUE = "AWS::SQS::Queue"
_BOTH = ("AggregatorFunction", "AlertsFunction")

LIMITS = (
    Limit("records in a batch", 1, 10_000, "records", ESM, (*_BOTH, "ops.plan.variants.LARGEST"), MAPPING, "BatchSize"),
    Limit("batching window", 0, 300, "s", ESM, _BOTH, MAPPING, "MaximumBatchingWindowInSeconds"),
    Limit(
        "batches of a shard at once; 1 with a tumbling window",
        1,
        10,
        "",
        ESM,
        (*_BOTH, "AlertsParallelization", "ops.plan.alerts.MOST_LANES"),
        MAPPING,
        "ParallelizationFactor",
    ),
    Limit(
        "tumbling window",
        0,
        900,
        "s",
        ESM,
        ("AggregatorFunction", "WindowSeconds", "tools.operations.rebuild._LONGEST_WINDOW"),
        MAPPING,
        "TumblingWindowInSeconds",
    ),
    Limit("attempts for a batch", -1, 10_000, "", ESM, _BOTH, MAPPING, "MaximumRetryAttempts"),
    Limit(
        "age of a record before it is given up; -1 for never",
        60,
        604_800,
        "s",
        ESM,
        (
            *_BOTH,
            "RetentionHours",
            "alerts.progress._KEPT_SECONDS",
            "local.event_source_mapping.settings._SHORTEST_AGE",
        ),
        MAPPING,
        "MaximumRecordAgeInSeconds",
        (-1,),
    ),
    Limit(
        "filter patterns of a mapping",
        0,
        5,
        "",
        "Lambda developer guide, filtering",
        ("AlertsFunction", "local.event_source_mapping.settings._MOST_FILTERS"),
        MAPPING,
        "FilterCriteria",
    ),
    Limit(
        "time of an invocation",
        1,
        900,
        "s",
        _LAMBDA,
        ("ConsumerFunction", "consumer.settings._LONGEST_RUN_SECONDS"),
        _FUNCTION,
        "Timeout",
    ),
    Limit(
        "memory of a function",
        128,
        10_240,
        "MB",
        _LAMBDA,
        ("ConsumerMemoryMegabytes", "ArchiveFunction"),
        _FUNCTION,
        "MemorySize",
    ),
    Limit("disk of a function", 512, 10_240, "MB", _LAMBDA, ("ArchiveFunction", "FlightsFunction", "archive.staging")),
    Limit(
        "payload of a synchronous invocation, its answer's too",
        0,
        6_000_000,
        "bytes",
        _LAMBDA,
        ("local.event_source_mapping.batch.LARGEST_PAYLOAD", "api.window_rows._MOST_ANSWERED"),
    ),
    Limit(
        "environment variables of a function, together",
        0,
        4_096,
        "bytes",
        _LAMBDA,
        ("AlertPattern1", "tools.operations.alert_patterns._ENVIRONMENT"),
    ),
    Limit(
        "state of a tumbling window, a shard",
        0,
        1_048_576,
        "bytes",
        "Lambda developer guide, Kinesis windows",
        (
            "aggregator.state.codec.LAMBDA_BYTES",
            "aggregator.state.splitting.STATE_BYTES",
            "local.event_source_mapping.window.LARGEST_STATE",
        ),
    ),
    Limit(
        "characters of a filter pattern",
        1,
        4_096,
        "",
        "Lambda API reference, Filter",
        ("common.event_pattern.LONGEST_PATTERN",),
    ),
    Limit(
        "retention of a stream",
        24,
        8_760,
        "hours",
        _KINESIS,
        ("UpdatesStream", "RetentionHours"),
        _STREAM,
        "RetentionPeriodHours",
    ),
    Limit(
        "records written to a shard a second",
        0,
        1_000,
        "records",
        _KINESIS,
        ("ShardCount", "benchmarks.cost.model.SHARD_RECORDS", "ops.looks.streaming._SHARD_RECORDS"),
    ),
    Limit(
        "bytes written to a shard a second",
        0,
        1_048_576,
        "bytes",
        _KINESIS,
        ("ShardCount", "benchmarks.cost.model.SHARD_WRITTEN", "ops.looks.streaming._SHARD_BYTES"),
    ),
    Limit(
        "bytes read of a shard a second, by all that share it",
        0,
        2_097_152,
        "bytes",
        _KINESIS,
        ("ShardCount", "AlertsFanOut", "benchmarks.cost.model.SHARD_READ", "ops.plan.simulation.READ_BYTES"),
    ),
    Limit("reads of a shard a second, by all that share it", 0, 5, "", _KINESIS, ("ops.updates",)),
    Limit(
        "records a read",
        1,
        10_000,
        "records",
        "Kinesis API reference, GetRecords",
        ("local.event_source_mapping.pace", "local.aws.moto_kinesis"),
    ),
    Limit("bytes a read", 0, 10_485_760, "bytes", "Kinesis API reference, GetRecords", ("local.aws.moto_kinesis",)),
    Limit(
        "a record's data and key, unless the stream is set to more",
        0,
        1_048_576,
        "bytes",
        _PUT_RECORDS,
        ("consumer.publish.limits.MAX_RECORD_BYTES", "ops.failures.MOST_RECORD_BYTES"),
    ),
    Limit(
        "records a call of PutRecords",
        1,
        500,
        "records",
        _PUT_RECORDS,
        ("consumer.publish.limits.MAX_BATCH_RECORDS", "ops.redriving.RECORDS_PER_CALL"),
    ),
    Limit(
        "bytes a call of PutRecords",
        0,
        5_242_880,
        "bytes",
        _PUT_RECORDS,
        ("consumer.publish.limits.MAX_BATCH_BYTES", "ops.redriving.BYTES_PER_CALL"),
    ),
    Limit(
        "records a call of PutRecordBatch", 1, 500, "records", _FIREHOSE, ("aggregator.sinks.firehose.CALL_RECORDS",)
    ),
    Limit(
        "bytes a call of PutRecordBatch", 0, 4_194_304, "bytes", _FIREHOSE, ("aggregator.sinks.firehose.CALL_BYTES",)
    ),
    Limit(
        "bytes of a record of Firehose",
        0,
        1_024_000,
        "bytes",
        _FIREHOSE,
        ("aggregator.sinks.firehose.RECORD_BYTES", "api.bucket._LONGEST_LINE"),
    ),
    Limit("characters of a subject", 1, 100, "", _SNS, ("alerts.notification.LONGEST_SUBJECT",)),
    Limit("bytes of a message of SNS", 1, 262_144, "bytes", _SNS, ("alerts.notification.LONGEST_UPDATE",)),
    Limit(
        "time a queue keeps a message",
        60,
        1_209_600,
        "s",
        "SQS API reference, SetQueueAttributes",
        ("AlertWebhookFailures",),
        _QUEUE,
        "MessageRetentionPeriod",
    ),
    Limit(
        "input of an execution",
        0,
        262_144,
        "bytes",
        "Step Functions developer guide, quotas",
        ("ReprocessStateMachine", "tools.reprocess.deployed._MOST_BYTES"),
    ),
    Limit(
        "metrics a call of GetMetricData", 1, 500, "", "CloudWatch API reference, GetMetricData", ("ops.metrics._MOST",)
    ),
)


def page() -> list[str]:
    """Return the table of `docs/limits.md`."""
    rows = ["| limit | from | to | unit | source | property | relied on by |", "|---|---:|---:|---|---|---|---|"]
    for one in LIMITS:
        named = f"`{one.property}`" if one.property else ""
        users = ", ".join(f"`{user}`" for user in one.used_by)
        rows.append(f"| {one.what} | {one.low:,g} | {one.high:,.0f} | {one.unit} | {one.source} | {named} | {users} |")
    return rows


if __name__ == "__main__":
    from ops import facts

    print("\n".join([*page(), "", *facts.page()]))  # noqa: T201 - the output
