"""What the stack costs a month: by how much of the world is read, in which record format, how it is batched.

An estimate, not a bill: list prices of us-east-1 as assumed in `prices`, 30 days, 750 bytes an update, without free
tiers. Envelopes are measured: made by the consumer's own code of generated updates, which are larger (860 bytes).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from benchmarks.cost import envelope_size, viewers  # first: it finds the functions' code
from benchmarks.cost.envelope_size import RecordSize
from benchmarks.cost.prices import (
    ALARM,
    API_REQUEST,
    COMPOSITE,
    DASHBOARD,
    DYNAMODB_WRITE,
    FIREHOSE_GB,
    FIREHOSE_STEP,
    GB,
    HOURS,
    KMS_KEY,
    KMS_REQUEST,
    LAMBDA_DISK_GB_SECOND,
    LAMBDA_GB_SECOND,
    LAMBDA_REQUEST,
    LOG_GB,
    METRIC,
    PUT_UNIT,
    PUT_UNIT_BYTES,
    S3_GB_MONTH,
    S3_GET,
    S3_PUT,
    SECONDS,
    SECRET,
    SHARD_HOUR,
    STEP_TRANSITION,
)
from consumer.publish.envelope_outbox import LINGER_SECONDS
from consumer.publish.shard_queue import FULL_BYTES

UPDATE_BYTES = 750
SHARD_RECORDS, SHARD_WRITTEN, SHARD_READ = 1000, 1024**2, 2 * 1024**2  # a second, of records, bytes, bytes
READERS = 3  # aggregator, alerts, raw archive: each reads all, and what a shard gives is shared by them

WINDOW_SECONDS = 60
BATCH_SECONDS = 4  # MaximumBatchingWindowInSeconds of the aggregator
BATCH_RECORDS = 2000
TOKEN_SECONDS = 15
IDENTITY_SECONDS, STATUS_SECONDS = 20, 10  # between two objects of identities (the least), of live/status.json
WINDOW_ROW_BYTES = 900
RAW_BYTES_KEPT = 0.12  # gzip over many updates
CONSUMER_GB, AGGREGATOR_GB, API_GB = 0.5, 1.0, 1.0
AGGREGATOR_SECONDS, AGGREGATOR_UPDATE_SECONDS = 0.08, 7e-6  # an invocation, which waits for S3, and each update in it
AGGREGATOR_AIRCRAFT_SECONDS = 15e-6  # its state read, written, and drawn into a snapshot, at every invocation
ARCHIVE_GB, ARCHIVE_DISK_GB = 2.0, 9.5  # beyond the half GB of disk that every function has
ARCHIVE_SECONDS, ARCHIVE_UPDATE_SECONDS = 3, 25e-6  # a run with its start and its looks at 26 hours; each update, which
# is sorted about twice, and takes no more in an hour that is archived again (benchmarks.archive)
ARCHIVE_LOOKS = 2 * 26  # a list and a ledger for each
ARCHIVED_BYTES = 28  # an update in Parquet, of generated traffic
FLIGHTS_RUNS, FLIGHTS_SECONDS, FLIGHTS_UPDATE_SECONDS = 30, 5, 32e-6  # a month's, each of which starts; docs/flights.md
FLIGHTS_READS, FLIGHTS_MAKINGS = 3, 3  # of its own updates and its neighbours'; today, yesterday and the day before
PART_ROWS = 10e6  # flights.parts; a day in parts is made once
PART_REQUESTS = 2 * 75 * S3_GET + (4 + 1) * S3_PUT  # two of each hour; lists, and the part itself
FLIGHTS_GB, FLIGHTS_DISK_GB = 2.0, 9.5
TRANSITIONS, PART_TRANSITIONS = 5, 2  # of an hour's child and its map, a day's has as many; of a part
API_REQUESTS, API_SECONDS = 100_000, 0.05  # assumed: one every 26 s
PAYLOAD_BYTES = 6e6 * 3 / 4  # of records in an invocation, in base64
STEADY_METRICS = {
    "consumer": (
        "UpdatesReceived",
        "UpdatesPublished",
        "BytesReceived",
        "CommittedTokenAge",
        "SourceLag",
        "ReadingShare",
    ),
    "aggregator": ("UpdatesCounted", "WindowRowsWritten", "WindowsClosed", "UpdateAge"),
    "alerts": ("AlertsNotified", "AlertsSuppressed"),
    "archive": ("UpdatesArchived", "RawObjectsLeft"),
}
"""Of our own metrics those that have something to say in any hour; counts of zero are not published."""
OTHER_METRICS = 4  # assumed in an hour: duplicates, reconnects, fields that were ignored, windows in parts
LEAN_METRICS = sum(map(len, STEADY_METRICS.values())) + OTHER_METRICS
METRICS = LEAN_METRICS + 2 * 7  # EventCount of each event source mapping
ALARMS, COMPOSITES = 34, 4  # metrics that alarms watch, each of which is charged for; alarms put together from others
LEAN_ALARMS, LEAN_COMPOSITES = 12, 1  # with Watching=lean
VISIT_SECONDS = 30  # assumed of a run that stops when it has caught up: its start, the backlog, up to a token of now
VISIT_WINDOWS, VISIT_WRITES = 2, 4  # windows that a visit's updates are in; its writes of the checkpoint
SMALL_CONSUMER_GB = 0.25
LOGGED_BYTES = 1_000  # assumed of an invocation, or of a commit: Lambda's three lines and one of metrics
KEY_USES, KEY_SECONDS = 20, 300  # with KmsKeyArn: roles and services by what they use, and how long a data key is kept


@dataclass(frozen=True, slots=True)
class Size:
    """How much of the world is read: updates per second, and aircraft heard of within one window.

    `visit_minutes` is how often, None all the time. What is read periodically is watched by few alarms, has no page,
    and a consumer of less memory, as the environment `small` of samconfig.toml.
    """

    name: str
    updates: float
    aircraft: int
    visit_minutes: float | None = None
    window_seconds: int = WINDOW_SECONDS

    @property
    def visits(self) -> float:
        """Visits a month; 0 of what is read all the time."""
        return SECONDS / 60 / self.visit_minutes if self.visit_minutes else 0.0

    @property
    def at_work(self) -> float:
        """Seconds a month in which updates pass."""
        return self.visits * VISIT_SECONDS if self.visit_minutes else SECONDS

    @property
    def windows(self) -> float:
        """Windows a month in which a shard has updates."""
        return self.visits * VISIT_WINDOWS if self.visit_minutes else SECONDS / self.window_seconds


SIZES = (Size("one airport", 1.5, 20), Size("a large region", 50, 300), Size("the whole world", 4000, 12_000))
SMALL = Size("one airport every 15 minutes", 1.5, 20, visit_minutes=15)
"""The environment `small` of samconfig.toml."""
TWENTY_FIVE_WORLDS = Size("25 times the world", 100_000, 300_000)
SINGLE = RecordSize(1, UPDATE_BYTES, UPDATE_BYTES * RAW_BYTES_KEPT)
BY_FORMAT = ("Kinesis, provisioned", "aggregator", "live snapshots (S3)", "raw archive (Firehose, S3)")
"""Items that the record format changes; all others cost the same."""
PAGE = "the page (CloudFront), one viewer always there"
PARTS = "flights of days in parts, if `FlightsInParts=on`"
TABLE = "latest states (DynamoDB), if `LatestStateTable=on`"


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


def monthly(size: Size, record: RecordSize = SINGLE, batch_seconds: float = BATCH_SECONDS) -> dict[str, float]:
    """Return US dollars a month by item; `batch_seconds` is the aggregator's batching window."""
    shards = shards_for(size.updates, record)
    updates = size.updates * SECONDS
    records = updates / record.updates
    windows = size.windows
    batches = max(
        size.at_work / batch_seconds * shards,
        records / BATCH_RECORDS,
        updates * record.bytes_per_update / PAYLOAD_BYTES,
    )
    aggregating = (
        batches * (AGGREGATOR_SECONDS + size.aircraft / shards * AGGREGATOR_AIRCRAFT_SECONDS)
        + updates * AGGREGATOR_UPDATE_SECONDS
    )
    archiving = HOURS * ARCHIVE_SECONDS + updates * ARCHIVE_UPDATE_SECONDS
    parts = FLIGHTS_RUNS * parts_of_day(size)
    flights_second = FLIGHTS_GB * LAMBDA_GB_SECOND + FLIGHTS_DISK_GB * LAMBDA_DISK_GB_SECOND
    reading = updates * FLIGHTS_READS * FLIGHTS_UPDATE_SECONDS
    closed = windows * shards
    snapshots = batches + size.at_work / IDENTITY_SECONDS * shards + 2 * closed  # a closed one has its own identities
    is_periodic = size.visit_minutes is not None
    consumer_gb = SMALL_CONSUMER_GB if is_periodic else CONSUMER_GB
    commits = size.visits * VISIT_WRITES if is_periodic else SECONDS / TOKEN_SECONDS
    return {
        "Kinesis, provisioned": shards * HOURS * SHARD_HOUR
        + records * math.ceil(record.bytes / PUT_UNIT_BYTES) * PUT_UNIT,
        "consumer": size.at_work * consumer_gb * LAMBDA_GB_SECOND + commits * S3_PUT,
        "aggregator": aggregating * AGGREGATOR_GB * LAMBDA_GB_SECOND + batches * LAMBDA_REQUEST,
        "live snapshots (S3)": (snapshots + size.at_work / STATUS_SECONDS) * S3_PUT,
        TABLE: size.aircraft * windows * DYNAMODB_WRITE,
        "window rows (Firehose, S3)": size.aircraft * windows * WINDOW_ROW_BYTES / GB * FIREHOSE_GB
        + size.aircraft * windows * WINDOW_ROW_BYTES / GB * RAW_BYTES_KEPT * S3_GB_MONTH,
        "raw archive (Firehose, S3)": records
        * math.ceil(record.bytes / FIREHOSE_STEP)
        * FIREHOSE_STEP
        / GB
        * FIREHOSE_GB
        + updates * record.archived_bytes_per_update / GB * S3_GB_MONTH,
        "archive (Lambda, S3), in its first month": archiving
        * (ARCHIVE_GB * LAMBDA_GB_SECOND + ARCHIVE_DISK_GB * LAMBDA_DISK_GB_SECOND)
        + HOURS * (LAMBDA_REQUEST + ARCHIVE_LOOKS * S3_PUT)
        + updates * ARCHIVED_BYTES / GB * S3_GB_MONTH,
        "flights (Lambda)": (FLIGHTS_RUNS * FLIGHTS_SECONDS + (0 if parts else FLIGHTS_MAKINGS * reading))
        * flights_second
        + FLIGHTS_RUNS * (LAMBDA_REQUEST + TRANSITIONS * STEP_TRANSITION),
        PARTS: (parts * FLIGHTS_SECONDS + reading) * flights_second
        + parts * (LAMBDA_REQUEST + PART_REQUESTS + PART_TRANSITIONS * STEP_TRANSITION)
        if parts
        else 0.0,
        f"API, {API_REQUESTS:,} requests": API_REQUESTS
        * (API_REQUEST + LAMBDA_REQUEST + API_SECONDS * API_GB * LAMBDA_GB_SECOND),
        "logs (CloudWatch)": (batches + commits + API_REQUESTS + HOURS) * LOGGED_BYTES / GB * LOG_GB,
        PAGE: 0.0 if is_periodic else viewers.monthly(1, batch_seconds=batch_seconds),
        "metrics, alarms, dashboard, secret, key": watching(is_lean=is_periodic) + SECRET + KMS_KEY,
    }


def watching(*, is_lean: bool) -> float:
    """Return US dollars a month for metrics and alarms, and unless `Watching=lean` for the dashboard."""
    if is_lean:
        return LEAN_METRICS * METRIC + LEAN_ALARMS * ALARM + LEAN_COMPOSITES * COMPOSITE
    return METRICS * METRIC + ALARMS * ALARM + COMPOSITES * COMPOSITE + DASHBOARD


def key_requests() -> float:
    """Return US dollars a month that your own key adds; the key itself takes the place of the stack's."""
    return KEY_USES * SECONDS / KEY_SECONDS * KMS_REQUEST


def reprocessed(size: Size) -> dict[str, float]:
    """Return US dollars for a month's hours archived again and its days' flights made again, by item."""
    updates = size.updates * SECONDS
    days = SECONDS / 86_400
    archiving = HOURS * ARCHIVE_SECONDS + updates * ARCHIVE_UPDATE_SECONDS
    parts = days * parts_of_day(size)
    flights = (days + parts) * FLIGHTS_SECONDS + updates * FLIGHTS_READS * FLIGHTS_UPDATE_SECONDS
    archive_second, flights_second = (
        memory * LAMBDA_GB_SECOND + disk * LAMBDA_DISK_GB_SECOND
        for memory, disk in ((ARCHIVE_GB, ARCHIVE_DISK_GB), (FLIGHTS_GB, FLIGHTS_DISK_GB))
    )
    return {
        "hours archived again (Lambda)": archiving * archive_second,
        "flights made again (Lambda)": flights * flights_second,
        "state machine": ((HOURS + days) * TRANSITIONS + parts * PART_TRANSITIONS) * STEP_TRANSITION,
    }


def parts_of_day(size: Size) -> int:
    """Return in how many parts a day's flights are made, 0 if as a whole."""
    rows = size.updates * 86_400 * FLIGHTS_READS
    return math.ceil(rows / PART_ROWS) if rows > 2 * PART_ROWS else 0


def without_options(costs: dict[str, float]) -> float:
    """Return the sum with `LatestStateTable=off` and `FlightsInParts=off`."""
    return sum(costs.values()) - costs[TABLE] - costs[PARTS]
