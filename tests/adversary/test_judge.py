"""The judge sees each promise broken: evidence of an attack that held, tampered with in one way each."""

from __future__ import annotations

import json
from itertools import pairwise
from random import Random

import pytest

from tests.adversary.attacks import KINDS, drawn
from tests.adversary.attacks.register import kind_of
from tests.adversary.feed import Asked
from tests.adversary.judge import encodings, judge
from tests.adversary.ledger import Arrival, Ledger, Update
from tests.adversary.plan import SETTLE, Run, Traffic
from tests.adversary.process import Outcome
from tests.adversary.stage import API_TOKEN, Evidence


@pytest.fixture
def plan():
    """Two intervals of three updates of two aircraft, read in one run and settled in another."""
    traffic = Traffic(Random(1), 1_800_000_000.0, aircraft=2)
    traffic.intervals(2, 3)
    return traffic.plan(Run(4.0), SETTLE)


@pytest.fixture
def evidence(plan):
    """What such an attack leaves behind when all is well."""
    ledger = Ledger({update.number: update for update in plan.updates})
    for number in range(6):
        if number == 3:
            ledger.wrote("checkpoint.json", b'{"position_token":"tok-4-0","gap":null}')
        ledger.took(f'{{"flight_id":"u-{number:07}~"}}\n'.encode(), "key", "shard-1", addressed=False)
    ledger.wrote("checkpoint.json", b'{"position_token":"tok-8-1","gap":null}')
    outcomes = [
        Outcome({"stopped": "near_deadline"}, took=3.5, late=-0.5),
        Outcome({"stopped": "requested"}, late=-13.0),
    ]
    return Evidence(ledger, outcomes, b'{"level":"INFO"}\n', [Asked("feed.beginning", "BEGINNING", 200, 0.0)], 2)


def promises(plan, evidence):
    """The promises that the judge finds broken."""
    return {broken.promise for broken in judge(plan, evidence)}


def test_evidence_of_a_sound_run_breaks_nothing(plan, evidence):
    """The judge accuses nobody who has done nothing."""
    assert judge(plan, evidence) == []


def test_a_lost_update(plan, evidence):
    """An update that is owed and never arrived is a loss."""
    evidence.ledger.arrivals = [arrival for arrival in evidence.ledger.arrivals if arrival.number != 4]
    assert "no loss" in promises(plan, evidence)


def test_an_update_kept_as_rejected_is_a_loss_unless_that_is_its_right(plan, evidence):
    """A good update has to be published; an odd one may be kept instead."""
    evidence.ledger.arrivals = [arrival for arrival in evidence.ledger.arrivals if arrival.number != 4]
    kept = {"reason": "odd", "line": '{"target":{"flight_id":"u-0000004~"}}'}
    evidence.ledger.wrote("rejected/1.ndjson", json.dumps(kept).encode())
    assert "no loss" in promises(plan, evidence)
    odd = tuple(
        Update(each.number, each.address, "accounted" if each.number == 4 else each.owed) for each in plan.updates
    )
    traffic_plan = type(plan)(plan.script, odd, plan.runs)
    assert "no loss" not in promises(traffic_plan, evidence)


def test_a_token_committed_too_early(plan, evidence):
    """Position 8 is committed, and update 5 arrives only then."""
    evidence.ledger.arrivals.append(evidence.ledger.arrivals.pop(0))
    commit = evidence.ledger.commits[-1]
    evidence.ledger.commits[-1] = type(commit)(commit.position, 5, commit.gap, commit.size)
    assert "a token is committed when all before it is acknowledged" in promises(plan, evidence)


def test_a_duplicate_without_an_explanation(plan, evidence):
    """One update arrives twice, and nothing explains it."""
    evidence.ledger.arrivals.append(Arrival(5, "shard-1", 0))
    assert promises(plan, evidence) == {"no duplicate without a kill or a lost answer"}


def test_an_explained_duplicate_older_than_the_committed_token(plan, evidence):
    """A kill explains what came since the committed token, and nothing before it."""
    excused = type(plan)(plan.script, plan.updates, plan.runs, may_double=True)
    evidence.ledger.arrivals.append(Arrival(5, "shard-1", 4))
    assert promises(excused, evidence) == set()
    evidence.ledger.arrivals.append(Arrival(0, "shard-1", 4))
    assert promises(excused, evidence) == {"nothing older than the committed token comes again"}


def test_an_answer_that_was_open_or_lost_explains_a_duplicate(plan, evidence):
    """What Kinesis had not answered when the run had to end may be sent again."""
    evidence.ledger.arrivals.append(Arrival(5, "shard-1", 4))
    evidence.is_unacknowledged = True
    assert promises(plan, evidence) == set()


@pytest.mark.parametrize(
    ("first", "second", "explained"),
    [
        (Outcome({"graceful": False}, took=3.5), Run(14.0, fresh=True), True),
        (
            Outcome(error={"type": "UnauthorizedError", "module": "consumer.errors", "message": ""}),
            Run(fresh=True),
            True,
        ),
        (Outcome({"graceful": False}, took=3.5), Run(14.0), False),
        (Outcome({"graceful": True}, took=3.5), Run(14.0, fresh=True), False),
        (Outcome(ended="killed"), Run(14.0), True),
        (Outcome({"graceful": True}, took=3.5), Run(checkpoint=b"{}"), True),
    ],
    ids=["between tokens", "failed", "in its own process", "at a token", "killed", "set back"],
)
def test_what_happened_to_the_runs_explains_a_duplicate_or_does_not(plan, evidence, first, second, explained):
    """One that ended between two tokens is followed in its own process by one that knows what it has published."""
    evidence.ledger.arrivals.append(Arrival(5, "shard-1", 4))
    plan = type(plan)(plan.script, plan.updates, (plan.runs[0], second))
    evidence.outcomes[0] = first
    assert ("no duplicate without a kill or a lost answer" in promises(plan, evidence)) is not explained


def test_two_updates_of_an_aircraft_in_the_wrong_order(plan, evidence):
    """Updates 0 and 2 are of one aircraft."""
    arrivals = evidence.ledger.arrivals
    arrivals[0], arrivals[2] = arrivals[2], arrivals[0]
    assert "order per aircraft" in promises(plan, evidence)


def test_an_aircraft_on_two_shards(plan, evidence):
    """Every update of an aircraft is on one shard."""
    evidence.ledger.arrivals[5] = Arrival(5, "shard-2", 4)
    assert promises(plan, evidence) == {"an aircraft stays on one shard"}


@pytest.mark.parametrize(
    ("outcome", "promise"),
    [
        (Outcome({"stopped": "requested"}, late=0.3), "deadline"),
        (Outcome(late=4.0, ended="overdue"), "deadline"),
        (Outcome(ended="memory"), "memory"),
        (Outcome(ended="died"), "a run ends in order"),
        (Outcome(error={"type": "KeyError", "module": "builtins", "message": "'x'"}), "errors are ours"),
        (Outcome({"stopped": "near_deadline"}, took=0.4, late=-3.6), "a run uses its time"),
    ],
)
def test_a_run_that_ends_as_none_should(plan, evidence, outcome, promise):
    """Late, too large, dead, in an error of somebody else's, or long before its time."""
    evidence.outcomes[0] = outcome
    assert promises(plan, evidence) == {promise}


def test_a_machine_that_stalls_is_no_broken_deadline(plan, evidence):
    """What the machine kept everybody waiting is not the run's fault."""
    evidence.outcomes[0] = Outcome({"stopped": "near_deadline"}, took=4.9, late=0.9)
    assert promises(plan, evidence) == {"deadline"}
    evidence.stall = 0.8
    assert promises(plan, evidence) == set()
    evidence.stall = 0.0
    evidence.outcomes[0] = Outcome({"stopped": "near_deadline"}, took=4.9, late=0.9, starved_at_the_end=0.8)
    assert promises(plan, evidence) == set()


def test_a_last_run_that_does_not_settle(plan, evidence):
    """With all well, what is owed arrives and its position is committed."""
    evidence.settled = False
    assert promises(plan, evidence) == {"settles"}


def test_what_costs_too_much(plan, evidence):
    """Log, checkpoint, objects, requests, writes and a request's head have bounds."""
    evidence.log = b"x" * 300_000
    assert promises(plan, evidence) == {"bounded costs"}
    evidence.log = b""
    evidence.issued.add("tok-4-0")
    evidence.asked = [Asked("feed.stored", "tok-4-0", 100_000, 0.0)]
    assert promises(plan, evidence) == {"bounded costs"}
    evidence.asked = [Asked("feed.stored", "tok-4-0", 100, 0.0)] * 1_000
    assert promises(plan, evidence) == {"bounded costs"}


def test_an_empty_token_that_is_sent(plan, evidence):
    """A request for `position_token=` is a mistake of ours."""
    evidence.asked.append(Asked("feed.stored", "", 200, 0.0))
    evidence.issued.add("")
    assert promises(plan, evidence) == {"no empty token is sent"}


def test_a_token_that_is_changed_on_its_way(plan, evidence):
    """What comes back is what was sent, to the byte."""
    evidence.issued.add("tok-4-0&")
    evidence.asked.append(Asked("feed.stored", "tok-4-0&", 200, 0.0))
    assert promises(plan, evidence) == set()
    evidence.asked.append(Asked("feed.stored", "tok-4-0", 200, 0.0))
    assert promises(plan, evidence) == {"a token comes back as it was sent"}


@pytest.mark.parametrize("text", [b"\x1b[2J", b"\x07", b"\x7f", b"\xc2\x9b31m", b"\nFORGED-LINE all is well"])
def test_hostile_text_in_a_log(plan, evidence, text):
    """Control characters, and lines that the provider wrote."""
    plan = type(plan)(plan.script, plan.updates, plan.runs, hidden_marks=("FORGED-LINE",))
    evidence.log += text
    assert promises(plan, evidence) == {"no hostile text in logs"}


@pytest.mark.parametrize("way", sorted(encodings(API_TOKEN)))
def test_the_api_token_in_a_log(plan, evidence, way):
    """In whatever dress it comes back."""
    evidence.log += encodings(API_TOKEN)[way].encode()
    assert promises(plan, evidence) == {"no secret outside its place"}


def test_the_api_token_in_an_object_or_a_result(plan, evidence):
    """Rejected lines and returned errors are no place for it either."""
    evidence.ledger.kept["rejected/1.ndjson"] = json.dumps({"line": API_TOKEN}).encode()
    assert promises(plan, evidence) == {"no secret outside its place"}
    evidence.ledger.kept.clear()
    evidence.outcomes[0] = Outcome(error={"type": "X", "module": "consumer.errors", "message": API_TOKEN})
    assert promises(plan, evidence) == {"no secret outside its place"}


@pytest.mark.parametrize("dress", [b"tok-4-0", b"TOK-4-0", b"746f6b2d342d30", b"dG9rLTQtMA=="])
def test_a_position_token_in_a_live_object(plan, evidence, dress):
    """Whoever sees the map must not be able to read the stream from there."""
    evidence.issued.add("tok-4-0")
    evidence.ledger.wrote("raw/1", b"tok-4-0")
    assert promises(plan, evidence) == set()
    evidence.ledger.wrote("live/status.json", b'{"token":"' + dress + b'"}')
    assert "no secret outside its place" in promises(plan, evidence)


@pytest.mark.parametrize(
    ("at", "is_early"), [(99.9, False), (100.05, False), (104.0, True), (109.95, False), (111.0, False)]
)
def test_a_server_that_is_asked_before_its_time(plan, evidence, at, is_early):
    """It asked to wait from second 100 to 110; what crossed its answer is nobody's fault."""
    evidence.refused_until.append((100.0, 110.0))
    evidence.asked.append(Asked("feed.latest", "LATEST", 200, at))
    assert ("a server that asks to wait is not asked before" in promises(plan, evidence)) is is_early


def test_a_record_that_cannot_be_opened(plan, evidence):
    """A record that is addressed as an envelope and is not one."""
    evidence.ledger.took(b"{}\n", "shard-1", "shard-1", addressed=True)
    assert promises(plan, evidence) == {"envelopes can be opened"}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_seed_gives_the_same_plan_each_time(kind):
    """What an attack does follows from its seed and the moment alone."""
    assert drawn(7, 1_800_000_000.0, kind) == drawn(7, 1_800_000_000.0, kind)


def test_seeds_give_different_kinds_and_plans():
    """Another seed is another attack."""
    attacks = [drawn(seed, 1_800_000_000.0, "storm") for seed in range(20)]
    assert all(one.plan != other.plan for one, other in pairwise(attacks))
    assert len({kind_of(seed) for seed in range(40)}) > 10
