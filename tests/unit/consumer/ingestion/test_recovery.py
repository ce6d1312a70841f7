"""What a recovery plans and commits, without a server: the frontier of its gap above all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from consumer.checkpoint.position import Position
from consumer.checkpoint.watermark import Watermark
from consumer.ingestion.deduplicator import DuplicateFilter
from consumer.ingestion.processor import TargetProcessor
from consumer.ingestion.recovery import Recovery
from consumer.ingestion.recovery_plan import LATENCY
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

    def find_live_position(self):
        return "live", NOW, NOW


class Nothing:
    """Takes whatever it is given."""

    def put(self, _updates, _size, _interval):
        """Take updates."""

    def notify(self):
        """Have nothing to commit."""


def test_the_plan_keeps_the_frontier_of_the_position_it_recovers_from():
    """Killed before its first slice, a recovery must go on from the committed update, not from one read since."""
    watermark = Watermark()
    processor = TargetProcessor(Nothing(), watermark, DuplicateFilter(), None, Clock())
    committed = Position(
        position_token="old",
        token_received_at=NOW - timedelta(hours=7),
        newest_ingestion_time=NOW - timedelta(hours=7),
        frontier=("A|2024-03-05T05:00:00.000Z",),
    )
    processor.resume(committed)
    processor.process(
        [StreamUpdate(icao_address="B", timestamp=NOW, ingestion_time=NOW - timedelta(hours=6), data=b"{}")]
    )
    planned = Recovery(Reader(), processor, Nothing(), None, Clock(), seconds=900).plan(committed)
    assert planned.position_token == "live"
    assert planned.newest_ingestion_time == committed.newest_ingestion_time
    assert planned.frontier == committed.frontier
    assert planned.gap is not None
    assert planned.gap.start == committed.newest_ingestion_time - LATENCY
