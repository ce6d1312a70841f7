"""The ledger: the feed against what is in Kinesis and at the sink."""

from __future__ import annotations

import json

import msgspec
import pytest

from local.audit.envelope import StoredRecord
from local.audit.ledger import RowFigures, compare, count_rows


def update(aircraft, second):
    """One update's bytes."""
    return json.dumps({"icao_address": aircraft, "timestamp": f"2024-03-04T00:00:{second:02d}Z"}).encode()


def line(aircraft, second):
    """The line of the feed that carries it."""
    return b'{"target":' + update(aircraft, second) + b"}"


def record(aircraft, second):
    """The Kinesis record it becomes."""
    return StoredRecord("shard-0", 0.0, update(aircraft, second) + b"\n")


def windowed(*seconds, aircraft="A", start=0, shard="shard-0"):
    """Records of one aircraft that arrived in the window from `start`; a second that comes twice is a duplicate."""
    return [StoredRecord(shard, start + 0.5, update(aircraft, second) + b"\n") for second in seconds]


def row(updates, *, kind="aircraft", start=0, shard="shard-0", part=0, aircraft="A"):  # noqa: PLR0913 -- the row's key
    """One window row at the sink."""
    start = f"1970-01-01T00:00:{start:02d}Z"
    content = {"kind": kind, "window_start": start, "shard_id": shard, "part": part, "updates": updates}
    return json.dumps(content | ({"icao_address": aircraft} if kind == "aircraft" else {})).encode()


FEED = [line("A", 1), line("B", 2), line("A", 3)]


def test_a_stream_that_holds_all_of_the_feed_has_no_loss():
    """Every update once, over two shards, each aircraft's in order: nothing to report."""
    figures = compare(FEED, [record("A", 1), record("A", 3), record("B", 2)])
    assert (figures.source, figures.updates) == (3, 3)
    assert (figures.lost, figures.duplicates, figures.out_of_order, figures.unexpected) == (0, 0, 0, 0)


def test_an_update_that_is_missing_is_lost():
    """What the feed sent and no shard holds is lost."""
    figures = compare(FEED, [record("A", 1), record("B", 2)])
    assert (figures.updates, figures.lost) == (2, 1)


def test_a_line_nested_too_deep_to_be_read_is_a_line():
    """It holds no update to compare with others, and is lost unless it was rejected."""
    deep = b'{"target":' + b"[" * 100_000
    assert compare([deep], []).lost == 1
    assert compare([deep], [], rejected=[deep]).lost == 0


def test_an_update_whose_bytes_were_changed_is_lost_and_the_changed_one_unexpected():
    """The object has to arrive exactly as it was sent; one blank more is another object."""
    figures = compare([line("A", 1)], [StoredRecord("shard-0", 0.0, update("A", 1).replace(b":", b" :", 1))])
    assert (figures.lost, figures.unexpected) == (1, 1)


def test_blanks_around_the_object_are_not_part_of_the_update():
    """A line may hold blanks around the inner object; the record is the object alone."""
    assert compare([b'{ "target" : ' + update("A", 1) + b" }"], [record("A", 1)]).lost == 0


def test_an_update_that_begins_as_an_envelope_has_a_blank_after_its_brace():
    """So the contract has it; as it was received it would be taken for an envelope, and is named."""
    received = b'{"v":1,' + update("A", 1)[1:]
    written = StoredRecord("shard-0", 0.0, b"{ " + received[1:])
    figures = compare([b'{"target":' + received + b"}"], [written])
    assert (figures.lost, figures.unexpected) == (0, 0)
    figures = compare([b'{"target":' + received + b"}"], [StoredRecord("shard-0", 0.0, received)])
    assert (figures.lost, figures.unexpected) == (0, 1)


@pytest.mark.parametrize(
    "data",
    [b'{"v":1,"n":3,"shard":"shard-0","z":"!!"}', b'{"icao_address":5}', b'{"icao_address":"A"}', b"5", b"garbage"],
)
def test_what_is_no_update_is_unexpected_even_if_it_was_sent(data):
    """A damaged envelope, an object without an address or a time: the consumer should have kept it elsewhere."""
    figures = compare([b'{"target":' + data + b"}", *FEED], [StoredRecord("shard-0", 0.0, data), record("A", 1)])
    assert (figures.unexpected, figures.out_of_order) == (1, 0)


def test_an_update_that_stands_twice_is_a_duplicate_and_not_out_of_order():
    """What is sent again after a hard kill counts as doubled, and once."""
    figures = compare(FEED, [record("A", 1), record("A", 3), record("A", 1), record("B", 2)])
    assert (figures.updates, figures.duplicates, figures.out_of_order) == (3, 1, 0)


def test_order_is_looked_at_per_aircraft():
    """An aircraft's earlier update after its later one is out of order; another aircraft's in between is not."""
    figures = compare(FEED, [record("B", 2), record("A", 3), record("A", 1)])
    assert figures.out_of_order == 1


def test_order_is_that_of_an_aircraft_however_its_address_is_written():
    """Padded and in lower case it is the same aircraft, in the same shard."""
    feed = [line("a", 1), line(" A ", 2)]
    assert compare(feed, [record(" A ", 2), record("a", 1)]).out_of_order == 1


def test_an_update_the_feed_holds_twice_is_one():
    """The feed's updates are counted distinct."""
    figures = compare([*FEED, line("A", 1)], [record("A", 1), record("A", 3), record("B", 2)])
    assert (figures.source, figures.updates, figures.lost) == (3, 3, 0)


def test_a_rejected_line_is_not_lost():
    """A line that was rejected, with the reason, is accounted for; it need not even be JSON."""
    figures = compare([*FEED, b'{"target":['], [record("A", 1), record("A", 3), record("B", 2)], [b'{"target":['])
    assert (figures.source, figures.lost) == (4, 0)


def test_the_rows_of_aircraft_are_added_up():
    """Updates, rows and windows come from the aircraft's rows; the totals are summed beside them."""
    rows = [
        row(3),
        row(2, aircraft="B"),
        row(5, kind="totals"),
        row(4, start=10),
        row(4, kind="totals", start=10),
    ]
    stream = [*windowed(1, 2, 3), *windowed(1, 2, aircraft="B"), *windowed(4, 5, 6, 7, start=10)]
    assert count_rows(rows, stream, 10) == RowFigures(windows=2, rows=3, updates=9, totals=9)


def test_a_row_that_was_delivered_twice_counts_once():
    """A retry may write a row again: its key says that it is the same."""
    figures = count_rows([row(3), row(3)], windowed(1, 2, 3), 10)
    assert (figures.updates, figures.miscounted) == (3, 0)


def test_parts_and_shards_of_a_window_are_different_rows():
    """The same aircraft and window in another part or shard is another row; each shard closes its own window."""
    stream = [*windowed(*range(7)), *windowed(*range(5), shard="shard-1")]
    figures = count_rows([row(3), row(4, part=1), row(5, shard="shard-1")], stream, 10)
    assert (figures.rows, figures.updates, figures.windows, figures.miscounted) == (3, 12, 2, 0)


def test_a_repeat_in_another_window_is_counted_in_both():
    """Its key is no longer in the state there; within a window it counts once."""
    stream = [*windowed(1, 2, 2), *windowed(2, start=10)]
    assert count_rows([row(2), row(1, start=10)], stream, 10).miscounted == 0
    assert count_rows([row(3), row(1, start=10)], stream, 10).miscounted == 1


def test_a_repeat_may_be_counted_in_each_part_it_came_in():
    """An aircraft with rows in several parts of a window counts between its distinct updates and all of them."""
    stream = windowed(1, 2, 3, 3)
    counts = {other: count_rows([row(1), row(other, part=1)], stream, 10).miscounted for other in range(1, 5)}
    assert counts == {1: 1, 2: 0, 3: 0, 4: 1}


def test_repeats_counted_twice_do_not_make_up_for_updates_that_are_missing():
    """Ten repeats too many here and ten updates missing there: the sum is right, and both are named."""
    repeats, missing = windowed(*range(10), *range(10)), windowed(*range(10), aircraft="B")
    assert count_rows([row(20)], [*repeats, *missing], 10).miscounted == 2
    figures = count_rows([row(10)], [*repeats, *missing], 10)
    assert (figures.miscounted, figures.example) == (1, "B from 1970-01-01T00:00:00Z in shard-0: 0 for 10")


def test_rows_count_by_the_key_however_it_is_written():
    """One address, one instant, an ingestion time of another type or none: the rows count by the contract's key."""
    spellings = [
        {"icao_address": " a", "timestamp": "2024-03-04T00:00:01.000Z"},
        {"icao_address": "A", "timestamp": "2024-03-04T01:00:01+01:00", "ingestion_time": 5},
        {"icao_address": "a", "timestamp": "2024-03-04T00:00:01", "ingestion_time": None},
        {"icao_address": "A", "timestamp": "2024-03-04T00:00:00.999999999Z"},
    ]
    stream = [StoredRecord("shard-0", 0.5, json.dumps(one).encode()) for one in spellings]
    assert count_rows([row(1), row(1, kind="totals")], stream, 10).miscounted == 0


def test_two_rows_of_one_key_that_differ_contradict_each_other():
    """In whatever field and order: the first counts, since a reader that sees a row twice keeps one."""
    stream = windowed(1, 2)
    other = row(2).replace(b"}", b', "squawks": ["7700"]}')
    for first, second in ((row(2), row(7)), (row(2), other), (other, row(2))):
        figures = count_rows([first, second, row(2, kind="totals")], stream, 10)
        assert (figures.updates, figures.miscounted, figures.contradictions) == (2, 0, 1)
    respelled = json.dumps(dict(reversed(json.loads(other).items()))).encode()
    assert count_rows([other, respelled, row(2, kind="totals")], stream, 10).contradictions == 0


def test_totals_are_held_against_the_rows_of_their_own_part():
    """One too many in one part does not make up for one too few in another, nor do those of another shard."""
    stream = [*windowed(1, 2), *windowed(3, start=10), *windowed(4, shard="shard-1")]
    rows = [row(2), row(1, start=10), row(1, shard="shard-1")]
    totals = [row(2, kind="totals"), row(1, kind="totals", start=10), row(1, kind="totals", shard="shard-1")]
    assert count_rows([*rows, *totals], stream, 10).mistotalled == 0
    wrong = [row(1, kind="totals"), row(2, kind="totals", start=10), totals[2]]
    assert count_rows([*rows, *wrong], stream, 10).mistotalled == 2
    assert count_rows([*rows, *totals[:2]], stream, 10).mistotalled == 1
    assert count_rows([*rows, *totals, row(1, kind="totals", part=1)], stream, 10).mistotalled == 1


def test_a_row_of_what_the_stream_does_not_hold_is_miscounted():
    """Another aircraft, another window or another shard than any record's."""
    stream = windowed(1)
    assert count_rows([row(1)], stream, 10).miscounted == 0
    for stranger in (row(1, aircraft="B"), row(1, start=10), row(1, shard="shard-1")):
        assert count_rows([row(1), stranger], stream, 10).miscounted == 1


def test_what_is_no_update_counts_for_no_window():
    """`compare` names it; here it only must not stop the count."""
    assert count_rows([row(1)], [*windowed(1), StoredRecord("shard-0", 1.0, b"garbage")], 10).miscounted == 0


def test_a_line_that_is_no_row_is_an_error():
    """The sink holds nothing but rows: anything else must not pass for none."""
    with pytest.raises(msgspec.ValidationError):
        count_rows([b'{"kind": "aircraft"}'], [], 10)
