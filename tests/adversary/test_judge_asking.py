"""The judge of the API's answers sees each promise broken."""

from __future__ import annotations

import json

import pytest

from tests.adversary.asking import LAMBDA_BYTES, Answer, AskEvidence, AskPlan, Visit, judge
from tests.adversary.process import Outcome
from tests.adversary.stage import API_TOKEN
from tests.adversary.wire import Close, Rule

PLAN = AskPlan((Visit((), frozenset({"78121E"}), unreadable=True),))
TARGETS = "/api/targets?limit=1000"


def answer(said, status=200, question=TARGETS, size=100):
    """An answer of the first visit."""
    return Answer(0, question, status, json.dumps(said).encode(), size)


SOUND = answer({"targets": [{"icao_address": "78121E"}], "unreadable": 1})


def promises(*answers, plan=PLAN, outcome=None, log=b""):
    """The promises that the judge finds broken."""
    evidence = AskEvidence([outcome or Outcome({}, took=0.1)], list(answers), log)
    return {broken.promise for broken in judge(plan, evidence, 0.2)}


def test_sound_evidence_breaks_nothing():
    """The judge accuses nobody who has done nothing."""
    assert promises(SOUND) == set()


@pytest.mark.parametrize(
    ("outcome", "promise"),
    [
        (Outcome(ended="memory"), "memory"),
        (Outcome({}, peak=300.0), "memory"),
        (Outcome({}, took=5.0), "deadline"),
        (Outcome(ended="overdue", took=19.0), "deadline"),
        (Outcome(ended="died"), "deadline"),
        (Outcome(None, {"type": "RecursionError"}), "a question is answered"),
    ],
)
def test_an_invocation_that_ends_as_none_should(outcome, promise):
    """Too large, too late, dead or failed."""
    assert promises(outcome=outcome) == {promise}


def test_aircraft_that_could_be_read_are_missing():
    """A damaged shard hides nothing of another."""
    assert promises(answer({"targets": [], "unreadable": 1})) == {"what can be read is shown"}


@pytest.mark.parametrize("question", [TARGETS, "/api/point/31/121/100", "/api/health"])
def test_what_is_left_out_and_not_said_to_be(question):
    """And what is said to be left out and is not."""
    said = {"targets": [{"icao_address": "78121E"}]}
    assert promises(answer(said, question=question)) == {"what is left out is said to be"}
    whole = AskPlan((Visit((), frozenset({"78121E"}), unreadable=False),))
    assert promises(answer(said | {"unreadable": 1}, question=question), plan=whole) == {
        "what is left out is said to be"
    }


def test_an_error_that_is_none():
    """503 with a reason, while S3 fails; nothing else."""
    fails = AskPlan((Visit((), frozenset(), rules=(Rule("s3.get.live*", Close()),)),))
    assert promises(answer({"detail": "try again"}, 503), plan=fails) == set()
    assert promises(answer({}, 503), plan=fails) == {"a question is answered"}
    assert promises(answer({"detail": "try again"}, 503)) == {"a question is answered"}
    assert promises(answer({"detail": "oh"}, 500), plan=fails) == {"a question is answered"}


def test_an_answer_that_lambda_would_not_take():
    """More than 6 MB."""
    assert promises(answer({}, size=LAMBDA_BYTES + 1)) == {"answers are bounded"}


def test_the_api_token_in_an_answer():
    """However it is dressed."""
    said = {"targets": [{"icao_address": "78121E", "callsign": API_TOKEN.upper()}], "unreadable": 1}
    assert promises(answer(said)) == {"no secret outside its place"}


def test_a_log_without_bounds():
    """A question costs a line or two."""
    assert promises(SOUND, log=b"x" * 100_000) == {"bounded costs"}
