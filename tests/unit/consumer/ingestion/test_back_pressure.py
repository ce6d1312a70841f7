"""More updates than can be kept apart, at a thousandth of the real rates and bounds: none lost, none twice, and no end.

The reader, the recovery, the processor and its memory are the real ones; server, Kinesis and checkpoint are simulated.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import batched

import pytest

from common.clock import rfc3339
from consumer.checkpoint.position import Position, TimeRange
from consumer.checkpoint.watermark import Watermark
from consumer.ingestion import recovery_plan
from consumer.ingestion.deduplicator import DuplicateFilter
from consumer.ingestion.end_of_reading import Stopped
from consumer.ingestion.processor import TargetProcessor
from consumer.ingestion.reader import StreamReader
from consumer.ingestion.recovery import Recovery
from consumer.ingestion.summary import StopReason
from consumer.stream.client import Batch
from consumer.stream.connection import StreamInterruptedError
from consumer.stream.redaction import Redactor

NOW = datetime(2024, 3, 5, 12, tzinfo=UTC)
BOUND = 400
WHOLE_WORLD = 4.0
"""Updates a second."""
BLOCK = 8


@pytest.fixture(autouse=True)
def small_figures(monkeypatch):
    """What is a good size for a slice, at that rate."""
    monkeypatch.setattr(recovery_plan, "_FEW_UPDATES", 10)
    monkeypatch.setattr(recovery_plan, "_MANY_UPDATES", 50)


class Server:
    """Sends updates by time range or from a token on; position tokens come after as many updates as they say."""

    def __init__(self, times, tokens=()):
        self.times = times
        self._tokens = tokens
        self.sent = 0

    def blocks(self, wanted):
        """The body of an answer."""
        if isinstance(wanted, Batch):
            yield from self._lines(*(bisect_left(self.times, at) for at in (wanted.range.start, wanted.range.end)))
            return
        at = int(wanted.position)
        for token in self._tokens:
            if token > at:
                yield from self._lines(at, token)
                yield [b'{"position_token":"%d"}\n' % token]
                at = token

    def _lines(self, start, end):
        for numbers in batched(range(start, end), BLOCK, strict=False):
            self.sent += len(numbers)
            yield [b"".join(self._line(number) for number in numbers)]

    def _line(self, number):
        at = rfc3339(self.times[number])
        update = {"icao_address": f"{number:06X}", "timestamp": at, "ingestion_time": at}
        return b'{"target":%b}\n' % json.dumps(update, separators=(",", ":")).encode()


class Surroundings:
    """One process: what Kinesis has, and each run's parts."""

    def __init__(self, server):
        self.server = server
        self.taken = []
        self.new_each = []
        """How many new updates each connection brought."""
        self.position = None
        self.slices_left = 10**9
        self.stopped = None
        self._duplicates = DuplicateFilter(max_digests=BOUND)
        self._begin()

    def _begin(self):
        self._watermark = Watermark()
        self._processor = TargetProcessor(self, self._watermark, self._duplicates, None, self)
        self._reader = StreamReader(self, self, self._processor, self, self, self, redactor=Redactor("api-token"))
        self._recovery = Recovery(self._reader, self._processor, self, self, self, seconds=900)

    def next_run(self):
        """Begin another run, which knows what this one has read."""
        self._duplicates = self._duplicates.after_the_run([])
        self._begin()

    def fetch(self, gap):
        """Recover; return what is left where the run ends before it is done."""
        self.position = Position(position_token="live", token_received_at=NOW, gap=gap)
        try:
            self._recovery.fetch(self.position, gap)
        except Stopped as stopped:
            self.stopped = stopped.reason
            return self.position.gap
        return None

    def follow(self, token):
        """Read the live stream, up to its last token."""
        with pytest.raises(Stopped):
            self._reader.follow(token)

    def put(self, updates, _size, interval):
        """Take what is published."""
        self.taken += [int(update.icao_address, 16) for update in updates]
        interval.acknowledged += len(updates)

    def notify(self):
        """Commit what is safe."""
        for interval in self._watermark.take_settled():
            self.position = interval.closed_by
            self._watermark.committed += 1

    @contextmanager
    def connected(self, wanted):
        """Answer a request."""
        self._processor.connected()
        before = len(self.taken)
        try:
            yield Connection(self.server.blocks(wanted))
        except StreamInterruptedError:
            pass
        finally:
            self.new_each.append(len(self.taken) - before)

    def fits(self, _seconds):
        """Whether there is time for another slice."""
        self.slices_left -= 1
        return self.slices_left >= 0

    def check_at_token(self):
        """Stop at the last token."""
        if len(self.taken) == len(self.server.times):
            raise Stopped(StopReason.REQUESTED)

    def now(self):
        return NOW

    def monotonic(self):
        return 0.0

    def nothing(self, *_):
        """What needs not be done here."""

    check = check_now_and_then = progressed = excuse = token_arrived = nothing


class Connection:
    """An answer that comes whole."""

    ends_visibly = True

    def __init__(self, blocks):
        self.blocks = lambda: blocks


def gap_of(*rates):
    """Times of updates at so many a second, an hour each, up to now; and their time range."""
    begins = NOW - timedelta(hours=len(rates))
    times = [
        begins + timedelta(hours=hour, seconds=number / rate)
        for hour, rate in enumerate(rates)
        for number in range(int(3600 * rate))
    ]
    return times, TimeRange(begins, NOW)


@pytest.mark.parametrize(
    "rates",
    [[WHOLE_WORLD] * 6, [5 * WHOLE_WORLD], [0.02, 0.02, 2.5 * WHOLE_WORLD, WHOLE_WORLD]],
    ids=["the whole world", "a rush", "a quiet night and a rush"],
)
def test_a_gap_is_fetched_whatever_a_slice_of_it_holds(rates):
    """Every update is published once, few are sent twice, and there are few more connections than slices."""
    times, gap = gap_of(*rates)
    process = Surroundings(Server(times))
    assert process.fetch(gap) is None
    assert process.taken == list(range(len(times)))
    assert process.position.gap is None
    assert sum(new == 0 for new in process.new_each) <= 8
    assert process.server.sent <= len(times) + 2 * BOUND
    assert len(process.new_each) <= len(times) / (BOUND / 4) + 60


def test_a_gap_of_the_whole_world_needs_no_connection_twice():
    """In half a minute it sends a third of what can be kept apart, and at most twice that comes in the last slice."""
    times, gap = gap_of(WHOLE_WORLD)
    process = Surroundings(Server(times))
    process.fetch(gap)
    assert max(process.new_each) <= 2 * 30 * WHOLE_WORLD
    assert len(process.new_each) == 120


def test_runs_that_end_while_a_slice_is_cut_shorter_share_what_they_know():
    """What an attempt has published and could not commit is no other run's to publish again."""
    times, gap = gap_of(5 * WHOLE_WORLD)
    process, runs = Surroundings(Server(times)), 0
    while gap is not None:
        process.slices_left = 2
        gap = process.fetch(gap)
        process.next_run()
        runs += 1
    assert process.taken == list(range(len(times)))
    assert runs <= 3600 / 15 + 1


@pytest.mark.parametrize(("slices", "reason"), [(1, StopReason.DEADLINE), (2, StopReason.NEAR_DEADLINE)])
def test_a_run_that_ends_before_a_slice_is_done_does_not_say_that_it_ended_at_one(slices, reason):
    """The first attempt holds too much, half of it does not: only then is all that was read committed."""
    times, gap = gap_of(5 * WHOLE_WORLD)
    process = Surroundings(Server(times))
    process.slices_left = slices
    process.fetch(gap)
    assert process.stopped is reason


def test_a_moment_that_cannot_be_cut_shorter_is_fetched_all_the_same():
    """A feed may give a million updates one ingestion time: they go on, and only a disconnect would double some."""
    times = [NOW - timedelta(minutes=5)] * 1500
    process = Surroundings(Server(times))
    assert process.fetch(TimeRange(NOW - timedelta(minutes=6), NOW)) is None
    assert process.taken == list(range(1500))
    assert len(process.new_each) < 50


@pytest.mark.parametrize("tokens", [[450, 900, 1350], [5000], [400], [399, 1200]])
def test_updates_without_end_before_a_token_are_read_once(tokens):
    """The connection is opened again once between two tokens, and what comes again then is recognised."""
    process = Surroundings(Server([NOW - timedelta(seconds=1)] * tokens[-1], tokens))
    process.follow("0")
    assert process.taken == list(range(tokens[-1]))
    assert len(process.new_each) <= 1 + len(tokens)
    assert process.position.position_token == str(tokens[-1])
