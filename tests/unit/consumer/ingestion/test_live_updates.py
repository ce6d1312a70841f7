"""What the live stream sends before its token: kept is what batch mode may not hold, in bounded memory."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from consumer.ingestion.live_updates import MAX_BYTES, MAX_UPDATES, LiveUpdates
from consumer.stream.messages import StreamUpdate

NOW = datetime(2024, 3, 4, 23, 24, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def update(ingested, size=2):
    """An update of so many bytes."""
    return StreamUpdate("78121E", NOW, ingested, data=b"{" + b" " * (size - 2) + b"}")


def test_what_a_gap_does_not_reach_is_kept():
    """Ahead of its end, or without a time at all; the others are in a slice."""
    live = LiveUpdates(NOW)
    updates = [update(NOW - SECOND), update(NOW), update(None), update(NOW + SECOND)]
    live.note(updates[:2])
    live.note(updates[2:])
    assert live.newest == NOW + SECOND
    assert live.take() == updates[1:]
    assert (live.take(), live.left_out) == ([], 0)


def test_of_a_feed_without_ingestion_times_nothing_is_kept():
    """Batch mode can go by nothing but their arrival."""
    live = LiveUpdates(NOW)
    live.note([update(None)] * (MAX_UPDATES + 1))
    assert (live.newest, live.take(), live.left_out) == (None, [], 0)


@pytest.mark.parametrize(("size", "most"), [(2, MAX_UPDATES), (MAX_BYTES // 4, 4)])
def test_what_is_beyond_the_bounds_is_counted(size, most):
    """In number and in bytes; how far ahead it was is said, too."""
    live = LiveUpdates(NOW)
    live.note([update(NOW, size)] * most + [update(NOW + SECOND, size), update(NOW, size), update(None, size)])
    assert (live.left_out, live.newest_left_out) == (3, NOW + SECOND)
    assert len(live.take()) == most
