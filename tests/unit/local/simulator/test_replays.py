"""Replays of several files of all kinds: recordings, raw objects in both formats, and hours in Parquet."""

from __future__ import annotations

import base64
import gzip
import json

import duckdb
import pytest
from backports import zstd

from local.simulator import times
from local.simulator.recording import Recording, RecordingError


def _update(second, address="78121E", **others):
    arrived = f"2024-03-04T23:24:{second:02}.500000Z"
    return {"icao_address": address, "timestamp": f"2024-03-04T23:24:{second:02}Z", "ingestion_time": arrived, **others}


def _json(update):
    return json.dumps(update, separators=(",", ":")).encode()


def _message(update):
    return b'{"target":' + _json(update) + b"}"


def _envelope(*updates):
    packed = base64.b64encode(zstd.compress(b"".join(_json(update) + b"\n" for update in updates))).decode()
    return _json({"v": 1, "n": len(updates), "shard": "shardId-000000000000", "z": packed})


@pytest.fixture
def recorded(tmp_path):
    """Write a recording of some updates; return its path."""

    def write(name, *updates):
        path = tmp_path / name
        path.write_bytes(b"".join(_message(update) + b"\n" for update in updates))
        return path

    return write


@pytest.fixture
def raw(tmp_path):
    """Write a raw object of some records; return its path."""

    def write(name, *records):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(b"".join(record + b"\n" for record in records)))
        return path

    return write


@pytest.fixture
def hour(tmp_path):
    """Write rows of the archive as Parquet; return its path."""

    def write(name, select):
        path = tmp_path / name
        with duckdb.connect() as connection:
            connection.execute(f"COPY ({select}) TO '{path}' (FORMAT parquet)")
        return path

    return write


def _lines(*paths):
    return [line for _, line in Recording(*paths).updates()]


def test_files_of_every_kind_are_played_in_the_order_of_their_times(recorded, raw, hour):
    """A recording, a raw object with single updates and an envelope, and an hour interleave."""
    recording = recorded("a.ndjson", _update(1), _update(5))
    objects = raw("b.ndjson.gz", _json(_update(4)), _envelope(_update(2), _update(6)))
    archived = hour(
        "c.parquet",
        "SELECT '78121E' AS icao_address, TIMESTAMP '2024-03-04 23:24:03' AS timestamp, "
        "TIMESTAMP '2024-03-04 23:24:03.500' AS ingestion_time, 31.5::DOUBLE AS latitude, true AS on_ground, "
        "NULL::VARCHAR AS callsign, TIMESTAMP '2024-03-04 20:00:00' AS takeoff_time",
    )
    third = _update(3, latitude=31.5, on_ground=True, takeoff_time="2024-03-04T20:00:00Z")
    replay = Recording(archived, objects, recording)
    lines = [line for _, line in replay.updates()]
    assert [json.loads(line)["target"] for line in lines] == [
        third if second == 3 else _update(second) for second in range(1, 7)
    ]
    assert lines[1] == _message(_update(2))
    assert [at for at, _ in replay.updates()] == [times.parse(_update(s)["ingestion_time"]) for s in range(1, 7)]
    assert replay.notes == []


def test_what_the_archive_holds_twice_is_sent_once_and_a_recording_as_it_is(recorded, raw):
    """Firehose may write an object twice; a provider that sends a line twice has sent it twice."""
    first = raw("a.ndjson.gz", _json(_update(1)), _json(_update(2)))
    second = raw("b.ndjson.gz", _envelope(_update(2), _update(3)))
    replay = Recording(first, second)
    assert [line for _, line in replay.updates()] == [_message(_update(s)) for s in (1, 2, 3)]
    assert replay.notes == ["1 updates are in the archive's files more than once, and sent once"]
    assert len(_lines(recorded("c.ndjson", _update(1), _update(1)))) == 2


def test_an_update_without_ingestion_time_comes_at_its_timestamp(raw, hour):
    """The archive keeps such, and so sends them; the stream's own messages have one."""
    bare = {"icao_address": "A1", "timestamp": "2024-03-04T23:24:01Z"}
    archived = hour(
        "a.parquet",
        "SELECT 'A2' AS icao_address, TIMESTAMP '2024-03-04 23:24:02' AS timestamp, NULL::TIMESTAMP AS ingestion_time",
    )
    replay = Recording(raw("b.gz", _json(bare)), archived)
    assert [at - replay.start for at, _ in replay.updates()] == [0, 1]


def test_folders_and_patterns_stand_for_their_files(tmp_path, raw):
    """A run's folder for its raw objects; a file that is named twice is one."""
    for number in (1, 2):
        raw(f"d/raw/date=2024-03-04/hour=23/{number}.ndjson.gz", _json(_update(number)))
    raw("d/windows/date=2024-03-04/hour=23/rows.ndjson.gz", b'{"kind":"aircraft"}')
    (tmp_path / "d/raw/notes.txt").write_text("none of them")
    both = [_message(_update(number)) for number in (1, 2)]
    assert _lines(tmp_path / "d") == both
    assert _lines(tmp_path / "d/raw/**/*.gz", tmp_path / "d/raw") == both
    assert _lines(tmp_path / "d/raw/*/hour=*/1.ndjson.gz") == both[:1]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "a.ndjson.gz",
            gzip.compress(_json(_update(1)) * 90, mtime=0)[:-9],
            r"a\.ndjson\.gz.*cannot be read.*expected",
        ),
        (
            "a.ndjson.gz",
            gzip.compress(_json(_update(1)) + b"\n" + _json(_update(2))[:-9]),
            r"a\.ndjson\.gz, line 2: .*truncated",
        ),
        ("a.ndjson.gz", gzip.compress(_envelope(_update(1)).replace(b'"n":1', b'"n":2')), "line 1: a damaged envelope"),
        ("a.ndjson", b'{"icao_address":"A1","timestamp":17}', "line 1: timestamp: got 17; expected an ISO 8601 time"),
        ("a.parquet", b"PAR1 and nothing more", r"a\.parquet: a Parquet file that cannot be read: .*expected an hour"),
    ],
    ids=["cut", "line", "envelope", "time", "parquet"],
)
def test_damage_in_what_the_archive_keeps_is_an_error(tmp_path, name, content, message):
    """Its objects are written whole: one that is not is no recording that was ended."""
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=message):
        Recording(path)


@pytest.mark.parametrize(
    ("select", "message"),
    [
        ("SELECT 'A1' AS icao_address", "without the column timestamp; expected an hour"),
        ("SELECT 'A1' AS icao_address, 'noon' AS timestamp, 'noon' AS ingestion_time", "columns of other types"),
    ],
)
def test_parquet_of_something_else_is_refused(hour, select, message):
    """Flights, for one, are Parquet too."""
    with pytest.raises(RecordingError, match=message):
        Recording(hour("other.parquet", select))


def test_what_matches_nothing_is_said(tmp_path):
    """An empty folder and a pattern without files are named."""
    with pytest.raises(RecordingError, match="holds no file whose name ends in"):
        Recording(tmp_path)
    with pytest.raises(RecordingError, match="matches no file"):
        Recording(tmp_path / "*.parquet")
