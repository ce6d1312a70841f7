"""The judge of the live objects sees each promise broken, by snapshots that are forged here."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

import pytest

from tests.adversary import recount
from tests.adversary.forged import NOW, SHARD, header, named, positions, shown
from tests.adversary.judge_live import judge
from tests.adversary.live import FIRST_WINDOW, LiveEvidence, LivePlan, Moment, Step
from tests.adversary.plan import stamp
from tests.adversary.process import Outcome
from tests.adversary.snapshot import POSITIONS, forge, opened, read, seal
from tests.adversary.stage import API_TOKEN
from tests.adversary.store import Written

OPEN = f"live/{SHARD}/open"
CLOSED = f"live/{SHARD}/closed/20260101T000100Z"


def update(second, address="78121E", latitude=31.0):
    """An update as the feed has it."""
    at = FIRST_WINDOW + second
    return {
        "icao_address": address,
        "timestamp": stamp(at),
        "ingestion_time": stamp(at + 2),
        "latitude": latitude,
        "longitude": 121.0,
        "altitude_baro": 30_000,
        "speed": 430.0,
        "vertical_rate": 0,
        "heading": 90.0,
        "on_ground": False,
    }


def listed(since="2026-01-01T00:00:00Z"):
    """The list of shards."""
    return Written(
        "live/shards.json",
        json.dumps({"version": 1, "window_seconds": 60, "shards": {SHARD: {"since": since}}}).encode(),
    )


PLAN = LivePlan(
    (
        Step(SHARD, 0, updates=(update(1), update(2, "A4F0AB"))),
        Step(SHARD, 0, updates=(update(9),), ends="closed"),
    )
)


@pytest.fixture
def evidence():
    """What is left behind when all is well."""
    both = ["78121E", "A4F0AB"]
    first = [shown(1), shown(2, "A4F0AB")]
    last = [shown(9), shown(2, "A4F0AB")]
    written = [
        Written(f"{OPEN}-identity", named(both)),
        Written(OPEN, positions(first)),
        listed(),
        Written(OPEN, positions(last, sequence=2)),
        Written(f"{CLOSED}-identity", named(both, sequence=2, closed=True)),
        Written(CLOSED, positions(last, sequence=2, closed=True)),
    ]
    return LiveEvidence([Outcome({}, took=1.0), Outcome({}, took=1.0)], [Moment(0, 3), Moment(1, 6)], written)


def promises(evidence, plan=PLAN):
    """The promises that the judge finds broken."""
    return {broken.promise for broken in judge(plan, evidence, 0.2)}


def write(evidence, *more):
    """Add writes to the last step."""
    evidence.written += more
    evidence.moments[-1] = Moment(1, len(evidence.written))


def test_sound_evidence_breaks_nothing(evidence):
    """The judge accuses nobody who has done nothing."""
    assert judge(PLAN, evidence, 0.2) == []


@pytest.mark.parametrize(
    ("outcome", "promise"),
    [
        (Outcome(ended="memory"), "memory"),
        (Outcome(ended="overdue", took=64.0), "deadline"),
        (Outcome({}, took=30.0), "deadline"),
        (Outcome(None, {"type": "ClientError"}), "a live write fails no window"),
    ],
)
def test_an_invocation_that_ends_as_none_should(evidence, outcome, promise):
    """Too large, too late, too slow or failed."""
    evidence.outcomes[1] = outcome
    assert promises(evidence) == {promise}


def test_an_older_snapshot_in_the_place_of_a_newer_one(evidence):
    """By window, part or record."""
    write(evidence, Written(OPEN, evidence.written[1].content))
    assert "a newer snapshot never gives way to an older one" in promises(evidence)


def test_older_identities_in_the_place_of_newer_ones(evidence):
    """They are an object as the positions are."""
    newer = Written(f"{OPEN}-identity", named(["78121E", "A4F0AB"], sequence=2))
    write(evidence, newer, evidence.written[0])
    assert promises(evidence) == {"a newer snapshot never gives way to an older one"}


def test_a_closed_window_that_changes(evidence):
    """Even where it says the same of every aircraft."""
    write(evidence, Written(CLOSED, positions([shown(9), shown(2, "A4F0AB")], sequence=2, closed=True, written_at=1)))
    assert promises(evidence) == {"what has closed never changes"}


@pytest.mark.parametrize(
    "row",
    [
        shown(8),
        shown(9, latitude=31.1),
        shown(9, altitude=29_000),
        shown(9, ahead=1),
        shown(9, delay=None),
        shown(9, position_age=1),
        shown(9, heading=950),
        shown(9, flags=2),
        shown(9, latitude=0, longitude=None, position_age=None) | {"latitude": None},
    ],
)
def test_a_state_that_is_not_the_newest(evidence, row):
    """Of another time or place, or with another reading."""
    evidence.written[3] = Written(OPEN, positions([row, shown(2, "A4F0AB")], sequence=2))
    assert promises(evidence) == {"the joined snapshots are the newest of what was sent"}


@pytest.mark.parametrize(
    "rows", [[shown(9)], [shown(9), shown(2, "A4F0AB"), shown(3, "ABCDEF")]], ids=["missing", "unknown"]
)
def test_an_aircraft_that_is_missing_and_one_that_nobody_sent(evidence, rows):
    """Each aircraft of the feed is shown, and no other."""
    evidence.written[3] = Written(OPEN, positions(rows, sequence=2))
    assert "the joined snapshots are the newest of what was sent" in promises(evidence)


def test_a_step_after_which_what_failed_before_is_not_made_good(evidence):
    """What S3 refused is shown by the next invocation; what is refused now need not be."""
    refused = replace(PLAN.steps[1], rules=(1,))
    evidence.written[3] = Written(OPEN, positions([shown(1), shown(2, "A4F0AB")], sequence=2))
    assert promises(evidence, LivePlan((PLAN.steps[0], refused))) == set()
    assert promises(evidence) == {"the joined snapshots are the newest of what was sent"}


def test_a_reader_that_goes_back(evidence):
    """A new window takes the place of the last one before that is there as closed."""
    following = Written(OPEN, positions([shown(61)], window=1, sequence=3))
    evidence.written.insert(4, following)
    evidence.moments[1] = Moment(1, 7)
    assert "a reader never goes back" in promises(evidence)


@pytest.mark.parametrize(
    ("spoilt", "seen"),
    [
        (lambda content: content[:-1], "checksum"),
        (lambda content: content + b"\0", "behind the last block"),
        (lambda content: b"LIVX" + content[4:], "odd beginning"),
        (lambda content: content[:4] + b"\2" + content[5:], "odd beginning"),
        (lambda content: content[:25] + b"\xff" + content[26:], "checksum"),
    ],
)
def test_a_snapshot_that_cannot_be_read(evidence, spoilt, seen):
    """Cut, longer, of another kind or version, damaged."""
    evidence.written[1] = Written(OPEN, spoilt(evidence.written[1].content))
    broken = judge(PLAN, evidence, 0.2)
    assert [each.promise for each in broken] == ["a live object is as the page says"]
    assert seen in broken[0].seen


def stated(content, **changes):
    """The same snapshot with another header."""
    kind, header, blocks = opened(content)
    return forge(kind, header | changes, blocks)


@pytest.mark.parametrize(
    "changes",
    [
        {"shard": "shardId-000000000001"},
        {"closed": True},
        {"padding": "x" * (1 << 20)},
        {"blocks": [[257, 0, 0, -9000, -18000, 9000, 18000]]},
        {"blocks": [[2, 0, 0, 0, 0, 1, 1]]},
        {"columns": [[0, 1, 5, 0]] * 12},
        {"columns": [[0, 1, 4, 0]] * 11},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_snapshot_out_of_its_bounds(evidence, changes):
    """Of another shard or kind, too large, with too many aircraft in a block, or outside of their box."""
    evidence.written[1] = Written(OPEN, stated(evidence.written[1].content, **changes))
    assert promises(evidence) == {"a live object is as the page says"}


def test_positions_without_their_identities(evidence):
    """They are there, of the version that the positions name, and of the same aircraft."""
    promise = {"identities are beside the positions"}
    complete = list(evidence.written)
    evidence.written[4] = Written(f"{CLOSED}-identity", named(["78121E", "A4F0AB"], closed=True, identity="j"))
    assert promises(evidence) == promise
    evidence.written[4] = Written(f"{CLOSED}-identity", named(["78121E"], closed=True))
    assert promises(evidence) == promise
    evidence.written[4] = complete[0]
    assert promises(evidence) == promise


def test_identities_that_are_not_the_newest_updates(evidence):
    """A closed window's are exact."""
    steps = (PLAN.steps[0], replace(PLAN.steps[1], updates=(update(9) | {"callsign": "CCA8302 "},)))
    assert promises(evidence, LivePlan(steps)) == {"identities are those of the newest update"}


@pytest.mark.parametrize("callsign", ["CCA8302", None])
def test_identities_of_a_window_in_parts_are_those_of_the_newest(evidence, callsign):
    """Whatever the earlier part says of the same aircraft; and a plan that is to split a window has to."""
    steps = (
        Step(SHARD, 0, updates=(update(1) | {"callsign": "CCA1"}, update(2, "A4F0AB"))),
        Step(SHARD, 0, updates=(update(9) | {"callsign": callsign},), ends="closed"),
    )
    evidence.written[3] = Written(OPEN, positions([shown(9)], part=1, sequence=2))
    first = [shown(1), shown(2, "A4F0AB")]
    evidence.written[3:3] = [
        Written(f"{CLOSED}.0-identity", named(["78121E", "A4F0AB"], closed=True)),
        Written(f"{CLOSED}.0", positions(first, closed=True)),
    ]
    evidence.written[6:] = [
        Written(f"{CLOSED}-identity", named(["78121E"], part=1, sequence=2, closed=True)),
        Written(CLOSED, positions([shown(9)], part=1, sequence=2, closed=True)),
    ]
    evidence.moments[-1] = Moment(1, len(evidence.written))
    seen = {"identities are those of the newest update"} if callsign else set()
    assert promises(evidence, LivePlan(steps, splits=True)) == seen


def test_a_window_that_is_to_be_cut_in_parts_and_is_not(evidence):
    """An attack that does not reach what it attacks proves nothing."""
    assert promises(evidence, replace(PLAN, splits=True)) == {"a window that outgrows its state is cut in parts"}


@pytest.mark.parametrize("since", ["2026-01-01T00:01:00Z", "2025-12-31T00:00:00Z"])
def test_a_shard_that_the_list_has_from_another_window_on(evidence, since):
    """A reader looks for closed windows from then on."""
    evidence.written[2] = listed(since)
    assert "every shard is in the list" in promises(evidence)


@pytest.mark.parametrize("dress", [API_TOKEN, API_TOKEN.lower(), base64.b64encode(f" {API_TOKEN} ".encode()).decode()])
def test_the_api_token_in_a_snapshot(evidence, dress):
    """Deflated as it is, and however it is dressed."""
    evidence.written[1] = Written(OPEN, stated(evidence.written[1].content, note=dress))
    assert promises(evidence) == {"no secret outside its place"}


def test_a_log_without_bounds_and_one_that_a_terminal_obeys(evidence):
    """A failed write costs a line."""
    evidence.log = b"x" * 100_000 + b"\x1b[2J"
    assert promises(evidence) == {"bounded costs", "no hostile text in logs"}


def test_a_snapshot_is_read_as_it_was_forged():
    """Times, places and readings come back."""
    snapshot = read(positions([shown(9), shown(2, "A4F0AB", latitude=-31.5)], part=2, sequence=7))
    assert snapshot.order == (NOW, 2, 7)
    row = snapshot.aircraft["A4F0AB"]
    assert (row["measured"], row["latitude"], row["on_ground"]) == (NOW + 2000, -3_150_000, False)
    assert read(seal(POSITIONS, header(columns=[[0, 1, 0, 0]] * 12, blocks=[]), b"")).aircraft == {}


@pytest.mark.parametrize(
    ("written", "due"),
    [(7, "0007"), (7700, "7700"), ("1200", "1200"), (10_000, None), (-1, None), (7.0, None), (True, None)],
)
def test_a_squawk_that_is_written_as_a_number_is_due_as_its_digits(written, due):
    """By the page; of what only looks like one nothing is due."""
    assert recount._text("squawk", written) == due
