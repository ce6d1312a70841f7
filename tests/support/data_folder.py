"""The folder that a local run leaves, made of updates by the code that writes each part of it in a stack."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections import defaultdict
from datetime import UTC, datetime, timedelta

import duckdb
import msgspec

from aggregator.events import batch
from aggregator.sinks import row_schema
from aggregator.state.window_part import WindowPart
from alerts.log_entry import LogEntry
from alerts.notification import Alert
from alerts.rules import findings
from alerts.suppression import Claim
from archive import schema
from common import target_update
from common.clock import rfc3339
from flights import schema as flights

WINDOW = timedelta(minutes=1)
SHARDS = ("shardId-000000000000", "shardId-000000000001")


def write_archive(folder, lines):
    """Write `archive/updates/` of lines as in a stream's recording, each `{"target": {...}}`."""
    source = folder / "archive-of.ndjson"
    source.write_bytes(b"\n".join(lines))
    fields = ", ".join(f'"{column.name}" {column.type}' for column in schema.COLUMNS)
    columns = ", ".join(f'target."{column.name}"' for column in schema.COLUMNS)
    (folder / "archive").mkdir()
    with duckdb.connect() as connection:
        connection.execute(
            f"""COPY (
                SELECT {columns},
                    strftime(target.ingestion_time, '%Y-%m-%d') AS "date",
                    strftime(target.ingestion_time, '%H') AS "hour"
                FROM read_json('{source}', format = 'newline_delimited', columns = {{target: 'STRUCT({fields})'}})
                ORDER BY 1, 2, 3
            ) TO '{folder / schema.PREFIX}' (FORMAT parquet, PARTITION_BY ("date", "hour"))"""
        )
    source.unlink()


def write_flights(folder, day, legs):
    """Write a day's object of flights, of which each has the fields that are given."""
    path = folder / flights.key(day)
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = ", ".join(f'"{column.name}" {column.type}' for column in flights.COLUMNS)
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE legs ({columns})")
        for leg in legs:
            names, marks = ", ".join(leg), ", ".join("?" * len(leg))
            connection.execute(f"INSERT INTO legs ({names}) VALUES ({marks})", [*leg.values()])
        connection.execute(f"COPY legs TO '{path}' (FORMAT parquet)")


def write_windows(folder, lines):
    """Write `windows/` by the aggregator's own fold, as if each update had arrived when it was ingested."""
    windows = defaultdict(list)
    for line in lines:
        update = decode(line)
        shard = SHARDS[hashlib.md5(update.icao_address.encode()).digest()[0] >> 7]
        at = int(update.ingestion_time.timestamp()) // 60 * 60
        windows[at, shard].append(update)
    for (at, shard), updates in sorted(windows.items()):
        start = datetime.fromtimestamp(at, UTC)
        part = WindowPart(start)
        part.add_all(batch.of(updates), 10**9)
        name = row_schema.PartName(rfc3339(start), rfc3339(start + WINDOW), shard, 0)
        put_rows(folder, start + WINDOW, f"{at}-{shard}", row_schema.rows(part, name))


def put_rows(folder, delivered, name, rows):
    """Write an object of window rows, gzip, as Firehose does."""
    path = folder / f"windows/{delivered:date=%Y-%m-%d/hour=%H}/{name}.ndjson.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(b"".join(rows)))
    return path


def write_alerts(folder, lines, most=50):
    """Write `alerts/` for the updates that a rule of the project finds something in."""
    for line in lines:
        update = decode(line)
        for finding in findings(update):
            if finding.rule == "pattern" or most == 0:
                continue
            most -= 1
            claim = Claim.of(finding.subject, update, arrival=0, suppression=timedelta(minutes=15))
            entry = LogEntry(Alert(finding, update, target(line)), claim, update.ingestion_time)
            path = folder / entry.key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(entry.content())


def target(line):
    """The update alone, as in a record of Kinesis."""
    return bytes(msgspec.json.decode(line, type=dict[str, msgspec.Raw])["target"])


def decode(line):
    """The update as the functions read it."""
    return target_update.decode(target(line))


def fields(line):
    """The update's fields as they are in JSON."""
    return json.loads(line)["target"]
