"""The judge of the aggregator's and alerts function's attacks sees each promise broken."""

from __future__ import annotations

import json

import pytest

from tests.adversary.events import FunctionEvidence, FunctionPlan
from tests.adversary.judge_events import STATE_BOUND, judge
from tests.adversary.process import Outcome

WINDOWS = FunctionPlan("aggregator", (), counted=(("78121E", 3), ("A4F0AB", 2)))
ALERTS = FunctionPlan("alerts", (), alerts=(("78121E", "emergency_squawk", 1),))


def row(kind, updates, address=None, part=0):
    """A row as Firehose takes it."""
    made = {"kind": kind, "window_start": "2026-01-01T00:00:00Z", "shard_id": "s", "part": part, "updates": updates}
    return made | ({"icao_address": address} if address else {})


def message(address, rule):
    """A notification as SNS takes it."""
    return {
        "MessageAttributes.entry.1.Name": "rule",
        "MessageAttributes.entry.1.Value.StringValue": rule,
        "MessageAttributes.entry.2.Name": "icao_address",
        "MessageAttributes.entry.2.Value.StringValue": address,
    }


@pytest.fixture
def evidence():
    """What both functions leave behind when all is well; each plan looks at its own part."""
    rows = [row("aircraft", 3, "78121E"), row("aircraft", 2, "A4F0AB"), row("totals", 5)]
    return FunctionEvidence(
        [Outcome({}, late=-59.0, took=1.0)], states=[500], rows=rows, messages=[message("78121E", "emergency_squawk")]
    )


def promises(plan, evidence):
    """The promises that the judge finds broken."""
    return {broken.promise for broken in judge(plan, evidence, 0.2)}


@pytest.mark.parametrize("plan", [WINDOWS, ALERTS])
def test_sound_evidence_breaks_nothing(plan, evidence):
    """The judge accuses nobody who has done nothing."""
    assert judge(plan, evidence, 0.2) == []


@pytest.mark.parametrize(
    ("outcome", "promise"),
    [
        (Outcome(ended="memory"), "memory"),
        (Outcome(ended="overdue", late=4.0), "deadline"),
        (Outcome({}, late=0.5), "deadline"),
        (Outcome({}, late=-30.0, took=30.0), "deadline"),
        (Outcome(ended="died"), "deadline"),
    ],
)
def test_an_invocation_that_ends_as_none_should(evidence, outcome, promise):
    """Too large, too late, too slow or dead."""
    evidence.outcomes.append(outcome)
    assert promises(WINDOWS, evidence) == {promise}


def test_a_batch_that_never_comes_through(evidence):
    """It stalls its shard."""
    evidence.stuck.append(0)
    assert promises(ALERTS, evidence) == {"no record stalls a shard"}


def test_a_state_that_lambda_would_not_take(evidence):
    """More than 1 MB."""
    evidence.states.append(STATE_BOUND + 1)
    assert promises(WINDOWS, evidence) == {"a window's state stays below 1 MB"}


def test_a_log_without_bounds(evidence):
    """Each record costs a bounded line."""
    evidence.log = b"x" * 100_000
    assert promises(WINDOWS, evidence) == {"bounded costs"}


@pytest.mark.parametrize("updates", [2, 4])
def test_a_row_that_counts_wrong(evidence, updates):
    """Too few and too many."""
    evidence.rows[0] = row("aircraft", updates, "78121E")
    assert promises(WINDOWS, evidence) == {"rows equal a recount"}


def test_rows_seen_twice_are_one_and_parts_add_up(evidence):
    """A row under the same key is the same row; parts are counted together."""
    evidence.rows += [row("aircraft", 3, "78121E"), row("totals", 5)]
    assert promises(WINDOWS, evidence) == set()
    evidence.rows += [row("aircraft", 1, "A4F0AB", part=1), row("totals", 1, part=1)]
    assert promises(WINDOWS, evidence) == {"rows equal a recount"}


def test_an_alert_lost_doubled_and_unasked_for(evidence):
    """Each is its own promise, and a lost answer explains a second one alone."""
    evidence.messages.append(message("78121E", "emergency_squawk"))
    assert promises(ALERTS, evidence) == {"no alert is sent twice"}
    excused = FunctionPlan("alerts", (), alerts=ALERTS.alerts, may_double=True)
    assert promises(excused, evidence) == set()
    evidence.messages[:] = [message("A4F0AB", "emergency_squawk")]
    assert promises(excused, evidence) == {"no alert is lost"}
    evidence.messages[:] = [message("A4F0AB", "pattern"), message("78121E", "emergency_squawk")]
    assert promises(ALERTS, evidence) == {"no alert is sent that nothing calls for"}


SHOWN = FunctionPlan("alerts", (), alerts=ALERTS.alerts, shown=True)


def alert(number, address="78121E", rule="emergency_squawk", **more):
    """An alert as the log and the list of the newest have it."""
    return {
        "id": str(number),
        "icao_address": address,
        "rule": rule,
        "sent_at": f"2026-01-01T00:{number:02}:00Z",
    } | more


def shown(evidence, logged, newest):
    """The promises that the judge finds broken where these alerts are in the log and among the newest."""
    evidence.objects = {f"alerts/{number}": json.dumps(each).encode() for number, each in enumerate(logged)}
    evidence.objects["live/alerts.json"] = json.dumps({"version": 1, "alerts": newest}).encode()
    return promises(SHOWN, evidence)


def test_an_alert_that_is_not_logged_or_not_shown(evidence):
    """It has to be in both."""
    assert shown(evidence, [alert(1)], [alert(1)]) == set()
    assert shown(evidence, [], [alert(1)]) == {"every alert is logged and shown"}
    assert shown(evidence, [alert(1)], []) == {"every alert is logged and shown"}
    assert shown(evidence, [alert(1)], [alert(1, "A4F0AB")]) == {"every alert is logged and shown"}


def test_newest_alerts_twice_out_of_order_or_without_bound(evidence):
    """A hundred at most, 300 KB at most, the newest first."""
    assert "the newest alerts are in order, each once" in shown(evidence, [alert(1)], [alert(1), alert(1)])
    assert "the newest alerts are in order, each once" in shown(evidence, [alert(1)], [alert(1), alert(2)])
    assert "the newest alerts are bounded" in shown(evidence, [alert(1)], [alert(1, text="x" * 310_000)])
    assert "the newest alerts are bounded" in shown(evidence, [], [alert(n) | {"id": n} for n in range(101)])
