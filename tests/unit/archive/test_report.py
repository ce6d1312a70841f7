"""What a run came to, with names for people and no more of them than can be read."""

from __future__ import annotations

from archive.report import Report

HOUR = 474_887  # 2024-03-04T23, counted from 1970


def test_hours_are_named_in_their_order():
    """Written ones with their rows."""
    said = Report(rows={HOUR: 5, HOUR - 1: 7}, unchanged={HOUR + 1}).as_json()
    assert list(said["hours_written"].items()) == [("2024-03-04T22", 7), ("2024-03-04T23", 5)]
    assert said["hours_unchanged"] == ["2024-03-05T00"]


def test_twenty_objects_are_named_and_all_are_counted():
    """A log entry has a bound, which a bad day has not."""
    objects = {f"raw/{number:03}": "cut" for number in range(100)}
    said = Report(damaged=objects, unread=objects).as_json()
    assert (said["objects_damaged"], len(said["damaged"])) == (100, 20)
    assert (said["objects_unread"], len(said["unread"])) == (100, 20)
