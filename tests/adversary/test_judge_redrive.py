"""The judge of the attacks on redrive sees each promise broken."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from tests.adversary.judge_redrive import judge
from tests.adversary.redrive import Command, Failure, Ran, RedriveEvidence, RedrivePlan
from tests.adversary.wire import Hang, Rule

GOOD = Failure("good", b"", frozenset({1, 2}), frozenset({1, 2}))
BAD = Failure("bad", b"", sound=False)
HARD = Command(rules=(Rule("kinesis.PutRecords", Hang()),))
PLAN = RedrivePlan((GOOD,), (HARD, Command()))
ODD = RedrivePlan((GOOD, BAD), (Command(),))
DONE = Ran(0, b"", 1.0, 2, frozenset({1, 2}), frozenset({"good"}), frozenset())
NAMED = replace(DONE, code=1, output=b"bad", there=frozenset({"good", "bad"}))
HALF = replace(DONE, code=1, output=b"good", arrivals=1, published=frozenset({1}))
REST = replace(DONE, arrivals=1)
CODE = "the exit code says what was done"
EARLY = "no object goes before its records are in the stream"


def evidence(*ran, gone=(), times=(1, 1), keys=()):
    """What two updates leave behind that are in the stream so often."""
    return RedriveEvidence(list(ran), list(gone), Counter({1: times[0], 2: times[1]}), list(keys))


def promises(plan, left):
    """The promises that the judge finds broken."""
    return {broken.promise for broken in judge(plan, left, 0.2)}


@pytest.mark.parametrize(
    ("plan", "left"),
    [(PLAN, evidence(HALF, REST, gone=[("marked", "good", ())])), (ODD, evidence(NAMED))],
    ids=["all went", "something could not"],
)
def test_sound_evidence_breaks_nothing(plan, left):
    """The judge accuses nobody who has done nothing."""
    assert judge(plan, left, 0.2) == []


@pytest.mark.parametrize(
    ("plan", "left", "promise"),
    [
        (PLAN, evidence(HALF, REST, gone=[("marked", "good", (2,))]), EARLY),
        (ODD, evidence(NAMED, gone=[("deleted", "bad", ())]), EARLY),
        (PLAN, evidence(HALF, replace(REST, code=1, published=frozenset({1}))), "what can be read goes back"),
        (PLAN, evidence(HALF, REST, times=(1, 2)), "nothing is sent twice without a lost answer"),
        (ODD, evidence(replace(NAMED, there=frozenset({"good"}))), "no loss"),
        (ODD, evidence(replace(NAMED, output=b"")), "what cannot go back is named"),
        (PLAN, evidence(replace(HALF, code=0), REST), CODE),
        (PLAN, evidence(replace(HALF, code=2), REST), CODE),
        (PLAN, evidence(HALF, replace(REST, code=1)), CODE),
        (PLAN, evidence(HALF, replace(REST, code=-11)), CODE),
        (PLAN, evidence(HALF, replace(REST, output=b"Traceback")), "no traceback"),
        (PLAN, evidence(HALF, replace(REST, output=b"x" * 200_000)), "bounded costs"),
        (PLAN, evidence(HALF, replace(REST, output=b"\x1b[2J")), "no hostile text in logs"),
        (PLAN, evidence(HALF, replace(REST, code=None, took=99.0)), "deadline"),
        (
            PLAN,
            evidence(HALF, REST, keys=[(b'{"icao_address":"78121e","flight_id":"u-0000001~"}', "78121e")]),
            "an aircraft stays on one shard",
        ),
        (RedrivePlan((GOOD,), (Command(("--show", "3")),)), evidence(DONE), "nothing is done without --confirm"),
        (
            RedrivePlan((GOOD,), (Command(unwritable=True),)),
            evidence(replace(DONE, code=2)),
            "a result that cannot be written is refused before the work",
        ),
    ],
)
def test_a_breach_is_seen(plan, left, promise):
    """Each promise by what breaks it."""
    assert promise in promises(plan, left)
