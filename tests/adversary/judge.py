"""Compares what an attack left behind with what is promised: the effects alone, no counter of the functions."""

from __future__ import annotations

import base64
import json
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

from tests.adversary.stage import API_TOKEN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.adversary.ledger import Arrival
    from tests.adversary.plan import ConsumerPlan
    from tests.adversary.stage import Evidence

OUR_MODULES = ("consumer", "aggregator", "alerts", "common")
TOLERANCE = 0.2
"""Seconds that a run may go on beyond what its context gives."""

_SPARE = 3.0
"""Seconds before its deadline at which a run may end for it, with a token each fraction of a second."""

_CROSSING = 0.1
"""Seconds that a request and an answer may cross in."""

_TELLING = 6
"""Characters from which on a token in another dress is nothing that is there by chance."""

_CONTROLS = {code for code in range(32) if chr(code) not in "\t\n\r"} | {0x7F}


@dataclass(frozen=True, slots=True)
class Broken:
    """A promise that did not hold, and what was seen."""

    promise: str
    seen: str

    @property
    def depends_on_speed(self) -> bool:
        """Whether a machine that is busy can break it by itself."""
        return self.promise in ("deadline", "settles", "a run uses its time")


def judge(plan: ConsumerPlan, evidence: Evidence, tolerance: float = TOLERANCE) -> list[Broken]:
    """Return every promise that the attack has broken."""
    return [
        *_losses(plan, evidence),
        *_duplicates(plan, evidence),
        *_order(plan, evidence),
        *_runs(plan, evidence, tolerance + evidence.stall),
        *_costs(plan, evidence),
        *texts(evidence.log, plan.hidden_marks),
        *_secrets(evidence),
        *_haste(evidence),
    ]


def _losses(plan: ConsumerPlan, evidence: Evidence) -> Iterator[Broken]:
    ledger = evidence.ledger
    arrived = {arrival.number for arrival in ledger.arrivals}
    accounted = arrived | ledger.rejected()
    owed = {each.number for each in plan.updates if each.owed == "published"} - arrived
    owed |= {each.number for each in plan.updates if each.owed == "accounted"} - accounted
    positions = _positions(plan)
    if plan.heals and owed:
        yield Broken("no loss", f"{len(owed)} of {len(plan.updates)} updates are nowhere: {sorted(owed)[:10]}")
        return
    for commit in ledger.commits:
        if commit.position is None or commit.gap:
            continue
        by_then = {arrival.number for arrival in ledger.arrivals[: commit.arrivals]}
        must = {each.number for each in plan.updates if each.owed == "published"}
        early = [number for number in must - by_then if positions.get(number, 1 << 60) < commit.position]
        if early:
            yield Broken(
                "a token is committed when all before it is acknowledged",
                f"position {commit.position} was committed without {len(early)} updates: {sorted(early)[:10]}",
            )
            return


def _duplicates(plan: ConsumerPlan, evidence: Evidence) -> Iterator[Broken]:
    positions = _positions(plan)
    seen: dict[int, int] = defaultdict(int)
    older = []
    for arrival in evidence.ledger.arrivals:
        seen[arrival.number] += 1
        if seen[arrival.number] > 1 and positions.get(arrival.number, 1 << 60) < arrival.committed:
            older.append(arrival.number)
    doubled = [number for number, times in seen.items() if times > 1]
    if doubled and not _may_double(plan, evidence):
        excess = sum(seen[number] - 1 for number in doubled)
        yield Broken(
            "no duplicate without a kill or a lost answer",
            f"{len(seen)} updates arrived {len(seen) + excess} times: {sorted(doubled)[:10]}",
        )
    elif older:
        yield Broken("nothing older than the committed token comes again", f"{len(older)}: {sorted(older)[:10]}")


def _may_double(plan: ConsumerPlan, evidence: Evidence) -> bool:
    """Say whether anything has happened that explains duplicates, as `docs/reliability.md` has it."""
    if plan.may_double or evidence.is_unacknowledged or any(run.checkpoint is not None for run in plan.runs):
        return True
    if any(outcome.ended != "returned" for outcome in evidence.outcomes):
        return True
    followers = zip(evidence.outcomes, plan.runs[1:], strict=False)
    return any(run.fresh and not (outcome.result or {}).get("graceful") for outcome, run in followers)


def _order(plan: ConsumerPlan, evidence: Evidence) -> Iterator[Broken]:
    newest: dict[str, int] = {}
    seen: set[int] = set()
    for arrival in evidence.ledger.arrivals:
        update = evidence.ledger.updates.get(arrival.number)
        if update is None or arrival.number in seen:
            continue
        seen.add(arrival.number)
        key = update.address.strip().upper()
        if newest.get(key, -1) > arrival.number:
            yield Broken("order per aircraft", f"update {arrival.number} of {key} came after {newest[key]}")
            return
        newest[key] = arrival.number
    if not plan.moves:
        yield from _one_shard(evidence.ledger.arrivals, evidence)


def _one_shard(arrivals: list[Arrival], evidence: Evidence) -> Iterator[Broken]:
    shards: dict[str, str] = {}
    for arrival in arrivals:
        update = evidence.ledger.updates.get(arrival.number)
        if update is None:
            continue
        key = update.address.strip().upper()
        if shards.setdefault(key, arrival.shard) != arrival.shard:
            yield Broken("an aircraft stays on one shard", f"{key}: {shards[key]} and {arrival.shard}")
            return


def _runs(plan: ConsumerPlan, evidence: Evidence, tolerance: float) -> Iterator[Broken]:
    for number, (run, outcome) in enumerate(zip(plan.runs, evidence.outcomes, strict=True), start=1):
        what = f"run {number} of {run.seconds} s"
        if outcome.ended == "memory":
            yield Broken("memory", f"{what} took more than {plan.megabytes} MB after {outcome.took:.1f} s")
        elif outcome.ended == "overdue" and outcome.late > tolerance + outcome.starved_at_the_end:
            yield Broken("deadline", f"{what} was still at work {outcome.late:.1f} s after its deadline")
        elif outcome.ended == "died" and run.end != "terminate":
            yield Broken("a run ends in order", f"{what}: the process ended by itself")
        elif outcome.ended == "returned" and outcome.late > tolerance + outcome.starved_at_the_end:
            yield Broken("deadline", f"{what} ended {outcome.late:.2f} s after its deadline")
        early = outcome.took < run.seconds - _SPARE - outcome.starved
        if early and outcome.result and outcome.result.get("stopped") == "near_deadline":
            yield Broken("a run uses its time", f"{what} ended for its deadline after {outcome.took:.1f} s")
        if outcome.error is not None and outcome.error["module"].split(".")[0] not in OUR_MODULES:
            yield Broken("errors are ours", f"{what}: {outcome.error['type']}: {outcome.error['message'][:200]}")
    last = evidence.outcomes[-1]
    if plan.heals and (last.error is not None or not evidence.settled):
        yield Broken("settles", f"the last run, with all well: {last.error or last.result or last.ended}")
    for complaint in evidence.ledger.unreadable:
        yield Broken("envelopes can be opened", complaint)


def _costs(plan: ConsumerPlan, evidence: Evidence) -> Iterator[Broken]:
    bounds, ledger = plan.bounds, evidence.ledger
    largest = max((len(content) for content in ledger.kept.values()), default=0)
    head = max((asked.head_bytes for asked in evidence.asked), default=0)
    for what, size, bound in (
        ("bytes of log", len(evidence.log), bounds.log),
        ("bytes of a checkpoint", ledger.largest_checkpoint, bounds.checkpoint),
        ("bytes of an object", largest, bounds.object),
        ("requests to the feed", len(evidence.asked), bounds.requests),
        ("writes of the checkpoint", evidence.checkpoint_writes, bounds.checkpoint_writes),
        ("bytes of a request's head", head, bounds.request_head),
    ):
        if size > bound:
            yield Broken("bounded costs", f"{size} {what}, where {bound} are enough")
    changed = [
        each.token for each in evidence.asked if each.operation == "feed.stored" and each.token not in evidence.issued
    ]
    if changed and not any(run.checkpoint for run in plan.runs):
        yield Broken("a token comes back as it was sent", f"{changed[:3]}")
    if any(asked.token == "" for asked in evidence.asked):
        yield Broken("no empty token is sent", "position_token= was asked for")


def texts(log: bytes, marks: tuple[str, ...] = ()) -> Iterator[Broken]:
    """Judge a log: no control characters of the provider's, and no line of its making."""
    found = sorted({byte for byte in log if byte in _CONTROLS})
    if found:
        index = next(index for index, byte in enumerate(log) if byte in _CONTROLS)
        yield Broken(
            "no hostile text in logs", f"control characters {found}, first in {log[max(0, index - 80) : index + 40]!r}"
        )
    if b"\xc2\x9b" in log:
        yield Broken("no hostile text in logs", "U+009B, a terminal's control sequence introducer")
    lines = log.replace(b"\r", b"\n").splitlines()
    for text in marks:
        if any(line.startswith(text.encode()) for line in lines):
            yield Broken("no hostile text in logs", f"a line of the log begins with the provider's {text!r}")


def encodings(secret: str) -> dict[str, str]:
    """Return the secret in every dress it may come back in from a server."""
    raw = secret.encode()
    dressed = {
        "verbatim": secret,
        "URL-encoded": quote(secret, safe=""),
        "URL-encoded but for the slash": quote(secret),
        "URL-encoded in lower case": quote(secret, safe="")
        .replace("%2F", "%2f")
        .replace("%2B", "%2b")
        .replace("%3D", "%3d"),
        "form-encoded": quote_plus(secret),
        "JSON-escaped slashes": secret.replace("/", "\\/"),
        "JSON-escaped": "".join(f"\\u{ord(char):04x}" for char in secret),
        "JSON-escaped where needed": secret.replace("/", "\\u002f").replace("=", "\\u003d").replace("+", "\\u002b"),
        "HTML-escaped": secret.replace("/", "&#47;").replace("=", "&#61;"),
        "upper case": secret.upper(),
        "lower case": secret.lower(),
        "hexadecimal": raw.hex(),
        "base64 of the header": base64.b64encode(f"Bearer {secret}".encode()).decode(),
    }
    for shift in range(3):  # base64 of any text that holds it: three alignments, without what the neighbours decide
        whole = base64.b64encode(b"-" * shift + raw).decode().rstrip("=")
        dressed[f"base64 at {shift}"] = whole[(shift * 8 + 5) // 6 : len(whole) - 2]
    return dressed


def _haste(evidence: Evidence) -> Iterator[Broken]:
    for since, until in evidence.refused_until:
        early = [asked for asked in evidence.asked if since + _CROSSING < asked.at < until - _CROSSING]
        if early:
            seen = f"{len(early)} requests, the first {until - early[0].at:.1f} s before the time"
            yield Broken("a server that asks to wait is not asked before", seen)
            return


def _secrets(evidence: Evidence) -> Iterator[Broken]:
    returned = json.dumps([[outcome.result, outcome.error] for outcome in evidence.outcomes]).encode()
    places = {"the log": evidence.log, "what a run returned": returned}
    places |= evidence.ledger.kept
    places |= {f"checkpoint {index}": content for index, content in enumerate(evidence.ledger.checkpoints)}
    for place, content in places.items():
        unescaped = content.replace(b"\\\\", b"\\")
        for way, dress in encodings(API_TOKEN).items():
            if dress.encode() in content or dress.encode() in unescaped:
                yield Broken("no secret outside its place", f"the API token, {way}, is in {place}")
                return
        if place.startswith("live/") and (shown := _position_token(evidence.issued, content)):
            yield Broken("no secret outside its place", f"the position token {shown} is in {place}")
            return


def _position_token(issued: set[str], content: bytes) -> str | None:
    """Return which of the feed's tokens is in the content, and in what dress."""
    for token in issued - {""}:
        for way, dress in encodings(token[:4096]).items():
            telling = way == "verbatim" or (len(token) >= _TELLING and len(dress) >= len(token))
            if telling and dress.encode("utf-8", "surrogatepass") in content:
                return f"{token[:40]}, {way},"
    return None


def _positions(plan: ConsumerPlan) -> dict[int, int]:
    """Return the index in the script at which each update stands."""
    from tests.adversary.feed import Line
    from tests.adversary.ledger import marks

    found: dict[int, int] = {}
    for index, item in enumerate(plan.script):
        if isinstance(item, Line):
            for number in marks(item.content):
                found.setdefault(number, index)
    return found
