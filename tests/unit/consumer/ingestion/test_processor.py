"""What the processor remembers of updates that it could not hand on: nothing, so that they are no duplicates later."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from hashlib import blake2b

import msgspec
import pytest

from common.icao_address import normalized
from common.update_log import UpdateLog, update_id
from consumer.checkpoint import document
from consumer.checkpoint.document import Checkpoint
from consumer.checkpoint.watermark import Watermark
from consumer.errors import CheckpointError
from consumer.ingestion import frontier
from consumer.ingestion.deduplicator import DuplicateFilter, identify
from consumer.ingestion.processor import MAX_REJECTED_BYTES, TargetProcessor
from consumer.publish.limits import MAX_RECORD_BYTES
from consumer.stream.messages import StreamUpdate

NOW = datetime(2024, 3, 4, 23, 24, tzinfo=UTC)


class Taken(list):
    """A publisher that takes all."""

    def put(self, updates, read_bytes, _interval):
        assert read_bytes == sum(len(update.data) for update in updates)
        self.extend(updates)


class FullStore:
    """A store of rejected lines that cannot be written to."""

    def write(self, _lines):
        raise CheckpointError("rejected/: refused")


class Clock:
    """Stands still."""

    def now(self):
        return NOW


def update(number, *, size=0, ingested=NOW):
    """An update of a new aircraft, of at least so many bytes."""
    key = f"{number:06X}"
    return StreamUpdate(key, NOW, ingested, data=b'{"icao_address":"%b"%b}' % (key.encode(), b" " * size))


@pytest.fixture
def parts():
    """A processor, what it handed on, and what it remembers."""
    taken, duplicates = Taken(), DuplicateFilter()
    return TargetProcessor(taken, Watermark(), duplicates, FullStore(), Clock()), taken, duplicates


def test_updates_beside_one_that_could_not_be_rejected_come_again_as_new(parts):
    """The run fails there, and nothing of the list was handed on: the next run in this process must not drop it."""
    processor, taken, duplicates = parts
    too_large = [update(number, size=MAX_RECORD_BYTES) for number in range(MAX_REJECTED_BYTES // MAX_RECORD_BYTES + 1)]
    updates = [update(100), *too_large, update(101)]
    with pytest.raises(CheckpointError):
        processor.process(updates)
    assert taken == []
    assert duplicates.new_ones(updates) == updates


def test_an_update_too_large_for_a_record_is_rejected_alone(parts):
    """Those beside it go on; sent again it is rejected again, since nobody has it."""
    processor, taken, duplicates = parts
    small, large = update(1), update(2, size=MAX_RECORD_BYTES)
    processor.process([small, large])
    assert taken == [small]
    assert duplicates.new_ones([small, large]) == [large]


@pytest.mark.parametrize(
    "address", ["78121E", "78121e ", "\u0390" * 10, "\u0390" * 10 + " " * 600_000, " " * 600_000 + "78121E"]
)
def test_the_key_counts_as_kinesis_counts_it(parts, address):
    """In upper case and without padding: a record a byte too large would be refused for good, with all beside it."""
    processor, taken, _ = parts
    room = MAX_RECORD_BYTES - len(b"\n") - len(normalized(address).encode())
    fits, too_large = (
        StreamUpdate(address, NOW, NOW, data=b"{" + b" " * (size - 2) + b"}") for size in (room, room + 1)
    )
    processor.process([fits, too_large])
    assert taken == [fits]
    assert processor.counters.rejected == 1


@pytest.mark.parametrize("ahead", [timedelta(minutes=1), timedelta(hours=20), timedelta(days=3650)])
def test_a_wrong_clock_is_not_how_far_the_stream_has_come(parts, ahead):
    """The lag, the budget and the next recovery go by what the others say, or by what was known before."""
    processor, taken, _ = parts
    old = NOW - timedelta(hours=5)
    processor.process([update(n, ingested=old) for n in range(4)] + [update(4, ingested=NOW + ahead)])
    assert processor.reach("t1", NOW).newest_ingestion_time == processor.stream_time_reached == old
    assert len(taken) == 5
    processor.process([update(5, ingested=NOW + ahead)])  # alone in its interval
    assert processor.reach("t2", NOW).newest_ingestion_time == old
    assert processor.stream_time_reached is None
    processor.process([update(6, ingested=NOW)])
    assert processor.reach("t3", NOW).newest_ingestion_time == processor.stream_time_reached == NOW


def test_the_frontier_names_what_a_recovery_would_fetch_again(parts):
    """Of what was read before the position alone, whatever the clocks say; it has a bound."""
    processor, _, _ = parts
    *before, later = (update(n, ingested=NOW + timedelta(days=at)) for n, at in enumerate((0, -30, 0, 1, 0)))
    processor.process(before)
    position = processor.reach("t1", NOW)
    processor.process([later])
    assert processor.complete(position).frontier == tuple(frontier.keys(before))
    processor.process([update(number) for number in range(10, 3000)])
    full = processor.complete(processor.reach("t2", NOW))
    assert full.frontier == tuple(frontier.keys([update(number) for number in range(2000, 3000)]))
    assert processor.complete(position).frontier == ()
    processor.resume(full)
    processor.process([update(4000)])
    assert processor.complete(processor.reach("t3", NOW)).frontier == (
        *full.frontier[1:],
        *frontier.keys([update(4000)]),
    )


def test_what_the_server_repeats_takes_no_room_in_the_frontier(parts):
    """It has room for the newest updates, however often they are read."""
    processor, _, _ = parts
    updates = [update(number) for number in range(frontier.MAX_KEYS)]
    processor.process(updates)
    for _ in range(2):
        processor.connected()
        processor.process(updates[500:])
    assert processor.complete(processor.reach("t1", NOW)).frontier == tuple(frontier.keys(updates))
    processor.connected()
    new = update(frontier.MAX_KEYS)
    processor.process([*updates[900:], new])
    assert processor.complete(processor.reach("t2", NOW)).frontier == tuple(frontier.keys([*updates[1:], new]))


def test_what_the_run_before_published_is_in_the_frontier_once_it_is_read_again(parts):
    """It is dropped as a duplicate, and Kinesis has it: a recovery must not publish it again."""
    processor, _, _ = parts
    updates = [update(number) for number in range(3)]
    known = DuplicateFilter()
    known.new_ones(updates)
    processor.recognise(known.after_the_run([]))
    processor.process(updates)
    assert processor.counters.duplicates_dropped == len(updates)
    assert processor.complete(processor.reach("t1", NOW)).frontier == tuple(frontier.keys(updates))


@pytest.mark.parametrize("ingested", [None, NOW])
@pytest.mark.parametrize("address", ["{:06X}", "{:06X}" + " " * 500_000])
def test_the_frontier_takes_no_more_memory_than_keys_do(parts, ingested, address):
    """An identity may be as long as its update, which has long been acknowledged: it is not kept whole.

    It compares as ever, with what an earlier checkpoint or process has noted.
    """
    processor, *_ = parts
    updates = [
        StreamUpdate(address.format(n), NOW, ingested, data=b'{"n":%d,"pad":"%b"}' % (n, b"x" * 500_000))
        for n in range(20)
    ]
    processor.process(updates)
    held = processor._frontier._recent
    assert sum(map(sys.getsizeof, held)) < len(updates) * 300
    position = processor.complete(processor.reach("t1", NOW))
    assert position.frontier == tuple(blake2b(one, digest_size=8).hexdigest() for one in identify(updates).identities)
    assert position.frontier == tuple(frontier.keys(updates))


def test_what_is_shown_says_what_became_of_it():
    """With an update log each update picked has a line: handed on, or a duplicate."""
    shown = []

    class Log:
        log_level = 10

        def debug(self, _message, *, extra):
            shown.append((extra["update_id"], extra["decision"]))

    log = UpdateLog(Log(), lambda: 0.0)
    processor = TargetProcessor(Taken(), Watermark(), DuplicateFilter(), FullStore(), Clock(), update_log=log)
    processor.process([update(1)])
    processor.reach("t1", NOW)
    processor.connected()
    processor.process([update(1), update(2)])
    names = [update_id(update(n).data) for n in (1, 2)]
    expected = ["published", "dropped as a duplicate", "published"]
    assert shown == list(zip([names[0], *names], expected, strict=True))


def test_what_is_left_out_is_not_published_and_does_not_come_again():
    """The operator's own processor chooses among the new ones; what it left out is remembered as any other."""
    taken, calls = Taken(), []

    def second(updates):
        calls.append(updates)
        return updates[1:]

    processor = TargetProcessor(taken, Watermark(), DuplicateFilter(), FullStore(), Clock(), own=second)
    processor.process([update(1), update(2)])
    processor.reach("t1", NOW)
    processor.connected()
    processor.process([update(1)])
    assert taken == [update(2)]
    assert calls == [[update(1), update(2)]]
    assert processor.counters.duplicates_dropped == 1


@pytest.mark.parametrize("year", [2, 1900, 1969, 1970, 9998])
@pytest.mark.parametrize("others", [0, 1, 2, 40])
def test_a_checkpoint_holds_no_time_that_it_is_refused_for(parts, year, others):
    """An update may be of any year; a position that cannot be read back would end all runs until a person came."""
    processor, *_ = parts
    odd = [update(number, ingested=datetime(year, 1, 1, tzinfo=UTC)) for number in range(40 if year > NOW.year else 1)]
    processor.process([*odd, *(update(number + 100) for number in range(others))])
    position = processor.reach("t1", NOW)
    stored = document.decode(msgspec.json.encode(Checkpoint.of(position, None, None)), "checkpoint")
    assert stored.position.newest_ingestion_time == position.newest_ingestion_time
    if year < 1970:
        assert position.newest_ingestion_time == (NOW if others else None)
