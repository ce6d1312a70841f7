"""What an object says of itself is enough to answer from a part of it."""

from __future__ import annotations

from itertools import pairwise

import duckdb
import pytest

from flights.row_groups import RowGroup, footer_size, ranges, read


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """An object of ten row groups, and a database."""
    path = tmp_path_factory.mktemp("hour") / "hour.parquet"
    with duckdb.connect(":memory:", config={"threads": 1}) as connection:
        connection.execute(
            f"""
            COPY (
                SELECT
                    printf('%06X', i // 50) AS icao_address,
                    TIMESTAMP '2024-03-04 23:00' + INTERVAL (i) SECOND AS timestamp,
                    if(i < 2048 AND i % 9 = 4, NULL, timestamp - INTERVAL 1 SECOND) AS ingestion_time,
                    random() AS latitude
                FROM range(20_000) AS numbers(i) ORDER BY i
            ) TO '{path}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 2048)
            """
        )
        yield path, connection


def test_each_row_group_says_what_it_has(written):
    """Addresses, rows, bytes, and how late its last update is: by the earlier of its times, where each has both."""
    path, connection = written
    groups = read(connection, path)
    assert sum(group.rows for group in groups) == 20_000
    assert (groups[0].first, groups[0].last, groups[-1].last) == ("000000", "000028", "00018F")
    assert groups[0].latest == (1_709_593_200 + 2_047) * 1_000
    assert groups[1].latest == (1_709_593_200 + 4_094) * 1_000
    assert all(one.end == other.begin for one, other in pairwise(groups))


@pytest.mark.parametrize(
    ("begin", "end"), [("", ""), ("", "000028"), ("000028", "000029"), ("000029", "000051"), ("00018F", ""), ("1", "")]
)
def test_with_those_alone_that_may_have_them_the_answer_is_the_same(written, tmp_path, begin, end):
    """Nothing is in the place of the others: to read them would be an error."""
    path, connection = written
    data = path.read_bytes()
    described = len(data) - footer_size(data[-8:])
    part = tmp_path / "part.parquet"
    with part.open("wb") as file:
        for first, last in [
            *ranges([group for group in read(connection, path) if group.may_have(begin, end)], described),
            (described, len(data)),
        ]:
            file.seek(first)
            file.write(data[first:last])
    before = f"AND icao_address < '{end}'" if end else ""
    question = f"SELECT count(*), sum(latitude) FROM read_parquet('{{}}') WHERE icao_address >= '{begin}' {before}"
    assert connection.execute(question.format(part)).fetchall() == connection.execute(question.format(path)).fetchall()


def test_an_object_that_does_not_say_is_read_whole():
    """Statistics are optional in Parquet."""
    assert RowGroup("", None, 1, 0, 1, 0).may_have("A", "B")


def test_neighbours_are_asked_for_together():
    """And what is there already is not asked for."""
    groups = [RowGroup("", None, 1, begin, begin + 10, 0) for begin in (4, 14, 30, 40, 50)]
    assert ranges(groups[:3], 99) == [(4, 24), (30, 40)]
    assert ranges(groups, 45) == [(4, 24), (30, 45)]
    assert ranges([], 99) == []


@pytest.mark.parametrize("last", [b"", b"PAR1", b"\0\0\0\0PARX"])
def test_what_does_not_end_as_an_object(last):
    """It has no size that says so."""
    assert footer_size(last) is None
