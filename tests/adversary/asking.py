"""Plays attacks on the API: live objects that no writer of ours makes lie in the bucket, and it is asked."""

from __future__ import annotations

import base64
import gzip
import json
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.adversary.aws import Aws
from tests.adversary.judge import Broken, encodings, texts
from tests.adversary.ledger import Ledger
from tests.adversary.process import Child
from tests.adversary.stage import API_TOKEN, StallWatch, environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.adversary.process import Outcome
    from tests.adversary.wire import Rule

QUESTIONS = ("/api/targets?limit=1000", "/api/point/31/121/100", "/api/health", "/api/targets/{}")
LAMBDA_BYTES = 6 * 1024 * 1024
"""What Lambda takes of an answer."""
_KEPT = 1.1
"""Seconds after which the API looks at the objects again."""


@dataclass(frozen=True, slots=True)
class Visit:
    """Objects that are put into the bucket, and which aircraft the answers then have to have.

    `unreadable` is whether something of it is left out and has to be named as such; None: that is left open.
    """

    objects: tuple[tuple[str, bytes], ...]
    shown: frozenset[str]
    unreadable: bool | None = None
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class AskPlan:
    """An attack on the API."""

    visits: tuple[Visit, ...]
    megabytes: int = 256
    fastest: float = 3.0
    log: int = 30_000


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: to what, in which visit, and what it says."""

    visit: int
    question: str
    status: int
    body: bytes
    size: int


@dataclass(slots=True)
class AskEvidence:
    """What such an attack left behind."""

    outcomes: list[Outcome] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    log: bytes = b""
    stall: float = 0.0


def play(plan: AskPlan) -> AskEvidence:
    """Play the attack."""
    with ExitStack() as stack:
        log = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="adversary-")), "log")
        watch = StallWatch()
        stack.callback(watch.close)
        aws = Aws(Ledger(), API_TOKEN)
        stack.callback(aws.close)
        child = Child("api.handler.handler", environment(aws.url, "api"), log, plan.megabytes)
        stack.callback(child.close)
        evidence = AskEvidence()
        for number, visit in enumerate(plan.visits):
            for key, content in visit.objects:
                aws.store.put(key, content)
            aws.rules.begin(visit.rules)
            if number:
                time.sleep(_KEPT)
            for question in QUESTIONS:
                if not child.alive:
                    break
                asked = question.format(min(visit.shown, default="78121E"))
                outcome = child.invoke(_event(asked), 15.0)
                evidence.outcomes.append(outcome)
                if outcome.result is not None:
                    evidence.answers.append(_answer(number, asked, outcome.result))
        evidence.log, evidence.stall = log.read_bytes(), watch.longest
        if aws.faults:
            raise RuntimeError(f"the stub of AWS failed, not what it attacks: {aws.faults[0]}")
        return evidence


def judge(plan: AskPlan, evidence: AskEvidence, tolerance: float) -> list[Broken]:
    """Return every promise that the attack has broken; `tolerance` is what an answer may be late, in seconds."""
    return [
        *_invocations(plan, evidence, tolerance),
        *(broken for answer in evidence.answers for broken in _answers(plan, answer)),
        *texts(evidence.log),
    ]


def _invocations(plan: AskPlan, evidence: AskEvidence, tolerance: float) -> Iterator[Broken]:
    for number, outcome in enumerate(evidence.outcomes, start=1):
        late = outcome.took - outcome.starved > plan.fastest + tolerance + evidence.stall
        if outcome.ended == "memory" or outcome.peak > plan.megabytes:
            yield Broken("memory", f"question {number} took more than {plan.megabytes} MB")
        elif outcome.ended != "returned" or late:
            yield Broken("deadline", f"question {number}: {outcome.ended} after {outcome.took:.1f} s")
        elif outcome.error is not None:
            yield Broken("a question is answered", f"question {number}: {outcome.error}"[:500])
    if len(evidence.log) > plan.log:
        yield Broken("bounded costs", f"{len(evidence.log)} bytes of log, where {plan.log} are enough")


def _answers(plan: AskPlan, answer: Answer) -> Iterator[Broken]:
    visit, asked = plan.visits[answer.visit], f"visit {answer.visit}, {answer.question}"
    if answer.size > LAMBDA_BYTES:
        yield Broken("answers are bounded", f"{asked}: {answer.size} bytes")
        return
    for way, dress in encodings(API_TOKEN).items():
        if dress.encode() in answer.body:
            yield Broken("no secret outside its place", f"the API token, {way}, is in the answer to {asked}")
            return
    if answer.status == 200:
        yield from _content(visit, asked, answer)
    elif answer.status == 404 and not visit.shown and answer.question.startswith("/api/targets/"):
        return  # nobody can be asked for
    elif not visit.rules or answer.status != 503 or b'"detail":' not in answer.body:
        yield Broken("a question is answered", f"{asked}: {answer.status} {answer.body[:300]!r}")


def _content(visit: Visit, asked: str, answer: Answer) -> Iterator[Broken]:
    said = json.loads(answer.body)
    if answer.question.startswith("/api/targets?"):
        found = {one["icao_address"] for one in said["targets"]}
        if not found >= visit.shown:
            yield Broken("what can be read is shown", f"{asked}: without {sorted(visit.shown - found)[:5]}")
    if answer.question.startswith(("/api/targets?", "/api/point", "/api/health")):
        unreadable = said.get("unreadable", 0) > 0
        if visit.unreadable is not None and unreadable != visit.unreadable:
            yield Broken("what is left out is said to be", f"{asked}: unreadable {said.get('unreadable')}")


def _event(asked: str) -> dict[str, Any]:
    """Return what API Gateway hands over (payload format 2.0)."""
    path, _, query = asked.partition("?")
    return {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {"accept-encoding": "gzip"},
        "requestContext": {"requestId": "attack", "http": {"method": "GET", "path": path}},
    }


def _answer(visit: int, asked: str, result: dict[str, Any]) -> Answer:
    body = result.get("body", "")
    raw = gzip.decompress(base64.b64decode(body)) if result.get("isBase64Encoded") else body.encode()
    return Answer(visit, asked, result["statusCode"], raw, len(json.dumps(result)))
