"""The function as Lambda calls it."""

from __future__ import annotations

import pytest

from flights import wiring
from flights.handler import EventError, handler


class Context:
    """What a handler is told of its invocation."""

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


def test_by_schedule_the_last_days(put, hours):
    """Of which the archive here, of 2021, has none."""
    put(hours)
    assert set(handler({"source": "aws.events", "detail": {}}, Context())["days"].values()) == {"unchanged"}


@pytest.mark.parametrize("given", ["2021-03-20", ["20 March"], ["2021-02-30"], [20210320], None])
@pytest.mark.usefixtures("s3")
def test_days_that_are_none(given):
    """The error says what was expected."""
    with pytest.raises(EventError, match="expected"):
        handler({"days": given}, Context())
