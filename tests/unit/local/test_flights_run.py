"""Flights in a local run: made over the archive's days, tried again, and reported when they cannot be made."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from local.flights_run import ATTEMPTS, FlightsRun, make_by_hand
from local.function_names import FLIGHTS
from local.runtime.emulator import EmulatorError


class Lambda:
    """A function that fails so many times."""

    def __init__(self, failures=0):
        self.failures = failures
        self.events = []

    def invoke(self, event):
        """Answer as the runtime does."""
        self.events.append(json.loads(event))
        if len(self.events) == 1 < self.failures:
            raise EmulatorError("it does not start")
        failed = len(self.events) <= self.failures
        return SimpleNamespace(function_error="Unhandled" if failed else None, payload={"errorMessage": "no"})


def test_it_makes_all_days_of_the_archive(aws):
    """Those that have hours in it, and no other; nothing is asked where there are none."""
    import boto3

    s3 = boto3.client("s3", endpoint_url=aws)
    s3.create_bucket(Bucket="data")
    function = Lambda()
    stack, cloud = SimpleNamespace(resources={"DataBucket": "data"}), SimpleNamespace(client=lambda _: s3)
    functions: Any = {FLIGHTS: function}
    run = FlightsRun(stack, cloud, functions)
    assert run.make() == ""
    assert function.events == []
    for key in ("archive/updates/date=2021-03-20/hour=12/updates.parquet", "archive/ledger/date=2021-03-21/hour=00/x"):
        s3.put_object(Bucket="data", Key=key, Body=b"")
    assert run.make() == ""
    assert function.events == [{"days": ["2021-03-20"], "only_changed": True}]
    assert FlightsRun(stack, cloud, {}).make() == ""


@pytest.mark.parametrize("failures", [1, ATTEMPTS - 1])
def test_it_is_tried_again(failures):
    """As Lambda's queue would."""
    function = Lambda(failures)
    assert make_by_hand(function, ["2021-03-20"]) == ""
    assert len(function.events) == failures + 1


def test_what_cannot_be_made_is_reported():
    """With the function's last word."""
    assert "no" in make_by_hand(Lambda(ATTEMPTS), ["2021-03-20"])
