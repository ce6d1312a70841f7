"""The sinks against Firehose, S3 and DynamoDB as a moto server plays them."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError

from aggregator import wiring
from aggregator.sinks import delivery_log, row_schema
from aggregator.sinks.aircraft_table import KEEP_SECONDS, THREADS, AircraftTable
from aggregator.sinks.delivery_log import DeliveryLog, DeliveryRecord, EndedEarly, PartDelivery
from aggregator.sinks.firehose import Waiter, WindowRowsSink, pack
from aggregator.state.window_part import WindowPart
from common.recency import order
from common.target_update import TargetUpdate

ORIGIN = datetime(2024, 3, 4, 23, 24, tzinfo=UTC)
NOW = 1_709_594_700.0


def part_of(*updates):
    """A part that has counted the updates."""
    part = WindowPart(ORIGIN)
    for update in updates:
        part.add(update)
    return part


def update(address="040172", seconds=1.0, delay=2.0, **fields):
    """An update of the window."""
    timestamp = ORIGIN + timedelta(seconds=seconds)
    ingestion_time = None if delay is None else timestamp + timedelta(seconds=delay)
    return TargetUpdate(icao_address=address, timestamp=timestamp, ingestion_time=ingestion_time, **fields)


@pytest.fixture
def dynamodb(aws):
    """The client as the function makes it."""
    return boto3.client("dynamodb", endpoint_url=aws, config=Config(**wiring.DYNAMODB))


@pytest.fixture
def latest_states(table, dynamodb):
    """The sink under test."""
    return AircraftTable(dynamodb, table.name)


def test_rows_reach_s3_as_lines(delivery_stream, bucket):
    """What is put into Firehose is in the bucket, a row a line, whatever the packing."""
    part = part_of(*(update(f"{n:06X}", speed=float(n)) for n in range(300)))
    name = row_schema.PartName("2024-03-04T23:24:00Z", "2024-03-04T23:25:00Z", "shardId-000000000000", 0)
    records = pack(row_schema.rows(part, name), record_bytes=10_000)
    sink = WindowRowsSink(boto3.client("firehose"), delivery_stream, Waiter(pytest.fail, lambda: 0.0))
    accepted = set()
    sink.write(records, accepted)
    assert accepted == set(range(len(records)))
    assert len(records) > 10
    delivered = bucket.rows()
    assert len(delivered) == 301
    assert {row["icao_address"] for row in delivered if row["kind"] == "aircraft"} == set(part.aircraft)


def test_a_missing_delivery_stream_is_not_waited_for(aws):
    """An error that waiting does not mend is raised at once."""
    sink = WindowRowsSink(boto3.client("firehose", endpoint_url=aws), "nowhere", Waiter(pytest.fail, lambda: 0.0))
    with pytest.raises(ClientError, match="nowhere"):
        sink.write([b"{}\n"], set())


def test_the_newest_update_is_the_item(latest_states, table):
    """The item has the newest update's own fields, the last known position with its time, and a TTL."""
    written = latest_states.write(
        part_of(
            update(seconds=1, latitude=36.696758, longitude=-179.5, altitude_baro=38_750.0, squawk="5223"),
            update(seconds=6.5, speed=530.5, heading=122.42984, on_ground=False, callsign="ETH701"),
        ),
        NOW,
    )
    assert written == 1
    assert table.get_item(Key={"icao_address": "040172"})["Item"] == {
        "icao_address": "040172",
        "timestamp": "2024-03-04T23:24:06.500000Z",
        "ingestion_time": "2024-03-04T23:24:08.500000Z",
        "latitude": Decimal("36.696758"),
        "longitude": Decimal("-179.5"),
        "position_timestamp": "2024-03-04T23:24:01.000000Z",
        "speed": Decimal("530.5"),
        "heading": Decimal("122.43"),
        "on_ground": False,
        "callsign": "ETH701",
        "expires_at": int(NOW) + KEEP_SECONDS,
    }


@pytest.mark.parametrize(
    ("seconds", "delay", "replaces"),
    [
        (10.0, 2.0, False),  # the same again
        (10.0, 1.0, False),
        (10.0, None, False),
        (9.999999, 500.0, False),
        (10.0, 2.5, True),
        (10.000001, None, True),
        (11.0, 0.0, True),
    ],
)
def test_an_older_update_never_replaces_a_newer_one(latest_states, table, seconds, delay, replaces):
    """Of updates ingested after they were measured, the order is timestamp, then ingestion time."""
    latest_states.write(part_of(update(seconds=10.0, delay=2.0, callsign="THERE")), NOW)
    assert latest_states.write(part_of(update(seconds=seconds, delay=delay, callsign="NEXT")), NOW) == int(replaces)
    item = table.get_item(Key={"icao_address": "040172"})["Item"]
    assert item["callsign"] == ("NEXT" if replaces else "THERE")


def test_a_clock_that_runs_ahead_does_not_freeze_the_item(latest_states, table):
    """An update with a timestamp of the next hour is replaced by the first one measured after it was ingested."""
    latest_states.write(part_of(update(seconds=3_610.0, delay=-3_598.0, callsign="AHEAD")), NOW)
    assert latest_states.write(part_of(update(seconds=11.9, delay=2.0, callsign="OLDER")), NOW) == 0
    assert latest_states.write(part_of(update(seconds=72.0, delay=2.0, callsign="RIGHT")), NOW) == 1
    item = table.get_item(Key={"icao_address": "040172"})["Item"]
    assert (item["callsign"], item["timestamp"]) == ("RIGHT", "2024-03-04T23:25:12.000000Z")


def test_the_order_is_one_for_all_updates(latest_states, table):
    """Whatever the two times are to each other: the table replaces what is older by the one rule, and nothing else."""
    times = [(seconds, ingested) for seconds in (0.0, 10.0, 20.0) for ingested in (None, 0.0, 10.0, 20.0)]
    pairs = [(there, then) for there in times for then in times]

    def part(chosen):
        return part_of(
            *(
                update(f"{n:06X}", seconds, None if ingested is None else ingested - seconds)
                for n, (seconds, ingested) in enumerate(chosen)
            )
        )

    latest_states.write(part(there for there, _ in pairs), NOW)
    latest_states.write(part(then for _, then in pairs), NOW + 1)
    replaced = {item["icao_address"] for item in table.scan()["Items"] if item["expires_at"] > NOW + KEEP_SECONDS}
    assert replaced == {f"{n:06X}" for n, (there, then) in enumerate(pairs) if order(*there) < order(*then)}


def test_all_aircraft_of_a_part_are_written(latest_states, table):
    """Many writes in flight at once lose none."""
    latest_states.write(part_of(*(update(f"{n:06X}") for n in range(300))), NOW)
    assert table.scan(Select="COUNT")["Count"] == 300


def refuse(client, code, times):
    """Let the client's first PutItem requests get this error from the service, without a request being sent."""
    lock = threading.Lock()
    left = [times]

    class Body:
        def stream(self, **_):
            yield f'{{"__type":"com.amazonaws.dynamodb.v20120810#{code}","message":"{code}"}}'.encode()

    def answer(request, **_):
        with lock:
            left[0] -= 1
            if left[0] < 0:
                return None
        return AWSResponse(request.url, 400, {"content-type": "application/x-amz-json-1.0"}, Body())

    client.meta.events.register("before-send.dynamodb.PutItem", answer)
    return left


def test_a_throttled_write_is_tried_again(latest_states, dynamodb, table):
    """Throttling by the table costs time, not the aircraft."""
    left = refuse(dynamodb, "ProvisionedThroughputExceededException", times=2)
    assert latest_states.write(part_of(update("A"), update("B")), NOW) == 2
    assert left[0] < 0
    assert table.scan(Select="COUNT")["Count"] == 2


def test_a_write_that_fails_fails_the_sink(latest_states, dynamodb):
    """An error of the table is raised, so that the invocation fails and is tried again."""
    refuse(dynamodb, "AccessDeniedException", times=1_000)
    with pytest.raises(ClientError, match="AccessDenied"):
        latest_states.write(part_of(*(update(f"{n:06X}") for n in range(50))), NOW)


def test_a_failed_write_leaves_none_under_way(latest_states, dynamodb, table):
    """After the failure nothing is sent any more: a retry in another environment is not overtaken by this one."""
    refuse(dynamodb, "AccessDeniedException", times=1)
    with pytest.raises(ClientError, match="AccessDenied"):
        latest_states.write(part_of(*(update(f"{n:06X}") for n in range(300))), NOW)
    sent = []
    dynamodb.meta.events.register("before-send.dynamodb.PutItem", lambda request, **_: sent.append(request))
    written = table.scan(Select="COUNT")["Count"]
    assert written < 300
    assert latest_states.write(part_of(update("A")), NOW) == 1
    assert len(sent) == 1
    assert table.scan(Select="COUNT")["Count"] == written + 1


def test_the_same_threads_write_every_window(latest_states):
    """Threads are made once: a process that lives through many windows does not grow by each one's."""
    before = set(threading.enumerate())
    seen = []
    for window in range(4):
        latest_states.write(part_of(*(update(f"{n:06X}", seconds=window) for n in range(50))), NOW)
        seen.append({one for one in set(threading.enumerate()) - before if one.name.startswith("latest-state")})
    assert seen[0]
    assert seen[0] <= seen[-1]
    assert len(seen[-1]) <= THREADS


def test_a_delivery_record_comes_back_as_it_was_left(dynamodb, table):
    """Progress is found by the retry, for its own window and shard only."""
    log = DeliveryLog(dynamodb, table.name)
    record = DeliveryRecord({2: PartDelivery("digest", {0, 5})}, EndedEarly("other", 1))
    assert log.load("2024-03-04T23:24:00Z", "shardId-0") == DeliveryRecord()
    log.save("2024-03-04T23:24:00Z", "shardId-0", record, NOW)
    assert log.load("2024-03-04T23:24:00Z", "shardId-0") == record
    assert log.load("2024-03-04T23:25:00Z", "shardId-0") == DeliveryRecord()
    assert log.load("2024-03-04T23:24:00Z", "shardId-1") == DeliveryRecord()
    (item,) = table.scan()["Items"]
    assert item["expires_at"] == int(NOW) + delivery_log.KEEP_SECONDS
    assert len(item["icao_address"]) > 32
