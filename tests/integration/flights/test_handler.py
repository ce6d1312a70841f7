"""The function as Lambda calls it."""

from __future__ import annotations

import json

import pytest

from common.given_event import EventError
from flights import wiring
from flights.handler import handler


class Context:
    """What a handler knows of its invocation."""

    function_name = memory_limit_in_mb = invoked_function_arn = aws_request_id = "test"

    def get_remaining_time_in_millis(self):
        return 900_000


@pytest.fixture(autouse=True)
def settings(aws, monkeypatch):
    """The function's environment."""
    monkeypatch.setenv("DATA_BUCKET", "data")
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws)
    wiring.making.cache_clear()
    yield
    wiring.making.cache_clear()


def test_the_days_that_an_event_names(put, hours):
    """Their flights are made, and counted."""
    put(hours)
    event = {"days": ["2021-03-20"]}
    report = handler(event, Context())
    assert report["days"]["2021-03-20"]["flights"] > 0
    assert handler(event, Context()) == report
    assert handler({**event, "only_changed": True}, Context())["days"] == {"2021-03-20": "unchanged"}


def test_a_day_in_parts(put, large_hours, monkeypatch):
    """As the state machine has it made: planned, its parts, joined; of each event what the next one is given."""
    monkeypatch.setattr(wiring.making(), "_most_rows", 25_000)
    put(large_hours)
    asked = {"days": ["2021-03-20"], "only_changed": True, "in_parts": True}
    planned = handler(asked, Context())
    assert planned["days"] == {"2021-03-20": {"parts": 3}}
    (plan,) = json.loads(json.dumps(planned["large"]))
    made = [handler({"part": part}, Context()) for part in plan["parts"]]
    joined = handler({"join": plan}, Context())
    total = {name: sum(one[name] for one in made) for name in ("updates", "flights")}
    assert joined == {"days": {"2021-03-20": total}, "large": []}
    assert handler(asked, Context()) == {"days": {"2021-03-20": "unchanged"}, "large": []}


@pytest.mark.parametrize(
    "event", [{"part": 3}, {"join": {}}, {"part": {"day": "../x", "plan": "a", "number": 0, "begin": "", "end": "'"}}]
)
@pytest.mark.usefixtures("s3")
def test_parts_that_are_none(event):
    """What goes into keys and into SQL is what a plan has."""
    with pytest.raises(EventError, match="expected"):
        handler(event, Context())


def test_by_schedule_the_last_days(put, hours):
    """Of which the archive here, of 2021, has none."""
    put(hours)
    assert set(handler({"source": "aws.events", "detail": {}}, Context())["days"].values()) == {"unchanged"}


@pytest.mark.parametrize(
    "given", ["2021-03-20", ["20 March"], ["2021-02-30"], [20210320], None, ["9999-12-31"], ["0001-01-01"]]
)
@pytest.mark.usefixtures("s3")
def test_days_that_are_none(given):
    """The error says what was expected."""
    with pytest.raises(EventError, match="expected"):
        handler({"days": given}, Context())


@pytest.mark.parametrize("event", [[], None, "2021-03-20", {"hours": ["2021-03-20T12"]}, {"in_parts": "maybe"}])
@pytest.mark.usefixtures("s3")
def test_an_event_that_it_does_not_know_is_no_schedules(event):
    """It is refused, and nothing is made that nobody has asked for."""
    with pytest.raises(EventError, match="expected"):
        handler(event, Context())


@pytest.mark.parametrize("day", ["9998-12-31", "0002-01-01"])
@pytest.mark.usefixtures("s3")
def test_a_day_of_the_first_and_the_last_year_of_the_feed(day):
    """It has its hours before and behind it."""
    assert handler({"days": [day]}, Context())["days"] == {day: "unchanged"}
