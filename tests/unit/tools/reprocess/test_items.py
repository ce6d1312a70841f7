"""What is done item by item: hours of arrival, and the days whose flights follow from them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from flights import days
from tools.reprocess import items

DAY = datetime(2024, 3, 4)  # noqa: DTZ001 - as the command line has its times


def test_hours_are_those_with_raw_objects():
    """In their order, from the beginning on and before the end; what is no hour's folder is skipped."""
    folders = [f"raw/date=2024-03-0{day}/hour={hour}" for day in (5, 4, 3) for hour in ("23", "00", "7", "99", "x")]
    assert items.hours_between(folders, DAY, DAY + timedelta(hours=48)) == [
        f"2024-03-0{day}T{hour}" for day in (4, 5) for hour in ("00", "23")
    ]
    assert items.hours_between(folders, DAY, DAY + timedelta(hours=23)) == ["2024-03-04T00"]


def test_days_are_all_that_an_hours_updates_are_read_for():
    """Whatever was ingested up to a day before it arrived, and is read for a day's flights, has that day made again."""
    for hour in range(24):
        arrival = datetime(2024, 3, 4, hour, tzinfo=UTC)
        ingested = {arrival - timedelta(hours=back) for back in range(25)}
        around = [date(2024, 3, 4) + timedelta(days=ahead) for ahead in range(-6, 7)]
        needed = {str(day) for day in around if ingested & set(days.hours(day))}
        assert needed <= set(items.days_between([f"{arrival:%Y-%m-%dT%H}"]))


def test_days_of_many_hours_are_named_once():
    """In their order."""
    assert items.days_between(["2024-03-04T22", "2024-03-04T23"]) == [f"2024-03-0{day}" for day in (1, 2, 3, 4, 5)]
