"""The archive against the feed: what is missing, doubled or never sent is counted and reported."""

from __future__ import annotations

import duckdb

from local.audit.archive import ArchiveFigures, compare, keys_of

FEED = [
    b'{"target": {"icao_address": "%s", "timestamp": "2024-03-04T23:00:00Z"%s}}' % update
    for update in [(b"78121e", b', "ingestion_time": "2024-03-04T23:00:01.5Z"'), (b"78121E ", b"")]
] + [b'{"target": {"icao_address": 5}}', b'{"position_token": "x"}']
AT = 1_709_593_200_000_000
KEYS = [("78121E", AT, AT + 1_500_000), ("78121E", AT, None)]


def test_each_key_once_is_whole():
    """Lines that are no update do not count; addresses are the same however they are written."""
    figures = compare([*FEED, FEED[0]], [KEYS])
    assert figures == ArchiveFigures(hours=1, updates=2)
    assert figures.losses() == []


def test_keys_are_the_contract_s_however_they_are_written():
    """A leap second, and an ingestion time of another type, which counts as absent."""
    leap = b'{"target": {"icao_address": "78121E", "timestamp": "2016-12-31T23:59:60Z"}}'
    number = FEED[1].replace(b"}}", b', "ingestion_time": 5}}')
    assert compare([leap, number], [[("78121E", 1_483_228_800_000_000, None), KEYS[1]]]).losses() == []


def test_what_is_wrong_is_counted_by_its_kind():
    """Missing, doubled and unexpected do not make up for each other."""
    figures = compare(FEED, [KEYS[:1], [KEYS[0], ("040172", AT, None)]])
    assert figures == ArchiveFigures(hours=2, updates=2, missing=1, doubled=1, unexpected=1)
    assert len(figures.losses()) == 3


def test_a_line_that_the_consumer_rejected_is_not_missing():
    """It may be an update all the same, such as one too large for a record: it is kept among the rejected lines."""
    large = b'{"target": {"icao_address": "040172", "timestamp": "2024-03-04T23:00:00Z"}}'
    assert compare([*FEED, large], [KEYS]).missing == 1
    assert compare([*FEED, large], [KEYS], rejected=[large]).losses() == []


def test_keys_are_read_to_the_microsecond(tmp_path):
    """From an object as the contract has it."""
    path = tmp_path / "x.parquet"
    with duckdb.connect() as connection:
        rows = "SELECT '78121E' AS icao_address, make_timestamp($1) AS timestamp, NULL::TIMESTAMP AS ingestion_time"
        connection.execute(f"COPY ({rows}) TO '{path}' (FORMAT parquet)", [AT + 1])
    assert keys_of(path.read_bytes()) == [("78121E", AT + 1, None)]
