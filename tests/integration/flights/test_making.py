"""A day's objects: made of the archive, the same however often, again when it has changed."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import duckdb
import pytest

from common import flight_book
from flights import schema
from flights.making import UnfinishedError
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
