"""The tables' columns are those of who writes them."""

from __future__ import annotations

import gzip
import json
from datetime import timedelta

import pytest

from alerts.log_entry import LogEntry
from alerts.notification import Alert
from alerts.rules import findings
from alerts.suppression import Claim
from archive import schema
from common import target_update
from tests.support import data_folder
from tools.query import tables

LINE = (
    b'{"target":{"icao_address":"78121E","timestamp":"2024-03-04T23:24:00Z","ingestion_time":"2024-03-04T23:24:02.5Z",'
    b'"latitude":31.1,"longitude":121.4,"altitude_baro":12500,"speed":350.0,"vertical_rate":-1370,"squawk":"7700",'
    b'"callsign":"CQH6452","collection_type":"terrestrial"}}'
)


def names(table):
    """The names of a table's columns."""
    return [column.name for column in table.columns]


def test_updates_have_the_archives_columns():
    """And its folders."""
    assert names(tables.UPDATES) == [column.name for column in schema.COLUMNS]
    assert tables.UPDATES.prefix == schema.PREFIX
    assert tables.PARTITIONS == ("date", "hour")


def test_windows_have_every_field_of_a_row(tmp_path):
    """As the aggregator writes it; each of its JSON type."""
    data_folder.write_windows(tmp_path, [LINE])
    (file,) = tmp_path.glob("windows/*/*/*")
    types = {"VARCHAR": str, "BIGINT": int, "DOUBLE": (int, float), "VARCHAR[]": list}
    columns = {column.name: types[column.type] for column in tables.WINDOWS_DELIVERED.columns}
    for line in gzip.decompress(file.read_bytes()).splitlines():
        for name, value in json.loads(line).items():
            assert isinstance(value, columns[name]), name


def test_alerts_have_every_field_of_the_log():
    """Those of an entry that lacks none."""
    update = target_update.decode(data_folder.target(LINE))
    (finding,) = findings(update)
    claim = Claim.of(finding.subject, update, arrival=0, suppression=timedelta(minutes=15))
    entry = json.loads(LogEntry(Alert(finding, update, b"{}"), claim, update.ingestion_time).content())
    assert list(entry) == names(tables.ALERTS)


@pytest.mark.parametrize("table", tables.TABLES, ids=lambda table: table.name)
def test_no_column_is_there_twice(table):
    """The folders' names included."""
    found = [*names(table), *table.partitions]
    assert len(set(found)) == len(found)
