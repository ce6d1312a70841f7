"""What the status says of how the stream is read."""

from __future__ import annotations

import pytest

from api import health
from api.snapshots import Sky
from live.status import pause

NOW = 1_700_000_000_000
"""Milliseconds since the epoch."""


@pytest.mark.parametrize(
    ("status", "seconds"),
    [
        (None, 0),
        ({}, 0),
        ({"visits_every_seconds": 60}, 0),
        ({"visits_every_seconds": 900}, 900),
        ({"visits_every_seconds": "often"}, 0),
    ],
    ids=["no-status", "not-said", "all-the-time", "periodically", "nonsense"],
)
def test_the_pause_between_two_visits(status, seconds):
    """None where the stream is read all the time, and where nothing is known."""
    assert pause(status) == seconds


@pytest.mark.parametrize(
    ("status", "seconds_old", "said"),
    [
        (None, 59, "ok"),
        (None, 61, "stale"),
        (b'{"visits_every_seconds": 900}', 959, "ok"),
        (b'{"visits_every_seconds": 900}', 961, "stale"),
    ],
)
def test_the_apis_health_allows_for_it(status, seconds_old, said):
    """Only what is not written although a visit was due has stopped."""
    assert health.health(Sky(newest=NOW - 1000 * seconds_old), status, NOW).status == said
