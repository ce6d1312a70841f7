"""Small sources with known lines, and a clock that the test owns."""

from __future__ import annotations

import json

import pytest

from local.simulator import times
from tests.manual_clock import ManualClock

START = times.parse("2024-03-04T23:24:00Z")


@pytest.fixture
def clock():
    """A clock that stands still until it is advanced."""
    return ManualClock()


class ListSource:
    """A source of given lines, at given seconds after `START`."""

    kind, endless, start, identity = "list", False, START, "list"

    def __init__(self, seconds):
        self._seconds = seconds

    def updates(self):
        """Yield a line for each of the seconds; the line says which."""
        for number, second in enumerate(self._seconds):
            yield START + second, b'{"target":{"n":%d}}' % number


@pytest.fixture
def make_source():
    """A function that makes a source of lines at given seconds after the start."""
    return ListSource


@pytest.fixture
def start():
    """Simulated time at which those sources begin."""
    return START


@pytest.fixture
def make_line():
    """A function that makes the line of an update with given fields."""

    def make(**fields):
        target = {"icao_address": "040172", "timestamp": "2024-03-04T23:24:00Z", "latitude": 10.0, "longitude": 20.0}
        return json.dumps({"target": target | {"altitude_baro": 30000, "callsign": "ETH701"} | fields}).encode()

    return make
