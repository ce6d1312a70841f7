"""Runs of the archive over a bucket: each update once, in the object of its hour, whatever happens to the raw ones."""

from __future__ import annotations

import base64
import gzip
import io
import json
import random
from datetime import datetime, timedelta
from urllib.parse import unquote

import boto3
import pytest
from backports import zstd
from botocore.awsrequest import AWSResponse

from archive.archiving import UnreadError
from archive.schema import COLUMNS
from archive.staging import BrokenObjectError
from common.target_update import decode
from tests.integration.archive.conftest import BUCKET, HOUR

AT = "archive/updates/date=2024-03-04/hour=23/updates.parquet"


def keys_of(lines):
    """Return what tells the updates apart, as the archive's rows have it."""
    keys = {decode(line).key for line in lines}
    return sorted(
        (
            (address, at.replace(tzinfo=None), ingested and ingested.replace(tzinfo=None))
            for address, at, ingested in keys
        ),
        key=lambda key: (key[0], key[1], key[2] is not None, key[2]),
    )


def line(address="78121E", at="2024-03-04T23:10:00Z", **others):
    """Make one update as a line."""
    return json.dumps({"icao_address": address, "timestamp": at, **others}).encode() + b"\n"


def test_an_hour_becomes_one_sorted_object(archive, traffic):
    """Each update once, by aircraft and time, whatever raw objects they came in."""
    archive.put_raw("a", traffic[:800])
    archive.put_raw("b", traffic[800:])
    report = archive.run()
    assert archive.keys() == [AT]
    assert archive.rows() == keys_of(traffic)
    assert (report.objects, report.updates, report.rejected, report.damaged) == (2, len(traffic), 0, {})


def test_the_columns_are_the_schemas(archive, traffic):
    """Names, order and types are the table's."""
    archive.put_raw("a", traffic[:10])
    archive.run()
    (types,) = set(archive.rows(", ".join(f"typeof({column.name})" for column in COLUMNS)))
    assert types == tuple(column.type for column in COLUMNS)


def test_the_same_bytes_however_the_updates_come(archive, traffic):
    """All at once, or late, twice and in another order: nobody can tell from the object."""
    archive.put_raw("a", traffic)
    archive.run()
    once = archive.contents()
    archive.s3.delete_object(Bucket=BUCKET, Key=AT)
    shuffled = [*traffic, *traffic[:300]]
    random.Random(1).shuffle(shuffled)
    for number in range(3):  # a run after each, as if each came an hour after the other
        archive.put_raw(f"late-{number}", shuffled[number::3])
        archive.run()
    assert archive.contents() == once
    assert archive.run(again=True).rows == {}
    assert archive.contents() == once


def test_what_is_read_is_not_read_again_unless_asked_for_or_changed(archive, traffic):
    """The ledger knows what was read, by its content's tag."""
    archive.put_raw("a", traffic[:100])
    assert archive.run().objects == 1
    assert archive.run().objects == 0
    assert archive.run(again=True).objects == 1
    archive.put_raw("a", traffic[:200])
    assert archive.run().updates == 200
    assert archive.rows() == keys_of(traffic[:200])


def test_late_updates_join_the_hours_they_belong_to(archive):
    """A recovered gap comes in one hour of arrival, and belongs to many of ingestion."""
    hours = [HOUR - timedelta(hours=back) for back in (0, 1, 20)]
    lines = [
        line(at=f"{hour:%Y-%m-%dT%H}:{minute:02}:00Z", ingestion_time=f"{hour:%Y-%m-%dT%H}:{minute:02}:02Z")
        for hour in hours
        for minute in (3, 40)
    ]
    archive.put_raw("before", lines[2:3], hours[1])
    archive.run([hours[1]])
    archive.put_raw("recovered", lines, HOUR)
    archive.run([HOUR])
    assert len(archive.keys()) == 3
    assert archive.rows() == sorted(keys_of(lines), key=lambda key: key[1])


@pytest.mark.parametrize(
    ("times", "hour"),
    [
        ({}, "date=2024-03-04/hour=23"),
        ({"ingestion_time": "soon"}, "date=2024-03-04/hour=23"),
        ({"ingestion_time": "2024-03-05T02:00:00Z"}, "date=2024-03-05/hour=02"),
        ({"ingestion_time": "2031-01-01T00:00:00Z"}, "date=2024-03-04/hour=23"),
        ({"ingestion_time": "1970-01-01T00:00:00Z"}, "date=2024-03-04/hour=23"),
        ({"at": "1980-01-06T00:00:00Z", "ingestion_time": "2024-03-04T23:10:02Z"}, "date=2024-03-04/hour=23"),
        ({"at": "2043-10-20T00:00:00Z", "ingestion_time": "2024-03-04T23:10:02Z"}, "date=2024-03-04/hour=23"),
    ],
    ids=["none", "unreadable", "3-hours-late", "future", "never-set", "clock-never-set", "clock-in-the-future"],
)
def test_a_wrong_clock_moves_no_update_and_doubles_none(archive, times, hour):
    """The hour follows from the key, so the same update goes where it went before."""
    update = line(**times)
    archive.put_raw("a", [update])
    archive.put_raw("b", [update], HOUR + timedelta(hours=5))  # sent again, much later
    archive.run([HOUR, HOUR + timedelta(hours=5)])
    assert archive.keys() == [f"archive/updates/{hour}/updates.parquet"]
    assert archive.rows() == keys_of([update])


def test_envelopes_count_once_wherever_a_reshard_put_them(archive, traffic):
    """A misplaced envelope's updates were sent again, and have the same keys."""
    updates = [update.rstrip(b"\n") for update in traffic[:60]]
    envelopes = [_envelope(updates[:40], "shardId-000000000000"), _envelope(updates[:40], "shardId-000000000001")]
    archive.put_raw("a", [traffic[60], *envelopes, *traffic[40:61], b"\n"])
    report = archive.run()
    assert archive.rows() == keys_of(traffic[:61])
    assert (report.updates, report.rejected) == (102, 0)


def test_of_one_key_the_same_update_wins_in_every_order(archive):
    """Which of several contents is kept does not depend on which came first."""
    ways = [
        line(ingestion_time="2024-03-04T23:10:02Z", speed=400.0),
        line(ingestion_time="2024-03-04T23:10:02Z", speed=300.0, callsign="CCA8302"),
        line(ingestion_time="2024-03-04T23:10:02Z"),
    ]
    found = set()
    for number, order in enumerate([ways, ways[::-1], ways[1:] + ways[:1]]):
        for at, update in enumerate(order):
            archive.put_raw(f"{number}-{at}", [update])
            archive.run()
        found.add(archive.contents()[AT])
        archive.s3.delete_object(Bucket=BUCKET, Key=AT)
    assert len(found) == 1


def test_fields_follow_the_one_rule(archive):
    """What is of another type or out of bounds is NULL, as it is absent for every function."""
    odd = {
        "ingestion_time": "2024-03-04T23:10:02Z", "speed": "fast", "latitude": 91, "altitude_baro": 12_000.0,
        "squawk": 1200, "callsign": "  ", "takeoff_time": "noon", "landing_time": "2024-03-04T22:00:00+01:00",
        "on_ground": "true", "new_field": {"a": 1},
    }  # fmt: skip
    archive.put_raw("a", [line(address=" 78121e ", **odd)])
    report = archive.run()
    names = "icao_address, speed, latitude, altitude_baro, squawk, callsign, takeoff_time, landing_time, on_ground"
    landed = datetime(2024, 3, 4, 21)  # noqa: DTZ001 - as the archive has its times
    assert archive.rows(names) == [("78121E", None, None, 12_000, "1200", None, None, landed, None)]
    assert report.fields_ignored == 3


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda data: data[: len(data) // 2], "gzip that ends too early"),
        (lambda data: data[:-4000] + bytes(2000) + data[-2000:], "damaged gzip"),
        (lambda _: b"", "an empty object"),
        (lambda data: gzip.decompress(data)[:5000], "damaged gzip"),
    ],
    ids=["half-written", "corrupt", "empty", "no-gzip"],
)
def test_damage_is_named_counted_and_costs_nothing_else(archive, traffic, damage, reason):
    """What comes before the damage is kept, and a whole object in its place makes it good."""
    key = archive.put_raw("damaged", traffic[:700], compress=lambda data: damage(gzip.compress(data)))
    archive.put_raw("whole", traffic[700:])
    report = archive.run()
    assert list(report.damaged) == [key]
    assert reason in report.damaged[key]
    found = archive.rows()
    assert set(keys_of(traffic[700:])) <= set(found) <= set(keys_of(traffic))
    ledger = json.loads(archive.contents("archive/ledger/")["archive/ledger/date=2024-03-04/hour=23/ledger.json"])
    assert reason in ledger["objects"][key]["damage"]
    assert archive.run().objects == 0
    archive.put_raw("damaged", traffic[:700])
    archive.run()
    assert archive.rows() == keys_of(traffic)


def test_a_wrong_checksum_costs_no_update(archive, traffic):
    """Everything was inflated before it was found to be wrong: it is kept and counted, and the damage is reported."""
    key = archive.put_raw(
        "a", traffic, compress=lambda data: (packed := gzip.compress(data))[:-8] + bytes(4) + packed[-4:]
    )
    report = archive.run()
    assert "damaged gzip" in report.damaged[key]
    assert report.updates == len(traffic)
    assert archive.rows() == keys_of(traffic)


def test_lines_that_are_no_update_are_counted_with_a_reason(archive, traffic):
    """They cost themselves alone."""
    key = archive.put_raw("a", [traffic[0], b"no update\n", b'{"timestamp": "2024-03-04T23:00:00Z"}\n', traffic[1]])
    report = archive.run()
    assert (report.updates, report.rejected) == (2, 2)
    ledger = json.loads(archive.contents("archive/ledger/")["archive/ledger/date=2024-03-04/hour=23/ledger.json"])
    assert ledger["objects"][key]["rejected"] == 2
    assert "JSON" in ledger["objects"][key]["reason"]


def test_a_last_line_without_its_end_is_read(archive, traffic):
    """A producer may leave the last line end out."""
    archive.put_raw("a", [*traffic[:2], traffic[2].rstrip(b"\n")])
    archive.run()
    assert archive.rows() == keys_of(traffic[:3])


def test_an_envelope_of_a_later_version_is_left_and_reported(archive, traffic):
    """Its updates are not lost by being skipped: the run fails until it can be read."""
    archive.put_raw("a", [b'{"v":2,"n":1,"shard":"shardId-000000000000","icao_address":["78121E"],"z":""}\n'])
    archive.put_raw("b", traffic[:10])
    with pytest.raises(UnreadError, match="version 2"):
        archive.run()
    assert archive.rows() == keys_of(traffic[:10])
    with pytest.raises(UnreadError):
        archive.run()


def test_without_time_it_goes_on_in_the_next_run(archive, traffic):
    """What is left is said, and each run gets further."""
    for number in range(5):
        archive.put_raw(str(number), traffic[number * 100 : number * 100 + 100])
    left = []
    while not left or left[-1]:
        seconds = iter([900.0, 900.0, *[1.0] * 20])
        left.append(archive.run(remaining=lambda seconds=seconds: next(seconds)).left)
    assert left == sorted(left, reverse=True)
    assert len(left) > 2
    assert archive.rows() == keys_of(traffic[:500])


def test_an_hour_that_is_read_again_goes_on_behind_what_was_read(archive, traffic):
    """By the key that the run before it gave: what was read is not read for ever again, and all of it is."""
    for number in range(5):
        archive.put_raw(str(number), traffic[number * 100 : number * 100 + 100])
    archive.run()
    after, read = "", []
    while not read or read[-1].left:
        seconds = iter([900.0, 900.0, *[1.0] * 20])
        read.append(archive.run(remaining=lambda seconds=seconds: next(seconds), again=True, after=after))
        after = read[-1].read_up_to
    assert len(read) > 2
    assert sum(report.objects for report in read) == 5
    assert after.endswith("/4.ndjson.gz")


def test_rounds_are_bounded_and_come_to_the_same(archive, traffic):
    """No more updates are sorted at once than may be."""
    for number in range(5):
        archive.put_raw(str(number), traffic[number * 100 : number * 100 + 100])
    assert archive.run(most_updates=150).left == 0
    assert archive.rows() == keys_of(traffic[:500])


def test_two_runs_at_a_time_lose_nothing(archive, traffic):
    """Another run writes the hour and the ledger between this one's reading and writing."""
    archive.put_raw("a", traffic[:100])
    archive.put_raw("b", traffic[100:200], HOUR + timedelta(hours=1))
    once = []

    def interrupt(**_others):
        if not once:
            once.append(True)
            archive.run([HOUR + timedelta(hours=1)])

    client = _client(archive)
    client.meta.events.register("before-call.s3.PutObject", interrupt)
    archive.run([HOUR], client=client)
    assert once
    assert archive.rows() == keys_of(traffic[:200])


class _Raw(io.BytesIO):
    def stream(self, *_, **__):
        yield self.read()


def _answering(archive, key, status, body, **headers):
    """Return a client to which GetObject of a key is answered so."""

    def answer(request, **_):
        return AWSResponse(request.url, status, headers, _Raw(body)) if unquote(request.url).endswith(key) else None

    client = _client(archive)
    client.meta.events.register("before-send.s3.GetObject", answer)
    return client


@pytest.mark.parametrize(
    "body", [b"<Error><Code>NoSuchKey</Code></Error>", b"<Error><Code>NoSuchBucket</Code></Error>", b"<html></html>"]
)
def test_an_object_that_is_listed_and_not_there_is_unread(archive, traffic, body):
    """It fails the run; all others are in the archive, and the next run reads it."""
    key = archive.put_raw("a", traffic[:100])
    archive.put_raw("b", traffic[100:200])
    with pytest.raises(UnreadError, match=f"the first of them {key}: "):
        archive.run(client=_answering(archive, key, 404, body))
    assert archive.rows() == keys_of(traffic[100:200])
    archive.run()
    assert archive.rows() == keys_of(traffic[:200])


@pytest.mark.parametrize("cut", [0, 700, -1])
def test_an_object_that_comes_with_another_size_than_was_listed_is_unread(archive, traffic, cut):
    """It is not the object that is damaged: no ledger says so, and the next run reads it."""
    key = archive.put_raw("a", traffic)
    found = archive.s3.get_object(Bucket=BUCKET, Key=key)
    short = found["Body"].read()[:cut]
    client = _answering(archive, key, 200, short, ETag=found["ETag"])
    with pytest.raises(UnreadError, match=f"listed with .* bytes, and came with {len(short):,}"):
        archive.run(client=client)
    assert archive.keys("archive/") == []
    report = archive.run()
    assert (report.damaged, report.objects) == ({}, 1)
    assert archive.rows() == keys_of(traffic)


def test_an_archived_object_that_is_no_parquet_is_named(archive, traffic):
    """The error says which one, and what to do."""
    archive.s3.put_object(Bucket=BUCKET, Key=AT, Body=b"not Parquet")
    archive.put_raw("a", traffic[:10])
    with pytest.raises(BrokenObjectError, match=r"hour=23/updates\.parquet"):
        archive.run()


def _client(archive):
    return boto3.client("s3", endpoint_url=archive.s3.meta.endpoint_url)


def _envelope(updates, shard):
    content = {"v": 1, "n": len(updates), "shard": shard, "icao_address": ["78121E"]}
    packed = zstd.compress(b"".join(update + b"\n" for update in updates))
    content["z"] = base64.b64encode(packed).decode()
    return json.dumps(content, separators=(",", ":")).encode() + b"\n"
