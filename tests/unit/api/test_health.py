"""The pipeline's health: by the newest snapshot's age, and by how the stream is read."""

from __future__ import annotations

import msgspec
import pytest

from api.health import STALE_SECONDS, health
from api.snapshots import Sky

NOW = 1_709_591_040_000


def status_of(age, status=None):
    """The health when the newest snapshot is so many seconds old."""
    return health(Sky(newest=NOW - round(age * 1_000), shards=2), status, NOW)


def test_it_is_stale_once_nothing_was_written_for_a_minute():
    """Snapshots are written every few seconds."""
    assert status_of(STALE_SECONDS).status == "ok"
    assert status_of(STALE_SECONDS + 0.1).status == "stale"
    assert status_of(1.25).newest_snapshot_age_seconds == 1.2
    assert health(Sky(), None, NOW).status == "unknown"


def test_periodic_reading_may_be_silent_as_long_as_its_pause():
    """Nothing is written between two visits."""
    visits = msgspec.json.encode({"visits_every_seconds": 900})
    assert status_of(STALE_SECONDS + 900, visits).status == "ok"
    assert status_of(STALE_SECONDS + 901, visits).status == "stale"


@pytest.mark.parametrize("status", [None, b"", b"{", b"[]", b"null", b"[" * 100_000])
def test_a_status_that_cannot_be_read_is_left_out(status):
    """The rest is answered all the same."""
    found = status_of(1, status)
    assert (found.status, found.pipeline) == ("ok", None)
