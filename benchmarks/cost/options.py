"""What parameters add to the cost table, which has them off or at their least: US dollars a month, by its sizes.

The template's descriptions say the same in words, and a test holds them to these figures.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.cost import model
from benchmarks.cost.model import API_REQUESTS, BATCH_SECONDS, READERS, Size, shards_for
from benchmarks.cost.prices import (
    ALARM,
    API_DESTINATION_REQUEST,
    ENDPOINT_HOUR,
    FAN_OUT_GB,
    FAN_OUT_SHARD_HOUR,
    GB,
    HOURS,
    INSIGHTS_LOG_BYTES,
    INSIGHTS_METRICS,
    KEPT_LONG_GB,
    KEPT_SHARD_HOUR,
    LOG_GB,
    MAIL,
    METRIC,
    NAT_GB,
    NAT_HOUR,
    ON_DEMAND_GB_IN,
    ON_DEMAND_GB_OUT,
    ON_DEMAND_STEP,
    ON_DEMAND_STREAM_HOUR,
    PIPE_REQUEST,
    PUBLIC_ADDRESS_HOUR,
    SECONDS,
    SECRET,
    SQS_REQUEST,
    TRACE,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.cost.envelope_size import RecordSize

FUNCTIONS = 6
ALERTS = 1_000  # a month, assumed
QUEUE_REQUESTS = 3  # of a message: sent, received, deleted
EMPTY_POLLS = SECONDS / 20 * 5  # assumed: Pipes polls a queue as Lambda does, five at once for 20 seconds each
CONSUMER_RUNS = SECONDS / 900
TRACED_A_SECOND, TRACED_SHARE = 1.0, 0.05  # X-Ray's rule where no other is made: one a second, a twentieth of the rest
DEBUG_BYTES_DAY = 40e6  # docs/logs.md: a line a second of each process
ENDPOINTS, ZONES = 4, 2  # kinesis-streams, secretsmanager, kinesis-firehose, sns; in how many zones, assumed
WIRE_BYTES = 0.12  # of an update's, from the stream's server: gzip


_DAY = 24


@dataclass(frozen=True, slots=True)
class Option:
    """A parameter's value, what it is assumed to be used for, and what it adds a month to a stack of a size."""

    setting: str
    assumed: str
    dollars: Callable[[Size, RecordSize], float]


def on_demand(size: Size, record: RecordSize, readers: int = READERS) -> float:
    """Return what a stream on demand costs that so many readers share: by the hour, and by the byte in and out."""
    charged = math.ceil(record.bytes / ON_DEMAND_STEP) * ON_DEMAND_STEP
    updates = size.updates * SECONDS
    return (
        HOURS * ON_DEMAND_STREAM_HOUR
        + updates / record.updates * charged / GB * ON_DEMAND_GB_IN
        + updates * record.bytes_per_update / GB * readers * ON_DEMAND_GB_OUT
    )


def kept(size: Size, record: RecordSize, hours: int, shards: int) -> float:
    """Return what a provisioned stream of so many shards costs for keeping records longer than 24 hours."""
    return (shards * HOURS * KEPT_SHARD_HOUR if hours > _DAY else 0.0) + kept_long(size, record, hours)


def kept_long(size: Size, record: RecordSize, hours: int) -> float:
    """Return what a stream of either mode costs for keeping records longer than 7 days."""
    seconds = max(0, hours - 7 * _DAY) * 3600
    return size.updates * record.bytes_per_update * seconds / GB * KEPT_LONG_GB


def fanned_out(size: Size, record: RecordSize, shards: int) -> float:
    """Return what one reader of its own costs in a provisioned stream of so many shards."""
    read = size.updates * record.bytes_per_update * SECONDS / GB
    return shards * HOURS * FAN_OUT_SHARD_HOUR + read * FAN_OUT_GB


def webhook(alerts: float) -> float:
    """Return what posting so many alerts costs: a pipe from a queue that is polled always, and its alarm."""
    each = PIPE_REQUEST + API_DESTINATION_REQUEST + QUEUE_REQUESTS * SQS_REQUEST
    return ALARM + EMPTY_POLLS * SQS_REQUEST + alerts * each


def invocations(size: Size, record: RecordSize) -> dict[str, float]:
    """Return invocations a month by function, those of the alerts taken for one an alert."""
    runs = size.visits or CONSUMER_RUNS
    batches = size.at_work / BATCH_SECONDS * _shards(size, record)
    return {
        "consumer": runs,
        "aggregator": batches,
        "alerts": ALERTS,
        "api": API_REQUESTS,
        "archive": HOURS,
        "flights": model.FLIGHTS_RUNS,
    }


def traced(size: Size, record: RecordSize) -> float:
    """Return what the traces cost that X-Ray takes where no sampling rule is made."""
    taken = 0.0
    for number in invocations(size, record).values():
        first = min(number, TRACED_A_SECOND * SECONDS)
        taken += first + TRACED_SHARE * (number - first)
    return taken * TRACE


def insights(size: Size, record: RecordSize) -> float:
    """Return what Lambda Insights' metrics and its line an invocation cost."""
    lines = sum(invocations(size, record).values())
    return FUNCTIONS * INSIGHTS_METRICS * METRIC + lines * INSIGHTS_LOG_BYTES / GB * LOG_GB


def gateway(size: Size, record: RecordSize) -> float:
    """Return what one NAT gateway and its address cost, with the stream coming in and the records going out."""
    through = size.updates * SECONDS * (model.UPDATE_BYTES * WIRE_BYTES + record.bytes_per_update)
    return HOURS * (NAT_HOUR + PUBLIC_ADDRESS_HOUR) + through / GB * NAT_GB


def debug_lines(size: Size, record: RecordSize) -> float:
    """Return what DEBUG's lines cost: of the consumer, and of the aggregator for each shard."""
    return 30 * DEBUG_BYTES_DAY * (size.at_work / SECONDS) * (1 + _shards(size, record)) / GB * LOG_GB


def _shards(size: Size, record: RecordSize) -> int:
    """Return the shards that the cost table takes."""
    return shards_for(size.updates, record)


OPTIONS = (
    Option(
        "`StreamMode=ON_DEMAND`",
        "in place of shards",
        lambda size, record: on_demand(size, record) - model.monthly(size, record)["Kinesis, provisioned"],
    ),
    Option("`RetentionHours=168`", "", lambda size, record: kept(size, record, 168, _shards(size, record))),
    Option("`RetentionHours=720`", "", lambda size, record: kept(size, record, 720, _shards(size, record))),
    Option("`AlertsFanOut=on`", "", lambda size, record: fanned_out(size, record, _shards(size, record))),
    Option("`AlertWebhook`", f"{ALERTS:,} alerts", lambda _size, _record: webhook(ALERTS)),
    Option("`AlertWebhookSecretArn`", "", lambda _size, _record: SECRET),
    Option("`AlertEmail`", f"{ALERTS:,} alerts", lambda _size, _record: ALERTS * MAIL),
    Option("`Tracing=on`", "X-Ray's own sampling", traced),
    Option("`LambdaInsightsLayerArn`", "", insights),
    Option("`LogLevel=DEBUG`", "the sample's bound", debug_lines),
    Option("`KmsKeyArn`", "in place of the stack's key", lambda _size, _record: model.key_requests()),
    Option("`SubnetIds`", "one NAT gateway for all", gateway),
    Option(
        "`SubnetIds`, interface endpoints beside it",
        f"{ENDPOINTS} in {ZONES} zones",
        lambda _size, _record: ENDPOINTS * ZONES * HOURS * ENDPOINT_HOUR,
    ),
    Option(
        "`Watching=lean`",
        "",
        lambda size, _record: (
            0.0 if size.visit_minutes else model.watching(is_lean=True) - model.watching(is_lean=False)
        ),
    ),
)
"""Parameters that cost something beyond the cost table. Memory, architecture and retention in days are not priced."""

FREE = ("PermissionsBoundaryArn", "CodeSigningConfigArn", "SecurityGroupIds", "VpcIpv6", "AlertsParallelization")
"""Asked for by people, and free: `AlertsParallelization` but for more and smaller invocations."""
