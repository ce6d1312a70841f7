"""The folders of hours between two times, and which times a question may span."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from api import hours
from api.hours import HOUR
from api.problems import ProblemError

BEGIN = int(datetime(2024, 3, 4, 22, 59, tzinfo=UTC).timestamp() * 1_000)


class Bucket:
    """Lists keys as S3 does: in order, those of a prefix, after another key."""

    def __init__(self, *keys):
        self._keys = sorted(keys)
        self.taken = 0

    def keys(self, prefix, after):
        for key in self._keys:
            if key.startswith(prefix) and key > after:
                self.taken += 1
                yield key


def test_the_keys_of_all_hours_between_are_one_listing():
    """From the hour of the first time to that of the last, over midnight; what comes after is not listed on."""
    inside = [f"w/date=2024-03-04/hour={hour}/a" for hour in (22, 23)] + ["w/date=2024-03-05/hour=00/a"]
    later = [f"w/date=2024-03-05/hour=0{hour}/a" for hour in range(1, 9)]
    bucket = Bucket("w/date=2024-03-04/hour=21/a", *inside, *later)
    assert list(hours.keys(bucket, "w/", BEGIN, BEGIN + 2 * HOUR, None)) == inside
    assert bucket.taken == len(inside) + 1


def test_a_page_goes_on_after_its_last_key():
    """Wherever that was."""
    keys = [f"w/date=2024-03-04/hour=22/{name}" for name in "abc"]
    assert list(hours.keys(Bucket(*keys), "w/", BEGIN, BEGIN, keys[0])) == keys[1:]


@pytest.mark.parametrize(
    ("given", "span"),
    [
        ({}, (99 * HOUR, 100 * HOUR)),
        ({"from": 98 * HOUR}, (98 * HOUR, 100 * HOUR)),
        ({"to": 50 * HOUR}, (49 * HOUR, 50 * HOUR)),
        ({"from": 26 * HOUR, "to": 50 * HOUR}, (26 * HOUR, 50 * HOUR)),
    ],
)
def test_what_is_left_out_is_up_to_now_and_as_long_as_usual(given, span):
    """A question without times is about the last hour."""
    assert hours.span({"from": None, "to": None} | given, 100 * HOUR, HOUR, 24 * HOUR) == span


@pytest.mark.parametrize("given", [{"from": 101 * HOUR}, {"from": 75 * HOUR}, {"from": 2, "to": 1}])
def test_times_the_wrong_way_round_or_too_far_apart_are_refused(given):
    """The problem names the parameter and the bound."""
    with pytest.raises(ProblemError, match=r"from: got .* by 24 hours at most"):
        hours.span({"from": None, "to": None} | given, 100 * HOUR, HOUR, 24 * HOUR)


def test_up_to_now_a_request_may_be_on_its_way():
    """A client that asks for the last day has reckoned it a moment before; what it was refused for is said exactly."""
    values = {"from": 76 * HOUR - 1_500, "to": None}
    assert hours.span(values, 100 * HOUR, HOUR, 24 * HOUR) == (76 * HOUR - 1_500, 100 * HOUR)
    with pytest.raises(ProblemError, match=r"from: got '1 day, 0:01:01 before now'; expected"):
        hours.span({"from": 76 * HOUR - 61_000, "to": None}, 100 * HOUR, HOUR, 24 * HOUR)
    with pytest.raises(ProblemError, match=r"from: got '1 day, 0:00:01 before `to`'; expected"):
        hours.span({"from": 76 * HOUR - 1_000, "to": 100 * HOUR}, 100 * HOUR, HOUR, 24 * HOUR)
