"""An hour's updates beside those that its object has: the same bytes, and the short way where nothing differs."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Any

import pytest

from archive.staging import Staging
from archive.update import decode_lines
from tests.integration.archive.conftest import HOUR

NUMBER = round(HOUR.timestamp() // 3600)


class Heard:
    """A connection that keeps what it is asked."""

    def __init__(self, connection):
        self._connection = connection
        self.asked = []

    def execute(self, sql, *others):
        self.asked.append(sql)
        return self._connection.execute(sql, *others)

    def __getattr__(self, name):
        return getattr(self._connection, name)


@pytest.fixture
def write(tmp_path):
    """Write the hour of some lines beside an object; return the new one's path, its rows, and what DuckDB was asked."""
    numbers = iter(range(100))

    def write(lines, existing=None):
        target = tmp_path / f"{next(numbers)}.parquet"
        with closing(Staging(tmp_path, 512)) as staging:
            staging.add(decode_lines(b"".join(lines), staging.identities, lambda _, reason: pytest.fail(reason)))
            heard: Any = Heard(staging._connection)
            staging._connection = heard
            rows = staging.write(NUMBER, target, existing)
        return target, rows, "\n".join(heard.asked)

    return write


def test_an_hour_again_is_compared_and_not_sorted_into_itself(write, traffic):
    """Whole rows are sorted among duplicates only where two of them differ."""
    first, rows, _ = write(traffic)
    again, rows_again, asked = write([*traffic, *traffic[:50]], first)
    assert again.read_bytes() == first.read_bytes()
    assert rows_again == rows == len(traffic)
    assert "row_number" not in asked
    assert "row_number" in write([*traffic, *traffic[:50]])[2]


@pytest.mark.parametrize("share", [0, 700, 1_499])
def test_an_hour_with_more_than_it_has_is_all_of_it_at_once(write, traffic, share):
    """New updates, those that are there, and those that differ from what is there, in either order."""
    other = [json.dumps(json.loads(line) | {"squawk": "0001"}).encode() + b"\n" for line in traffic[:30]]
    at_once = write([*traffic, *other])[0].read_bytes()
    for before, after in (
        (traffic[: share + 1], other + traffic),
        (other, traffic),
        (other + traffic[:share], traffic),
    ):
        first, _, _ = write(before)
        second, rows, _ = write(after, first)
        assert second.read_bytes() == at_once
        assert rows == len(traffic)


def test_zero_has_one_sign(write, traffic):
    """Of two updates with one key that differ in it alone, neither comes first: so they are written alike."""
    (line,) = traffic[:1]
    zero, other = (
        json.dumps(json.loads(line) | {"speed": speed, "latitude": speed}).encode() + b"\n" for speed in (0.0, -0.0)
    )
    expected = write([zero])[0].read_bytes()
    assert write([other])[0].read_bytes() == expected
    assert write([zero, other])[0].read_bytes() == write([other, zero])[0].read_bytes() == expected
    assert write([other], write([zero])[0])[0].read_bytes() == expected
