"""The DynamoDB sink: the latest state of each aircraft, in which a newer update is never replaced by an older one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from threading import Lock
from typing import TYPE_CHECKING

from aggregator import instants
from aggregator.state.layout import POSITION_SCALE, READING_SCALE
from aggregator.state.window_part import LATEST_READINGS, LATEST_TEXTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    from aggregator.state.window_part import AircraftWindow, WindowPart

    type Item = dict[str, AttributeValueTypeDef]

THREADS = 8
"""Writes in flight. Each waits some milliseconds for DynamoDB and takes at most 0.9 ms of a vCPU: with rows, the end of
a window takes 4.54 s of one for 5,000 (docs/performance.md). One by one the waiting would be added to that; more than
eight only take memory."""

KEEP_SECONDS = 3 * 24 * 3600
"""Seconds after which an aircraft that sends nothing expires from the table, by its TTL attribute `expires_at`."""

IS_NEWER = (
    "attribute_not_exists(icao_address)"
    " OR #timestamp < :measured OR (ingestion_time <> :none AND ingestion_time < :measured)"
    " OR ((#timestamp = :measured OR ingestion_time = :measured)"
    " AND (#timestamp < :timestamp OR (#timestamp = :timestamp AND ingestion_time < :ingestion_time)))"
)
"""The order of `common.recency`. The item's own `measured` is not stored: one of two times is earlier than a third when
either is. Times are written with six decimals, so that the order of texts is the order in time."""


class AircraftTable:
    """Writes each aircraft's newest update into one table, keyed by `icao_address`.

    The item holds the newest update's own fields (one that it lacks is left out) and, since the update may lack a
    position, the window's last position with its `position_timestamp`. Without an `ingestion_time`, that attribute is
    empty.
    """

    def __init__(self, client: DynamoDBClient, table_name: str, threads: int = THREADS) -> None:
        """`client` retries throttled writes itself: give it a retry mode with backoff and as many connections.

        The threads are started by the first write and stay: each has its own memory arena, which new
        threads at every window's close would leave in pieces, a little more each time.
        """
        self._client = client
        self._table_name = table_name
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="latest-state")

    def write(self, part: WindowPart, now: float) -> int:
        """Write every aircraft of the part whose update is newer than the table's; return how many were.

        `now` is in seconds since the epoch. Writing the same again changes nothing. When it returns or raises, no write
        is under way any more.

        Raises
        ------
        botocore.exceptions.ClientError
            A write failed, after the client's own retries, for another reason than a newer item.
        """
        work = _Work(items(part, int(now) + KEEP_SECONDS))
        writers = [self._pool.submit(self._put_all, work) for _ in range(self._threads)]
        wait(writers)
        return sum(writer.result() for writer in writers)

    def _put_all(self, work: _Work) -> int:
        try:
            return sum(map(self._put_if_newer, work))
        except BaseException:
            work.stop()
            raise

    def _put_if_newer(self, item: Item) -> bool:
        timestamp, ingestion_time = item["timestamp"]["S"], item["ingestion_time"]["S"]
        try:
            self._client.put_item(
                TableName=self._table_name,
                Item=item,
                ReturnConsumedCapacity="TOTAL",
                ConditionExpression=IS_NEWER,
                ExpressionAttributeNames={"#timestamp": "timestamp"},
                ExpressionAttributeValues={
                    ":timestamp": {"S": timestamp},
                    ":ingestion_time": {"S": ingestion_time},
                    ":measured": {"S": min(timestamp, ingestion_time or timestamp)},
                    ":none": {"S": ""},
                },
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True


class _Work:
    """Items that several threads take one by one, made on demand: thousands of them never wait in memory."""

    def __init__(self, items: Iterator[Item]) -> None:
        self._items = items
        self._lock = Lock()
        self._is_stopped = False

    def stop(self) -> None:
        """Hand out no more items."""
        self._is_stopped = True

    def __iter__(self) -> Iterator[Item]:
        return self

    def __next__(self) -> Item:
        with self._lock:
            if self._is_stopped:
                raise StopIteration
            return next(self._items)


def items(part: WindowPart, expires_at: int) -> Iterator[Item]:
    """Yield the table's item for each aircraft of the part, in DynamoDB's own types."""
    for address, aircraft in part.read():
        yield _item(part, address, aircraft, expires_at)


def _item(part: WindowPart, address: str, aircraft: AircraftWindow, expires_at: int) -> Item:
    timestamp, has_ingestion, delay = aircraft.last
    ingested = instants.sortable_text(instants.moment(part.origin, timestamp + delay)) if has_ingestion else ""
    item: Item = {
        "icao_address": {"S": address},
        "timestamp": {"S": instants.sortable_text(instants.moment(part.origin, timestamp))},
        "ingestion_time": {"S": ingested},
        "expires_at": {"N": str(expires_at)},
    }
    for name, reading in zip(LATEST_READINGS, aircraft.latest_readings, strict=True):
        if reading is not None:
            item[name] = {"N": _decimal(reading, READING_SCALE)}
    for name, text in zip(LATEST_TEXTS, aircraft.latest_texts, strict=True):
        if text is not None:
            item[name] = {"S": text}
    if aircraft.latest_on_ground is not None:
        item["on_ground"] = {"BOOL": aircraft.latest_on_ground}
    position = aircraft.last_position
    if position is not None:
        item["latitude"] = {"N": _decimal(position.latitude, POSITION_SCALE)}
        item["longitude"] = {"N": _decimal(position.longitude, POSITION_SCALE)}
        item["position_timestamp"] = {"S": instants.sortable_text(instants.moment(part.origin, position.at.time))}
    return item


def _decimal(value: int, scale: int) -> str:
    """Write a scaled whole number in digits: at these sizes a float's shortest text is exact."""
    return format(value / scale, ".10g") if value % scale else str(value // scale)
