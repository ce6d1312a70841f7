"""Judges an attack on the aggregator or the alerts function by what was written and sent."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from tests.adversary.events import UNFILTERED
from tests.adversary.judge import Broken, texts

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from tests.adversary.events import FunctionEvidence, FunctionPlan

NEWEST, NEWEST_BYTES, NEWEST_ALERTS = "live/alerts.json", 300 * 1024, 100
STATE_BOUND = 1_000_000
"""Bytes of state that Lambda takes (Lambda's guide on tumbling windows: 1 MB)."""


def judge(plan: FunctionPlan, evidence: FunctionEvidence, tolerance: float) -> list[Broken]:
    """Return every promise that the attack has broken; `tolerance` is what an invocation may be late, in seconds."""
    return [
        *_invocations(plan, evidence, tolerance),
        *_rows(plan, evidence),
        *_alerts(plan, evidence),
        *_shown(plan, evidence),
        *texts(evidence.log),
    ]


def _invocations(plan: FunctionPlan, evidence: FunctionEvidence, tolerance: float) -> Iterator[Broken]:
    for number, outcome in enumerate(evidence.outcomes, start=1):
        if outcome.ended == "memory":
            yield Broken("memory", f"invocation {number} took more than {plan.megabytes} MB")
        elif outcome.ended != "returned" or outcome.late > tolerance + evidence.stall + outcome.starved:
            yield Broken("deadline", f"invocation {number}: {outcome.ended}, {outcome.late:.1f} s late")
        elif outcome.took - outcome.starved > plan.fastest:
            yield Broken("deadline", f"invocation {number} took {outcome.took:.1f} s, where {plan.fastest} are enough")
    if evidence.stuck:
        error = next((each.error for each in reversed(evidence.outcomes) if each.error), None)
        yield Broken("no record stalls a shard", f"batches {evidence.stuck} never came through: {error}")
    if (largest := max(evidence.states, default=0)) > STATE_BOUND:
        yield Broken("a window's state stays below 1 MB", f"{largest} bytes were handed back")
    if len(evidence.log) > plan.log:
        yield Broken("bounded costs", f"{len(evidence.log)} bytes of log, where {plan.log} are enough")


def _rows(plan: FunctionPlan, evidence: FunctionEvidence) -> Iterator[Broken]:
    if plan.function != "aggregator":
        return
    rows = {
        (row["kind"], row["window_start"], row["shard_id"], row["part"], row.get("icao_address")): row
        for row in evidence.rows
    }
    counted: Counter[str] = Counter()
    totals = 0
    for (kind, *_, address), row in rows.items():
        if kind == "aircraft":
            counted[str(address)] += row["updates"]
        else:
            totals += row["updates"]
    undecodable = sum(row.get("records_undecodable", 0) for row in rows.values())
    if plan.total is not None and (totals, undecodable) != (plan.total, 0):
        yield Broken(
            "what the consumer publishes, its readers can read",
            f"{totals} updates counted and {undecodable} undecodable, where {plan.total} were published",
        )
    if counted.total() != totals:
        yield Broken("rows equal a recount", f"aircraft rows count {counted.total()}, totals rows {totals}")
    yield from _aircraft(plan, evidence, rows.values(), counted)


def _aircraft(
    plan: FunctionPlan, evidence: FunctionEvidence, rows: Collection[dict[str, Any]], counted: Counter[str]
) -> Iterator[Broken]:
    wrong = [(address, counted[address], due) for address, due in plan.counted if counted[address] != due]
    if wrong:
        yield Broken("rows equal a recount", f"{len(wrong)} aircraft; of some, counted and due: {wrong[:5]}")
    for address, name, least, greatest in plan.rows:
        values = [row.get(name) for row in rows if row.get("icao_address") == address]
        if any(value is None or not least <= value <= greatest for value in values) or not values:
            yield Broken("what cannot be bends no figure", f"{address}: {name} is {values}, due {least} to {greatest}")
    for address, name, due in plan.items:
        held = evidence.items.get(address, {}).get(name, {}).get("S")
        if held != due:
            yield Broken("newer never gives way to older", f"{address}: {name} is {held} in the table, due {due}")


def _alerts(plan: FunctionPlan, evidence: FunctionEvidence) -> Iterator[Broken]:
    if plan.function != "alerts" or plan.alerts is None:
        return
    sent = Counter(_about(message) for message in evidence.messages)
    for address, rule, expected in plan.alerts:
        found = sent[address, rule]
        if found < expected:
            yield Broken("no alert is lost", f"{address} {rule}: {found} sent, {expected} called for")
            return
        if found > expected and not plan.may_double:
            yield Broken("no alert is sent twice", f"{address} {rule}: {found} sent, {expected} called for")
            return
    known = {(address, rule) for address, rule, _ in plan.alerts}
    unasked = [about for about in sent if about not in known and about[0] != UNFILTERED]
    if unasked:
        yield Broken("no alert is sent that nothing calls for", f"{unasked[:5]}")


def _shown(plan: FunctionPlan, evidence: FunctionEvidence) -> Iterator[Broken]:
    """Judge the alert log and `live/alerts.json` by docs/design.md."""
    content = evidence.objects.get(NEWEST)
    listed = [] if content is None else json.loads(content)["alerts"]
    if content is not None and (len(content) > NEWEST_BYTES or len(listed) > NEWEST_ALERTS):
        yield Broken("the newest alerts are bounded", f"{len(listed)} alerts in {len(content)} bytes")
    sent = [each["sent_at"] for each in listed if "sent_at" in each]
    if sent != sorted(sent, reverse=True) or len({each["id"] for each in listed}) != len(listed):
        yield Broken(
            "the newest alerts are in order, each once", f"{[(each['id'], each.get('sent_at')) for each in listed]}"
        )
    if not plan.shown:
        return
    logged = [json.loads(each) for key, each in evidence.objects.items() if key.startswith("alerts/")]
    for what, found in (("the log", logged), (NEWEST, listed)):
        counted = Counter((each["icao_address"], each["rule"]) for each in found)
        wrong = [(about, counted[about[:2]]) for about in plan.alerts or () if counted[about[:2]] != about[2]]
        if wrong:
            yield Broken("every alert is logged and shown", f"{what}: {wrong[:3]} (aircraft, rule, due; found)")


def _about(message: dict[str, str]) -> tuple[str, str]:
    """Return the aircraft and the rule that a published message names in its attributes."""
    names = {
        value: message.get(f"MessageAttributes.entry.{match[1]}.Value.StringValue", "")
        for name, value in message.items()
        if (match := re.fullmatch(r"MessageAttributes\.entry\.(\d+)\.Name", name))
    }
    return names.get("icao_address", ""), names.get("rule", "")
