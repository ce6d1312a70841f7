"""A day's objects: made of the archive, the same however often, again when it has changed."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime
from urllib.parse import unquote

import duckdb
import pytest
from botocore.awsrequest import AWSResponse

from common import flight_book
from flights import schema
from flights.hour_files import UnreadHourError
from flights.making import UnfinishedError
from flights.position import Position
from flights.store import ChangedError
from tests.support.archived_positions import LATENCY, archived

DAY = date(2021, 3, 20)
NEXT_DAY = datetime(2021, 3, 21, 12, tzinfo=UTC)
KEYS = (schema.key("2021-03-20"), flight_book.key("2021-03-20"))
PARQUET, BOOK = KEYS


def long():
    """Time enough."""
    return 900.0


def objects(s3):
    """Return a day's objects."""
    return [s3.get_object(Bucket="data", Key=key)["Body"].read() for key in KEYS]


def rows(data, tmp_path):
    """Return the ids of a Parquet object, in its order, and its columns' types."""
    path = tmp_path / "read.parquet"
    path.write_bytes(data)
    with duckdb.connect(":memory:") as connection:
        read = connection.execute(f"SELECT * FROM read_parquet('{path}')")
        columns = [(one[0], str(one[1])) for one in read.description]
        return columns, read.fetchall()


def test_a_days_flights_are_those_of_its_updates(s3, put, making, hours, expected, tmp_path):  # noqa: PLR0913, PLR0917 - fixtures
    """All that began on the day, in both objects, with the columns of the schema."""
    put(hours)
    (made,) = making.days([DAY], long)
    begun = [one for one in expected if "-20210320T" in one]
    assert made.flights == len(begun) > 10
    parquet, book = objects(s3)
    columns, found = rows(parquet, tmp_path)
    assert [name for name, _ in columns] == [column.name for column in schema.COLUMNS]
    assert [row[0] for row in found] == begun
    directory = flight_book.read_directory(book)
    lines = [
        json.loads(line)
        for block in directory.blocks
        for line in flight_book.read_block(book[block.offset : block.offset + block.size])
    ]
    assert [line["id"] for line in lines] == begun
    assert directory.flights == len(begun)
    place = [name for name, _ in columns].index("track")
    for row, line in zip(found, lines, strict=True):
        assert [waypoint["latitude"] for waypoint in row[place]] == [one["latitude"] for one in line["track"]]


@pytest.mark.parametrize("hours_ahead", [40, 24 * 365])
def test_clocks_that_run_ahead_cost_no_flight(s3, put, making, day, tmp_path, hours_ahead):  # noqa: PLR0913, PLR0917
    """A measurement is no later than its ingestion; so it is on the day on which it was, whatever its clock says."""
    made = []
    for ahead in (LATENCY, hours_ahead * 3_600_000):
        folder = tmp_path / str(ahead)
        folder.mkdir()
        put(archived(day.positions, folder, clock_ahead=ahead))
        making.days([DAY], long)
        made.append(rows(objects(s3)[0], tmp_path))
    assert made[0] == made[1]
    assert made[0][1]


@pytest.mark.parametrize("step", [1, 30_000, 120_000])
@pytest.mark.parametrize("way", [((51.47, -0.46), (50.03, 8.57)), ((50.03, 8.57), (51.47, -0.46))])
def test_clocks_that_stand_still_turn_no_way_round(s3, put, making, tmp_path, way, step):  # noqa: PLR0913, PLR0917
    """Of updates of one timestamp the one that was ingested later is later, in whichever direction they fly."""
    (south, west), (north, east) = way
    begin = round(datetime(2021, 3, 20, 6, tzinfo=UTC).timestamp() * 1_000)
    flown = [
        Position(begin + k * 15_000, south + (north - south) * k / 200, west + (east - west) * k / 200, 30_000, 440.0)
        for k in range(201)
    ]
    put(archived({"AAAAB1": flown}, tmp_path, clock_step=step))
    making.days([DAY], long)
    columns, found = rows(objects(s3)[0], tmp_path)
    (one,) = [dict(zip([name for name, _ in columns], row, strict=True)) for row in found]
    assert one["positions"] == 201
    assert one["great_circle_nm"] <= one["distance_nm"] < one["great_circle_nm"] * 1.01


def test_it_is_the_same_again(s3, put, making, hours):
    """Byte for byte, as often as it is made."""
    put(hours)
    making.days([DAY], long)
    first = objects(s3)
    making.days([DAY], long)
    assert objects(s3) == first


def test_by_schedule_only_what_has_changed_is_made(s3, put, making, hours):
    """Days that the archive has nothing new of are left alone; late updates make theirs again."""
    late = max(hours)
    put({key: path for key, path in hours.items() if key != late})
    first = {one.day: one.flights for one in making.changed(NEXT_DAY, long)}
    assert first[DAY] > 0
    assert first[date(2021, 3, 16)] is None
    before = objects(s3)
    assert {one.flights for one in making.changed(NEXT_DAY, long)} == {None}
    put({late: hours[late]})
    again = {one.day: one.flights for one in making.changed(NEXT_DAY, long)}
    assert again[DAY] is not None
    assert objects(s3) != before


def test_a_day_of_which_two_runs_wrote_an_object_each_is_made_again(s3, put, making, hours):
    """One of older updates, another of newer ones: what is behind the API is made of the same as the Parquet object."""
    late = max(hours)
    put({key: path for key, path in hours.items() if key != late})
    making.days([DAY], long)
    older = s3.get_object(Bucket="data", Key=BOOK)
    put({late: hours[late]})
    making.days([DAY], long)
    newer = objects(s3)
    s3.put_object(Bucket="data", Key=BOOK, Body=older["Body"].read(), Metadata=older["Metadata"])
    (again,) = making.days([DAY], long, only_changed=True)
    assert again.flights > 0
    assert objects(s3) == newer


class _Raw(io.BytesIO):
    def stream(self, *_, **__):
        yield self.read()


@pytest.fixture
def refuse(making):
    """Have GetObject of a key answered with status 404 and a body, so many times."""
    refused = {}
    events = making.store._s3.meta.events

    def answer(request, **_):
        for key, (body, left) in refused.items():
            if unquote(request.url).endswith(key) and left:
                refused[key] = body, left - 1
                return AWSResponse(request.url, 404, {}, _Raw(body))
        return None

    def register(key, body, times=1_000):
        refused[key] = body, times

    events.register("before-send.s3.GetObject", answer)
    return register


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"<Error><Code>NoSuchKey</Code></Error>", ChangedError),
        (b"<Error><Code>NoSuchBucket</Code></Error>", UnreadHourError),
        (b"<html><body>Not found</body></html>", UnreadHourError),
        (b"", UnreadHourError),
    ],
    ids=["key", "bucket", "page", "empty"],
)
def test_what_is_listed_and_cannot_be_read_leaves_the_day_as_it_is(s3, put, making, hours, refuse, body, error):  # noqa: PLR0913, PLR0917
    """The run fails, and says of which object and day; all other days are made, and the next run makes this one."""
    late, *_ = sorted(hours)[4:]
    put({key: path for key, path in hours.items() if key != late})
    making.days([DAY], long)
    before = objects(s3)
    put({late: hours[late], "archive/updates/date=2021-03-25/hour=12/updates.parquet": hours[late]})
    refuse(late, body)
    with pytest.raises(error, match=f"2021-03-20 is as it was: {late}.*made: .'2021-03-25'"):
        making.days([DAY, date(2021, 3, 25)], long)
    assert objects(s3) == before
    refuse(late, body, times=0)
    (made,) = making.days([DAY], long, only_changed=True)
    assert made.flights > 0
    assert objects(s3) != before


def test_an_object_that_is_found_when_it_is_asked_for_again_is_read(s3, put, making, hours, refuse):
    """One wrong answer costs nothing."""
    put(hours)
    making.days([DAY], long)
    before = objects(s3)
    for key in hours:
        refuse(key, b"<Error><Code>NoSuchKey</Code></Error>", times=1)
    making.days([DAY], long)
    assert objects(s3) == before


def test_an_object_that_goes_while_the_day_is_made_is_left_out(s3, put, making, hours):
    """As one that was never there; should it come again, with the same content, the day is made with it."""
    put(hours)
    making.days([DAY], long)
    whole = objects(s3)
    gone = sorted(hours)[4]
    asked = []

    def delete(request, **_):
        if unquote(request.url).endswith(gone):
            asked.append(gone)
            if len(asked) == 2:  # after it was planned with
                s3.delete_object(Bucket="data", Key=gone)

    making.store._s3.meta.events.register("before-send.s3.GetObject", delete)
    making.days([DAY], long)
    assert len(asked) == 2
    assert objects(s3) != whole
    put({gone: hours[gone]})
    (made,) = making.days([DAY], long, only_changed=True)
    assert made.flights is not None
    assert objects(s3) == whole


def test_what_there_is_no_time_for_fails_the_run(put, making, hours):
    """An alarm sees it, and the next run goes on."""
    put(hours)
    with pytest.raises(UnfinishedError, match="2021-03-20"):
        making.days([DAY], lambda: 10.0)


def test_a_day_without_updates_has_no_objects(s3, making):
    """Nor is that an error."""
    (made,) = making.days([DAY], long)
    assert made.flights is None
    assert s3.list_objects_v2(Bucket="data")["KeyCount"] == 0
