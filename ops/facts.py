"""What AWS does that the code relies on and that no figure says, each with its source and with who relies on it.

The second table of `docs/limits.md`; read on `ops.limits.READ_ON`.
"""

from __future__ import annotations

from dataclasses import dataclass

_LAMBDA = "Lambda developer guide, "


@dataclass(frozen=True, slots=True)
class Fact:
    """What AWS does, who says so, and who relies on it: modules, and the template's resources and parameters."""

    what: str
    source: str
    used_by: tuple[str, ...]


FACTS = (
    Fact(
        "A mapping reads each shard about once a second; a shard that retries does not delay others",
        _LAMBDA + "with-kinesis",
        ("local.event_source_mapping.pace", "ops.plan.simulation", "benchmarks.cost.age"),
    ),
    Fact(
        "A batch is from one shard, in order; failed records come again before later ones, at least of the same key",
        _LAMBDA + "with-kinesis",
        ("alerts.alerter", "aggregator.aggregation", "local.event_source_mapping.lane"),
    ),
    Fact(
        "A filter reads `data` as JSON before a record joins a batch; other data are dropped if it names keys",
        _LAMBDA + "invocation-eventfiltering",
        ("AlertsFunction", "consumer.publish.pattern_validation", "ops.explain", "local.event_source_mapping.filter"),
    ),
    Fact(
        "What the operators of a pattern match: exact, prefix, suffix, anything-but, numeric, exists, $or, any element",
        "EventBridge user guide, comparison operators",
        ("common.event_pattern", "alerts.pattern_matcher", "local.event_source_mapping.filter_operators"),
    ),
    Fact(
        "A tumbling window goes by arrival time, passes `state` from invocation to invocation, and ends with one that "
        "may have no records",
        _LAMBDA + "services-kinesis-windows",
        ("aggregator.handler", "aggregator.aggregation", "local.event_source_mapping.window"),
    ),
    Fact(
        "State beyond its bound ends the window early; the same window goes on with empty state",
        _LAMBDA + "services-kinesis-windows",
        ("aggregator.state.codec", "aggregator.state.splitting"),
    ),
    Fact(
        "With ReportBatchItemFailures all from the lowest reported sequence number come again; no error is counted",
        _LAMBDA + "services-kinesis-batchfailurereporting",
        ("alerts.handler", "AlertsErrorsAlarm"),
    ),
    Fact(
        "Throttles and halvings use up no attempt; only records that are too old are dropped",
        _LAMBDA + "kinesis-on-failure-destination",
        ("AggregatorFunction", "AlertsFunction", "local.event_source_mapping.failure"),
    ),
    Fact(
        "A batch that is given up goes to the bucket with its records, under `aws/lambda/<mapping>/<shard>/`",
        _LAMBDA + "kinesis-on-failure-destination",
        ("FailuresBucket", "ops.failures", "ops.redriving", "local.event_source_mapping.destination"),
    ),
    Fact(
        "An event that is throttled waits in Lambda's queue for `MaximumEventAgeInSeconds`",
        _LAMBDA + "invocation-async-error-handling",
        ("ConsumerFunction", "ops.drain", "local.runtime.schedule"),
    ),
    Fact(
        "A reserved concurrency of 1 lets one invocation run at a time",
        _LAMBDA + "configuration-concurrency",
        ("ConsumerFunction", "ReserveConcurrency"),
    ),
    Fact(
        "CPU is in proportion to memory, one processor at 1,769 MB",
        _LAMBDA + "configuration-memory",
        ("ConsumerMemoryMegabytes", "benchmarks.cost.lambda_sizes"),
    ),
    Fact(
        "PutRecords answers by index; a refused record does not stop later ones of the same call",
        "Kinesis API reference, PutRecords",
        ("consumer.publish.put_records", "consumer.publish.single_outbox", "ops.redriving"),
    ),
    Fact(
        "A call without an answer may have succeeded: Kinesis has no fencing, and may hold its records twice",
        "Kinesis developer guide, handling duplicate records",
        ("consumer.publish.publisher", "common.target_update", "tools.operations.rebuild"),
    ),
    Fact(
        "Sequence numbers of a shard grow; a child's records come after its parents'",
        "Kinesis developer guide, resharding",
        ("consumer.publish.shard_map", "local.event_source_mapping.poller", "ops.drain"),
    ),
    Fact(
        "A deployment may at most double the number of shards, or halve it",
        "Kinesis API reference, UpdateShardCount",
        ("ShardCount",),
    ),
    Fact(
        "With enhanced fan-out a reader has 2 MiB/s of a shard for itself, and gets records in some 70 ms",
        "Kinesis developer guide, enhanced fan-out",
        ("AlertsReader", "AlertsFanOut", "ops.plan.alerts"),
    ),
    Fact(
        "A write with `If-Match` or `If-None-Match` is refused (412, 409) unless the object is as the writer saw it; "
        "what was written is read from then on",
        "S3 user guide, conditional writes; consistency model",
        ("consumer.checkpoint.store", "aggregator.sinks.ordered_object", "alerts.newest_alerts"),
    ),
    Fact(
        "GetObject of a missing object is 404 for those who may list, 403 for others",
        "S3 API reference, GetObject",
        (
            "ConsumerRole",
            "AggregatorRole",
            "ApiRole",
            "consumer.checkpoint.store",
            "api.bucket",
            "alerts.newest_alerts",
        ),
    ),
    Fact(
        "A conditional write of DynamoDB is done or refused as a whole",
        "DynamoDB developer guide, condition expressions",
        ("alerts.suppression_table", "alerts.progress", "aggregator.sinks.aircraft_table"),
    ),
    Fact(
        "Firehose reads records that come to a stream after its own creation, and charges each in steps of 5 KB",
        "Firehose developer guide, source Kinesis; price list",
        ("RawArchive", "ConsumerSchedule", "aggregator.sinks.firehose", "benchmarks.cost.model"),
    ),
    Fact(
        "An error is dated to the start of its invocation; `TreatMissingData` says what a metric's silence means",
        "CloudWatch user guide, missing data; Lambda developer guide, metrics",
        ("ConsumerErrorsAlarm", "CommittedTokenAgeAlarm", "ArchiveBehindAlarm", "common.observability"),
    ),
    Fact(
        "Lines in the embedded metric format become metrics, charged by the hours in which they are published",
        "CloudWatch user guide, embedded metric format; price list",
        ("common.observability", "consumer.ingestion.telemetry", "benchmarks.cost.model"),
    ),
    Fact(
        "A message that is received 20 times and not deleted goes to the dead-letter queue",
        "SQS developer guide, dead-letter queues",
        ("AlertWebhookQueue", "AlertWebhookPipe"),
    ),
    Fact(
        "CloudFront signs requests to S3, but not to an HTTP API",
        "CloudFront developer guide, origin access",
        ("PageDistribution", "PageOriginAccess", "ApiAccess"),
    ),
    Fact(
        "botocore's standard mode waits up to a second before its first retry",
        "boto3 developer guide, retries",
        ("alerts.timeouts", "common.aws"),
    ),
    Fact(
        "Which formats and SerDes a table over JSON lines or Parquet has",
        "Athena user guide, Use SerDes",
        ("tools.query.template", "UpdatesTable", "WindowsDeliveredTable"),
    ),
    Fact(
        "Requests whose time is off by more than 5 minutes (S3: 15) are refused",
        "IAM user guide, signing requests",
        ("ops.checks",),
    ),
    Fact(
        "A deployment compares a template with the one before; a drift-aware change set, with what is there",
        "CloudFormation user guide, drift-aware change sets",
        ("ops.repairing",),
    ),
)


def page() -> list[str]:
    """Return the second table of `docs/limits.md`."""
    rows = ["| what AWS does | source | relied on by |", "|---|---|---|"]
    return rows + [f"| {one.what} | {one.source} | {', '.join(f'`{user}`' for user in one.used_by)} |" for one in FACTS]
