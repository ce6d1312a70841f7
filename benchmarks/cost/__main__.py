"""What the stack costs a month at three sizes: `pipenv run python -m benchmarks.cost`; by record format: `--formats`.

A reckoning, no bill: list prices of us-east-1 as assumed below, 30 days, 750 bytes an update, without free tiers.
Envelopes are measured: made by the consumer's own code of generated updates, which are larger than that (860 bytes).
"""

from __future__ import annotations

import argparse
import math
import sys
from dataclasses import dataclass
from itertools import batched

from benchmarks.cost import envelope_size  # first: it finds the functions' code
from benchmarks.cost.envelope_size import RecordSize
from consumer.publish.envelope_outbox import LINGER_SECONDS
from consumer.publish.shard_queue import FULL_BYTES

SECONDS = 30 * 24 * 3600.0
HOURS = SECONDS / 3600
UPDATE_BYTES = 750
GB = 1e9

LAMBDA_GB_SECOND, LAMBDA_REQUEST = 0.0000133334, 0.20e-6  # arm64
SHARD_HOUR, PUT_UNIT, PUT_UNIT_BYTES = 0.015, 0.014e-6, 25 * 1024  # Kinesis, provisioned
SHARD_RECORDS, SHARD_WRITTEN, SHARD_READ = 1000, 1024**2, 2 * 1024**2  # a second, of records, bytes, bytes
READERS = 3  # aggregator, alerts, raw archive: each reads all, and what a shard gives is shared by them
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
AGGREGATOR_SECONDS, AGGREGATOR_UPDATE_SECONDS = 0.08, 10e-6  # an invocation, and each update in it: assumed
PAYLOAD_BYTES = 6e6 * 3 / 4  # of records in an invocation, in base64
METRICS, ALARMS = 24 + 16, 17  # our own, and S3's request metrics


@dataclass(frozen=True, slots=True)
class Size:
    """How much of the world is read: updates per second, and aircraft heard of within one window."""

    name: str
    updates: float
    aircraft: int


SIZES = (Size("one airport", 1.5, 20), Size("a large region", 50, 300), Size("the whole world", 4000, 12_000))
TWENTY_FIVE_WORLDS = Size("25 times the world", 100_000, 300_000)
SINGLE = RecordSize(1, UPDATE_BYTES, UPDATE_BYTES * RAW_BYTES_KEPT)
BY_FORMAT = ("Kinesis, provisioned", "aggregator", "raw archive (Firehose, S3)")
"""Items that the record format changes; all others cost the same."""


def shards_for(updates: float, record: RecordSize) -> int:
    """Return how many shards so many updates a second take, by the tightest of a shard's three bounds."""
    written = updates * record.bytes_per_update
    records = updates / record.updates
    return math.ceil(max(records / SHARD_RECORDS, written / SHARD_WRITTEN, written * READERS / SHARD_READ))


def enveloped(updates: float) -> RecordSize:
    """Return the envelopes of so many updates a second: full, or what comes to a shard until they have to go."""
    full = round(FULL_BYTES / envelope_size.line_bytes())
    shards = shards_for(updates, envelope_size.envelope(full))
    return envelope_size.envelope(max(1, min(full, round(updates / shards * LINGER_SECONDS))))


def monthly(size: Size, record: RecordSize = SINGLE) -> dict[str, float]:
    """Return US dollars a month by item."""
    shards = shards_for(size.updates, record)
    updates = size.updates * SECONDS
    records = updates / record.updates
    windows = SECONDS / WINDOW_SECONDS
    batches = max(
        SECONDS / BATCH_SECONDS * shards, records / BATCH_RECORDS, updates * record.bytes_per_update / PAYLOAD_BYTES
    )
    aggregating = batches * AGGREGATOR_SECONDS + updates * AGGREGATOR_UPDATE_SECONDS
    return {
        "Kinesis, provisioned": shards * HOURS * SHARD_HOUR
        + records * math.ceil(record.bytes / PUT_UNIT_BYTES) * PUT_UNIT,
        "consumer": SECONDS * CONSUMER_GB * LAMBDA_GB_SECOND + SECONDS / TOKEN_SECONDS * S3_PUT,
        "aggregator": aggregating * AGGREGATOR_GB * LAMBDA_GB_SECOND + batches * LAMBDA_REQUEST,
        "latest states (DynamoDB)": size.aircraft * windows * DYNAMODB_WRITE,
        "window rows (Firehose, S3)": size.aircraft * windows * WINDOW_ROW_BYTES / GB * FIREHOSE_GB
        + size.aircraft * windows * WINDOW_ROW_BYTES / GB * RAW_BYTES_KEPT * S3_GB_MONTH,
        "raw archive (Firehose, S3)": records
        * math.ceil(record.bytes / FIREHOSE_STEP)
        * FIREHOSE_STEP
        / GB
        * FIREHOSE_GB
        + updates * record.archived_bytes_per_update / GB * S3_GB_MONTH,
        "metrics, alarms, secret, key": METRICS * METRIC + ALARMS * ALARM + SECRET + KMS_KEY,
    }


def by_size() -> list[str]:
    """Return the table of all items at each size, one update a record, and the sum with envelopes, as Markdown."""
    columns = [monthly(size) for size in SIZES]
    rows = [f"| US dollars a month | {' | '.join(f'{size.name}, {size.updates:g}/s' for size in SIZES)} |"]
    rows.append("|---|" + "---:|" * len(SIZES))
    rows += [f"| {item} | {' | '.join(f'{column[item]:,.2f}' for column in columns)} |" for item in columns[0]]
    in_envelopes = [monthly(size, enveloped(size.updates)) for size in SIZES]
    for name, sums in (("**all**", columns), ("**all, with `RecordFormat=envelope`**", in_envelopes)):
        rows.append(f"| {name} | {' | '.join(f'**{sum(column.values()):,.0f}**' for column in sums)} |")
    return rows


def by_format() -> list[str]:
    """Return the table of what the record format changes, as Markdown."""
    sizes = (*SIZES[1:], TWENTY_FIVE_WORLDS)
    columns = [(size, record) for size in sizes for record in (SINGLE, enveloped(size.updates))]
    costs = [monthly(size, record) for size, record in columns]
    saved = [
        sum(single[item] - packed[item] for item in BY_FORMAT) for single, packed in batched(costs, 2, strict=True)
    ]
    rows = ["| | " + " | ".join(f"{size.updates:,}/s single | envelope" for size in sizes) + " |"]
    rows.append("|---|" + "---:|" * len(columns))
    facts = {
        "updates a record": [f"{record.updates:,.0f}" for _, record in columns],
        "bytes an update, in the stream": [f"{record.bytes_per_update:,.0f}" for _, record in columns],
        "shards": [f"{shards_for(size.updates, record):,}" for size, record in columns],
        **{f"{item}, $": [f"{cost[item]:,.2f}" for cost in costs] for item in BY_FORMAT},
        "**these three, $**": [f"**{sum(cost[item] for item in BY_FORMAT):,.0f}**" for cost in costs],
    }
    rows += [f"| {name} | {' | '.join(values)} |" for name, values in facts.items()]
    rows.append("| **saved, $** | " + " | ".join(f"| **{one:,.0f}**" for one in saved) + " |")
    return rows


def main(arguments: list[str] | None = None) -> int:
    """Print a table as Markdown; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.cost",
        allow_abbrev=False,
        description="Print what the stack costs a month, in US dollars, as a Markdown table: at list prices of "
        "us-east-1, 30 days, 750 bytes an update, without free tiers.",
    )
    parser.add_argument("--formats", action="store_true", help="what the record format changes, instead of all items")
    options = parser.parse_args(arguments)
    print("\n".join(by_format() if options.formats else by_size()))  # noqa: T201 - the table is the output
    return 0


if __name__ == "__main__":
    sys.exit(main())
