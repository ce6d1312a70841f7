"""An invocation hands its state on, writes what has closed, and can fail anywhere without changing anything twice."""

from __future__ import annotations

import base64
import copy
import json

import msgspec
import pytest
from backports import zstd
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.aggregation import Aggregator
from aggregator.sinks.delivery_log import DeliveryRecord
from common import envelope


class Rows:
    """Rows as Firehose took them; after `left` more records every call fails."""

    def __init__(self):
        self.lines = []
        self.left = None

    def write(self, records, accepted):
        for place, record in enumerate(records):
            if place in accepted:
                continue
            if self.left is not None:
                if self.left == 0:
                    raise ConnectionError("firehose is down")
                self.left -= 1
            self.lines += record.splitlines()
            accepted.add(place)


class States:
    """The table of latest states, as far as this level sees it."""

    def __init__(self):
        self.written = []
        self.is_down = False

    def write(self, part, now):
        if self.is_down:
            raise ConnectionError("dynamodb is down")
        assert now == 1_000.0
        self.written.append(part.number)
        return len(part.aircraft)


class Deliveries:
    """Delivery records in memory, through their JSON as in the table."""

    def __init__(self):
        self.records = {}
        self.loads = self.saves = 0
        self.is_down = False

    def load(self, window_start, shard_id):
        self.loads += 1
        return msgspec.json.decode(self.records.get((window_start, shard_id), b"{}"), type=DeliveryRecord)

    def save(self, window_start, shard_id, record, now):
        if self.is_down:
            raise ConnectionError("dynamodb is down")
        assert now == 1_000.0
        self.saves += 1
        self.records[window_start, shard_id] = msgspec.json.encode(record)


class Live:
    """What was shown, by invocation: numbers of closed parts, and the number and aircraft of the current part."""

    def __init__(self):
        self.shown = []
        self.is_down = False

    def write(self, _window, progress):
        if self.is_down:
            raise ConnectionError("s3 is down")
        closed = [number for number, _ in progress.closed]
        self.shown.append((closed, progress.number, len(progress.part.columns.index), progress.sequence))
        return len(closed)


class Log:
    def __init__(self):
        self.warnings = []

    def warning(self, msg, *, extra):
        self.warnings.append((msg, extra))


class World:
    """An aggregator and all it touches."""

    def __init__(self, states=None, **settings):
        self.rows, self.states, self.live = Rows(), states or States(), Live()
        self.deliveries, self.log = Deliveries(), Log()
        self.aggregator = Aggregator(
            self.rows, self.states, self.live, self.deliveries, self.log, clock=lambda: 1_000.0, **settings
        )

    def process(self, event):
        """An invocation of its own: nothing it is given can be changed by it."""
        return self.aggregator.process(copy.deepcopy(event))


def payload(n, address="040172", **fields):
    """An update as a record's bytes."""
    second = f"2024-03-04T23:24:{n % 60:02}"
    update = {"icao_address": address, "timestamp": f"{second}Z", "ingestion_time": f"{second}.{n:03}Z"}
    return json.dumps(update | fields).encode() + b"\n"


def many(count):
    """Updates of as many aircraft."""
    return [payload(n, address=f"{n:06X}", callsign=f"CALL{n}") for n in range(count)]


def numbers(lines):
    """The parts that rows belong to."""
    return sorted({json.loads(line)["part"] for line in lines})


def test_state_goes_on_until_the_window_closes(make_event):
    """An open window writes and reads nothing; the final invocation writes a row an aircraft, and the totals."""
    world = World()
    first = world.process(make_event([payload(1), payload(2)], {}))
    second = world.process(make_event([payload(2), payload(3)], first.state))
    assert (world.rows.lines, world.deliveries.loads) == ([], 0)
    last = world.process(make_event([], second.state, final=True))
    aircraft, totals = map(json.loads, world.rows.lines)
    assert (aircraft["updates"], totals["updates"], totals["duplicates_ignored"]) == (3, 3, 1)
    assert (second.counted, second.duplicates) == (1, 1)
    assert (last.rows_written, last.closed, last.state) == (2, True, {})
    assert (world.deliveries.loads, world.deliveries.saves) == (1, 0)


def test_a_final_invocation_may_bring_records(make_event):
    """Records of the last batch are in the rows."""
    world = World()
    state = world.process(make_event([payload(1)], {})).state
    assert world.process(make_event([payload(2)], state, final=True)).counted == 1
    assert json.loads(world.rows.lines[0])["updates"] == 2


def test_a_window_without_anything_closes_without_a_row(make_event):
    """An empty final event with an empty state writes nothing and asks nobody."""
    world = World()
    assert world.process(make_event([], {}, final=True)).rows_written == 0
    assert (world.rows.lines, world.deliveries.loads) == ([], 0)


def test_a_poisonous_record_is_counted_logged_and_passed_over(make_event):
    """What is no update holds nothing up; its sequence number is in the log, its count in the totals."""
    world = World()
    outcome = world.process(make_event([payload(1), b"\xff", b"[]", payload(2)], {}, first_number=40, final=True))
    assert (outcome.counted, outcome.undecodable) == (2, 2)
    assert json.loads(world.rows.lines[-1])["records_undecodable"] == 2
    assert [extra["sequence_number"] for _, extra in world.log.warnings] == ["41", "42"]


def test_a_window_that_outgrows_its_state_is_written_in_parts(make_event, merge):
    """Full parts are written at once, each under its own number, and the window goes on."""
    world = World(packed_bytes=500)
    outcome = world.process(make_event(many(120), {}))
    assert outcome.splits >= 2
    assert numbers(world.rows.lines) == list(range(outcome.splits))
    world.process(make_event([], outcome.state, final=True))
    merged = merge(world.rows.lines)
    assert sorted(merged) == [f"{n:06X}" for n in range(120)]
    assert {row["updates"] for row in merged.values()} == {1}


@pytest.mark.parametrize("final", [False, True])
@pytest.mark.parametrize("hands_back", [True, False])
def test_a_window_ended_early_goes_on_under_a_free_part_number(make_event, merge, final, hands_back):
    """Whether Lambda then hands our state on or starts from `{}`, no two parts collide, also if it happens twice."""
    world = World()
    state = {}
    for n in range(2):
        outcome = world.process(make_event([payload(n)], state, ended_early=True, final=final))
        state = outcome.state if hands_back else {}
    state = world.process(make_event([payload(2)], state)).state
    world.process(make_event([payload(3)], state, final=True))
    assert numbers(world.rows.lines) == [0, 1, 2]
    assert merge(world.rows.lines)["040172"]["updates"] == 4


def test_a_part_that_ended_early_empty_leaves_no_number_to_take_again(make_event):
    """A window that ends early just after a split goes on under a number that the split did not take."""
    world, state = World(packed_bytes=500), {}
    feed = iter(many(120))
    while not (outcome := world.process(make_event([next(feed)], state))).splits:
        state = outcome.state
    assert numbers(world.rows.lines) == [0]
    world.process(make_event([], outcome.state, ended_early=True))
    world.process(make_event([next(feed)], {}, final=True))
    assert numbers(world.rows.lines) == [0, 2]


def test_an_early_end_tried_again_keeps_its_part_number(make_event):
    """The invocation may fail after all is written; its retry repeats rows under the same keys."""
    world = World()
    event = make_event([payload(1)], {}, ended_early=True)
    world.process(event)
    world.process(event)
    assert numbers(world.rows.lines) == [0]


@pytest.mark.parametrize("ended_before", [False, True])
def test_an_early_end_tried_again_keeps_the_numbers_of_the_parts_it_filled(make_event, merge, ended_before):
    """Each update counts once, whichever part it was in, and whether the window had ended early once before."""
    world = World(packed_bytes=500)
    if ended_before:
        world.process(make_event([payload(1)], {}, ended_early=True))
    event = make_event(many(120), {}, ended_early=True)
    splits = world.process(event).splits
    world.process(event)
    assert splits >= 2
    assert numbers(world.rows.lines) == list(range(splits + 1 + ended_before))
    merged = merge(world.rows.lines)
    assert {merged[f"{n:06X}"]["updates"] for n in range(120)} == {1}


def test_a_failing_firehose_fails_the_invocation_and_its_retry_sends_the_rest(make_event):
    """What was accepted before the failure is not sent again, parts of the same invocation included."""
    world = World(packed_bytes=500)
    event = make_event(many(120), {}, final=True)
    world.rows.left = 1
    with pytest.raises(ConnectionError):
        world.process(event)
    assert world.deliveries.saves == 1
    world.rows.left = None
    outcome = world.process(event)
    assert outcome.splits >= 2
    assert len(world.rows.lines) == len(set(world.rows.lines)) == outcome.rows_written


def test_an_envelope_full_of_nothing_costs_one_short_line(make_event):
    """A few hundred bytes that inflate to line ends: each is counted, and the log tells of the record once."""
    count = envelope.MAX_LINES
    text = base64.b64encode(zstd.compress(b"\n" * count)).decode()
    record = b'{"v":1,"n":%d,"shard":"shardId-000000000000","z":"%b"}\n' % (count, text.encode())
    event = make_event([record, payload(1)], {})
    for number, one in enumerate(event["Records"], 1):
        one["eventID"] = f"shardId-000000000000:{number}"
    world = World()
    outcome = world.process(event)
    assert (outcome.counted, outcome.undecodable) == (1, count)
    ((_, extra),) = world.log.warnings
    assert (extra["sequence_number"], extra["updates"]) == ("1", count)
    assert len(str(extra)) < 500


def test_an_envelope_of_another_shard_is_counted_and_named(make_event):
    """Its updates are in no window: whoever looks for them finds the envelopes in the metric, and each in the log."""
    text = base64.b64encode(zstd.compress(payload(2) + payload(3)))
    misplaced = b'{"v":1,"n":2,"shard":"shardId-000000000007","z":"%b"}\n' % text
    event = make_event([payload(1), misplaced, payload(4), misplaced], {})
    for number, one in enumerate(event["Records"], 1):
        one["eventID"] = f"shardId-000000000000:{number}"
    world = World()
    outcome = world.process(event)
    assert (outcome.counted, outcome.misplaced, outcome.undecodable) == (2, 2, 0)
    assert [extra["sequence_number"] for _, extra in world.log.warnings] == ["2", "4"]


def test_a_field_that_is_passed_over_is_counted_and_its_update_stays(make_event):
    """Numbers that no double holds, times that are none: the update counts, without them."""
    odd = payload(1)[:-2] + b',"altitude_baro":1e309,"x":1e309,"speed":"fast"}\n'
    outcome = World().process(make_event([odd, payload(2)], {}))
    assert (outcome.counted, outcome.undecodable, outcome.fields_ignored) == (2, 0, 2)


def test_a_failing_table_fails_the_invocation_before_any_row_is_sent(make_event):
    """The table comes first, since its writes can be repeated: Firehose is not asked, and no progress is kept."""
    world = World()
    world.states.is_down = True
    with pytest.raises(ConnectionError):
        world.process(make_event([payload(1)], {}, final=True))
    assert (world.rows.lines, world.deliveries.saves) == ([], 0)


def test_a_retry_with_other_records_is_written_anew_and_says_so(make_event):
    """Records that expired between two tries change the part: nothing of it counts as delivered, and the log tells."""
    world = World(packed_bytes=500)
    world.rows.left = 1
    with pytest.raises(ConnectionError):
        world.process(make_event(many(120), {}, final=True))
    world.rows.left = None
    world.rows.lines.clear()
    outcome = world.process(make_event(many(120)[1:], {}, final=True))
    assert len(world.rows.lines) == outcome.rows_written
    assert any("with other records" in message for message, _ in world.log.warnings)


def test_progress_that_cannot_be_kept_does_not_hide_the_failure(make_event, merge):
    """The sink's error is raised; the retry then repeats rows, and a reader keeps one of each key."""
    world = World(packed_bytes=500)
    event = make_event(many(120), {}, final=True)
    world.rows.left, world.deliveries.is_down = 1, True
    with pytest.raises(ConnectionError, match="firehose"):
        world.process(event)
    assert "could not be kept" in world.log.warnings[0][0]
    world.rows.left, world.deliveries.is_down = None, False
    world.process(event)
    assert len(merge(world.rows.lines)) == 120


@settings(max_examples=40)
@given(
    fails_after=st.integers(0, 6),
    cut=st.integers(1, 119),
    packed_bytes=st.integers(600, 1_500),
)
def test_a_batch_tried_again_in_halves_counts_nothing_twice(make_event, merge, fails_after, cut, packed_bytes):
    """A failure anywhere, then the same records bisected: each update is in the rows once, as if nothing had failed."""
    world = World(packed_bytes=packed_bytes)
    payloads = many(120)
    world.rows.left = fails_after
    state = None
    try:
        state = world.process(make_event(payloads, {})).state
    except ConnectionError:
        world.rows.left = None
        state = world.process(make_event(payloads[:cut], {})).state
        state = world.process(make_event(payloads[cut:], state)).state
    world.rows.left = None
    world.process(make_event([], state, final=True))
    assert len(world.rows.lines) == len(set(world.rows.lines))
    merged = merge(world.rows.lines)
    assert len(merged) == 120
    assert {row["updates"] for row in merged.values()} == {1}


@settings(max_examples=30)
@given(data=st.data())
def test_any_feed_in_any_batches_is_recounted_from_the_sink(make_event, feeds, recount, merge, data):
    """End to end through records, states and sinks, the rows are those of a recount."""
    feed = data.draw(feeds)
    size = data.draw(st.integers(1, 10))
    world, state = World(), {}
    for at in range(0, len(feed), size):
        payloads = [msgspec.json.encode(update) for update in feed[at : at + size]]
        state = world.process(make_event(payloads, state)).state
    world.process(make_event([], state, final=True))
    assert merge(world.rows.lines) == recount(feed)


def test_the_event_is_left_as_it_was(make_event):
    """The state of the event is not changed: a retry in the same environment would start from a spoiled one."""
    world = World()
    state = world.process(make_event([payload(1)], {})).state
    event = make_event([payload(2)], state)
    before = copy.deepcopy(event)
    world.aggregator.process(event)
    assert event == before


def test_each_invocation_shows_the_part_at_hand(make_event):
    """While a window is open its part's number is its own; with rows written it is known; closed parts are named."""
    world = World()
    state = world.process(make_event([payload(1)], {})).state
    state = world.process(make_event([payload(2, address="78121E")], state)).state
    world.process(make_event([], state, final=True))
    assert world.live.shown == [([], None, 1, "1"), ([], None, 2, "1"), ([0], 0, 2, None)]


def test_a_split_window_shows_its_parts_by_their_numbers(make_event):
    """What was full is closed, and what goes on has the next number; after an early end the next part is empty."""
    world = World(packed_bytes=500)
    world.process(make_event(many(60), {}))
    ((closed, number, aircraft, _),) = world.live.shown
    assert number >= 1
    assert closed == list(range(number))
    assert aircraft < 60
    world = World()
    world.process(make_event([payload(1)], {}) | {"isWindowTerminatedEarly": True})
    assert world.live.shown == [([], 0, 1, "1"), ([0], 1, 0, "1")]


class SlowStates(States):
    """A table whose writes are done only when the live objects have been written `shown` times."""

    def __init__(self, shown):
        super().__init__()
        self.shown = shown
        self.live = None

    def write(self, part, now):
        if len(self.live.shown) < self.shown:
            raise AssertionError("the table waits for the live objects, and they for the table")
        return super().write(part, now)


@pytest.mark.parametrize("closes", [{"final": True}, {"ended_early": True}])
def test_what_came_is_shown_before_the_table_is_written(make_event, closes):
    """An invocation that closes a window shows its records as any other does; only what has closed comes after."""
    world = World(SlowStates(shown=2))
    world.states.live = world.live
    state = world.process(make_event([payload(1)], {})).state
    world.process(make_event([payload(2, address="78121E")], state, first_number=2, **closes))
    assert world.live.shown[:2] == [([], None, 1, "1"), ([], 0, 2, "2")]
    assert world.live.shown[2][0] == [0]


def test_nothing_of_a_split_window_is_shown_before_its_rows_are_written(make_event):
    """What was full is in no open part any more: until it may close, a reader would miss its aircraft."""
    world = World(packed_bytes=500)
    world.states.is_down = True
    with pytest.raises(ConnectionError):
        world.process(make_event(many(60), {}, final=True))
    assert world.live.shown == []


def test_aircraft_that_closed_parts_leave_out_are_counted(make_event):
    """The live objects' sink says how many; an open part says it in its header alone, with every invocation again."""
    world = World()  # whose sink leaves out one aircraft a closed part
    first = world.process(make_event([payload(1)], {}))
    last = world.process(make_event([payload(2, address="78121E")], first.state, first_number=2, final=True))
    assert (first.aircraft_left_out, last.aircraft_left_out) == (0, 1)


def test_a_window_goes_on_without_its_picture(make_event):
    """With the live objects' sink down the state and the rows are the same, and the failure is counted and said."""
    world, other = World(), World()
    other.live.is_down = True
    outcomes = []
    for one in (world, other):
        state = one.process(make_event([payload(1)], {})).state
        outcomes.append((one.process(make_event([payload(2)], state, final=True)), one.rows.lines))
    (with_live, rows), (without, same_rows) = outcomes
    assert rows == same_rows
    assert (with_live.snapshots_failed, without.snapshots_failed) == (0, 2)
    assert with_live.shown_age is not None
    assert without.shown_age is None
    assert other.log.warnings[-1][1]["reason"] == "s3 is down"
