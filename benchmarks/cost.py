"""What the stack costs a month at three sizes: `pipenv run python -m benchmarks.cost`.

A reckoning, no bill: list prices of us-east-1 as assumed below, 30 days, 750 bytes an update, without free tiers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

SECONDS = 30 * 24 * 3600.0
HOURS = SECONDS / 3600
UPDATE_BYTES = 750
GB = 1e9

LAMBDA_GB_SECOND, LAMBDA_REQUEST = 0.0000133334, 0.20e-6  # arm64
SHARD_HOUR, PUT_UNIT = 0.015, 0.014e-6  # Kinesis, provisioned; a unit is up to 25 KB
SHARD_UPDATES_PER_SECOND = 1000
FIREHOSE_GB, FIREHOSE_STEP = 0.029, 5_000  # each record is rounded up to 5 KB
DYNAMODB_WRITE = 0.625e-6  # on demand, up to 1 KB
S3_PUT, S3_GB_MONTH = 5e-6, 0.023
METRIC, ALARM, SECRET, KMS_KEY = 0.30, 0.10, 0.40, 1.00

WINDOW_SECONDS = 60
BATCH_SECONDS = 5  # MaximumBatchingWindowInSeconds of the aggregator
BATCH_RECORDS = 2000
TOKEN_SECONDS = 15
WINDOW_ROW_BYTES = 900
RAW_BYTES_KEPT = 0.12  # gzip over many updates
CONSUMER_GB, AGGREGATOR_GB = 0.5, 0.5
AGGREGATOR_SECONDS = 0.1  # an invocation, assumed
METRICS, ALARMS = 24 + 16, 17  # our own, and S3's request metrics


@dataclass(frozen=True, slots=True)
class Size:
    """How much of the world is read: updates per second, and aircraft heard of within one window."""

    name: str
    updates: float
    aircraft: int


SIZES = (Size("one airport", 1.5, 20), Size("a large region", 50, 300), Size("the whole world", 4000, 12_000))


def monthly(size: Size) -> dict[str, float]:
    """Return US dollars a month by item."""
    shards = math.ceil(size.updates / SHARD_UPDATES_PER_SECOND)
    updates = size.updates * SECONDS
    windows = SECONDS / WINDOW_SECONDS
    batches = max(SECONDS / BATCH_SECONDS * shards, updates / BATCH_RECORDS)
    return {
        "Kinesis, provisioned": shards * HOURS * SHARD_HOUR + updates * PUT_UNIT,
        "consumer": SECONDS * CONSUMER_GB * LAMBDA_GB_SECOND + SECONDS / TOKEN_SECONDS * S3_PUT,
        "aggregator": batches * (AGGREGATOR_SECONDS * AGGREGATOR_GB * LAMBDA_GB_SECOND + LAMBDA_REQUEST),
        "latest states (DynamoDB)": size.aircraft * windows * DYNAMODB_WRITE,
        "window rows (Firehose, S3)": size.aircraft * windows * WINDOW_ROW_BYTES / GB * FIREHOSE_GB
        + size.aircraft * windows * WINDOW_ROW_BYTES / GB * RAW_BYTES_KEPT * S3_GB_MONTH,
        "raw archive (Firehose, S3)": updates * max(FIREHOSE_STEP, UPDATE_BYTES) / GB * FIREHOSE_GB
        + updates * UPDATE_BYTES * RAW_BYTES_KEPT / GB * S3_GB_MONTH,
        "metrics, alarms, secret, key": METRICS * METRIC + ALARMS * ALARM + SECRET + KMS_KEY,
    }


def main() -> None:
    """Print the table as Markdown."""
    columns = [monthly(size) for size in SIZES]
    heads = [f"{size.name}, {size.updates:g}/s" for size in SIZES]
    print("| US dollars a month | " + " | ".join(heads) + " |")  # noqa: T201 - the table is the output
    print("|---|" + "---:|" * len(SIZES))  # noqa: T201
    for item in columns[0]:
        print(f"| {item} | " + " | ".join(f"{column[item]:,.2f}" for column in columns) + " |")  # noqa: T201
    print("| **all** | " + " | ".join(f"**{sum(column.values()):,.0f}**" for column in columns) + " |")  # noqa: T201


if __name__ == "__main__":
    main()
