"""What a recovery plans and commits, without a server: the frontier of its gap above all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from consumer.checkpoint.position import Position, TimeRange
from consumer.checkpoint.watermark import Watermark
from consumer.ingestion.deduplicator import DuplicateFilter
from consumer.ingestion.end_of_reading import Stopped
from consumer.ingestion.frontier import keys
from consumer.ingestion.live_updates import MAX_UPDATES
from consumer.ingestion.processor import TargetProcessor
from consumer.ingestion.recovery import Recovery
from consumer.ingestion.recovery_plan import LATENCY
from consumer.ingestion.summary import StopReason
from consumer.stream.messages import StreamUpdate

NOW = datetime(2024, 3, 5, 12, tzinfo=UTC)


class Clock:
    """A clock that stands still."""

    def now(self):
        return NOW

    def monotonic(self):
        return 0.0


class Reader:
    """Knows where the live stream stands."""

    def find_live_position(self, _updates):
        return "live", NOW, NOW


class Nothing:
    """Takes whatever it is given."""

    def put(self, _updates, _size, _interval):
        """Take updates."""

    def notify(self):
        """Have nothing to commit."""


class AheadReader:
    """Finds some updates before the live token, and the gap empty, or is stopped there."""

    def __init__(self, updates, *, stops=False):
        self._updates, self._stops = updates, stops

    def find_live_position(self, updates):
        updates.note(self._updates)
        return "live", NOW, NOW

    def fetch(self, _slice, _unknown, **_):
        if self._stops:
            raise Stopped(StopReason.DEADLINE)
        return 0


def recovered(updates, *, stops=False):
    """A recovery of seven hours, what it published, and what closed the last interval."""
    published, watermark = [], Watermark()
    publisher = SimpleNamespace(put=lambda updates, _size, _interval: published.extend(updates))
    processor = TargetProcessor(publisher, watermark, DuplicateFilter(), None, Clock())
    old = NOW - timedelta(hours=7)
    position = Position(position_token="old", token_received_at=old, newest_ingestion_time=old)
    budget = SimpleNamespace(fits=lambda _seconds: True)
    recovery = Recovery(AheadReader(updates, stops=stops), processor, Nothing(), budget, Clock(), seconds=900)
    planned = recovery.plan(position)
    try:
        recovery.fetch(planned, planned.gap)
    except Stopped:
        assert stops
    return recovery, published, watermark


AHEAD = [StreamUpdate(f"{n:06X}", NOW, NOW + timedelta(hours=2), data=b'{"n":%d}' % n) for n in range(MAX_UPDATES + 1)]


def test_updates_ahead_of_the_gap_are_published_before_it_is_closed():
    """No slice need hold them, and the stream does not send them again: the token waits for them."""
    recovery, published, watermark = recovered(AHEAD[:2])
    assert published == AHEAD[:2]
    *_, last = watermark.rejected_before()[:-1]
    assert (last.taken, last.closed_by.gap) == (2, None)
    assert recovery.unrecoverable is None


@pytest.mark.parametrize(("updates", "stops", "lost"), [(AHEAD, False, 1), (AHEAD[:2], True, 2)])
def test_updates_ahead_of_the_gap_that_are_lost_are_reported(updates, stops, lost, caplog):
    """Those beyond the bound, and all of a run that ends before the gap does: in log and summary."""
    recovery, published, _ = recovered(updates, stops=stops)
    assert len(published) == len(updates) - lost
    [record] = [record for record in caplog.records if record.levelname == "ERROR"]
    assert record.updates == lost
    assert recovery.unrecoverable == TimeRange(NOW, NOW + timedelta(hours=2))


def test_the_plan_begins_where_its_position_stands_and_names_what_was_read_since():
    """What came behind the token is in the gap: unless the checkpoint names it, another process publishes it again."""
    watermark = Watermark()
    processor = TargetProcessor(Nothing(), watermark, DuplicateFilter(), None, Clock())
    committed = Position(
        position_token="old",
        token_received_at=NOW - timedelta(hours=7),
        newest_ingestion_time=NOW - timedelta(hours=7),
        frontier=("789e6bda2ede254a",),
    )
    processor.resume(committed)
    behind = StreamUpdate(icao_address="B", timestamp=NOW, ingestion_time=NOW - timedelta(hours=6), data=b"{}")
    processor.process([behind])
    planned = Recovery(Reader(), processor, Nothing(), None, Clock(), seconds=900).plan(committed)
    assert planned.position_token == "live"
    assert planned.newest_ingestion_time == committed.newest_ingestion_time
    assert planned.frontier == (*committed.frontier, *keys([behind]))
    assert planned.gap is not None
    assert planned.gap.start == committed.newest_ingestion_time - LATENCY
    *_, interval = watermark.rejected_before()[:-1]
    assert (interval.taken, interval.closed_by.position_token) == (1, "live")  # committed once Kinesis has `behind`
