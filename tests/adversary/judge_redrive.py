"""Judges an attack on redrive by the stream, the bucket, and what the command said."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.adversary.judge import Broken, texts
from tests.adversary.ledger import marks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.adversary.redrive import Command, Ran, RedriveEvidence, RedrivePlan

ALL, SOME, NOTHING = 0, 1, 2
"""Exit codes, by the command's help: all went, something could not, nothing could be tried."""


def judge(plan: RedrivePlan, evidence: RedriveEvidence, tolerance: float) -> list[Broken]:
    """Return every promise that the attack has broken; `tolerance` is what a command may be late, in seconds."""
    broken = [*_losses(plan, evidence), *_doubles(plan, evidence), *_shards(plan, evidence)]
    for number, (command, ran) in enumerate(zip(plan.commands, evidence.ran, strict=True), start=1):
        broken += _said(plan, command, ran, f"command {number}")
        if ran.took > command.seconds + tolerance + evidence.stall:
            broken.append(Broken("deadline", f"command {number} took {ran.took:.1f} s of {command.seconds}"))
        if "--show" not in command.arguments:  # messages are piped on as they are
            broken += texts(ran.output)
    return broken


def _losses(plan: RedrivePlan, evidence: RedriveEvidence) -> Iterator[Broken]:
    objects = {each.key: each for each in plan.objects}
    for what, key, missing in evidence.gone:
        early = set(missing) & objects[key].owed
        if early or (what == "deleted" and (missing or objects[key].sound is False)):
            seen = f"{key} was {what} without {sorted(early) or list(missing) or 'what cannot go back'}"
            yield Broken("no object goes before its records are in the stream", seen)
            return
    last = evidence.ran[-1]
    owed = frozenset[int]().union(*(each.owed for each in plan.objects))
    if lost := sorted(owed - last.published):
        yield Broken("what can be read goes back", f"{len(lost)} of {len(owed)} updates did not: {lost[:10]}")
    for each in plan.objects:
        if each.sound is not False and not each.marks - last.published:
            continue
        if each.key not in last.there:
            yield Broken("no loss", f"{each.key} is gone, and not all of it is in the stream")
        elif not any(each.key.encode() in ran.output for ran in evidence.ran if ran.code == SOME):
            yield Broken("what cannot go back is named", f"{each.key} is named by no command that ended with 1")


def _doubles(plan: RedrivePlan, evidence: RedriveEvidence) -> Iterator[Broken]:
    doubled = sorted(number for number, times in evidence.times.items() if times > 1)
    if doubled and not plan.may_double:
        seen = f"{len(doubled)} of {len(evidence.times)} updates: {doubled[:10]}"
        yield Broken("nothing is sent twice without a lost answer", seen)


def _shards(plan: RedrivePlan, evidence: RedriveEvidence) -> Iterator[Broken]:
    owed = frozenset[int]().union(*(each.owed for each in plan.objects))
    for data, key in evidence.keys:
        address = _address(data) if owed.intersection(marks(data)) else None
        if address is not None and address.strip().upper() != key:
            yield Broken("an aircraft stays on one shard", f"an update of {address!r} went back under the key {key!r}")
            return


def _address(data: bytes) -> str | None:
    try:
        update: Any = json.loads(data)
    except (ValueError, RecursionError):
        return None
    address = update.get("icao_address") if isinstance(update, dict) else None
    return address if isinstance(address, str) else None


def _said(plan: RedrivePlan, command: Command, ran: Ran, what: str) -> Iterator[Broken]:
    if b"Traceback" in ran.output:
        yield Broken("no traceback", f"{what}: {ran.output[-300:]!r}")
    if len(ran.output) > plan.output:
        yield Broken("bounded costs", f"{what}: {len(ran.output)} bytes of output, where {plan.output} are enough")
    if ran.arrivals and "--confirm" not in command.arguments:
        yield Broken("nothing is done without --confirm", f"{what}: {ran.arrivals} updates went back")
    if ran.arrivals and command.unwritable:
        yield Broken("a result that cannot be written is refused before the work", f"{what}: {ran.arrivals} updates")
    if ran.code is not None and (wrong := _wrong_code(plan, command, ran, ran.code)):
        yield Broken("the exit code says what was done", f"{what}: {ran.code}, and {wrong}: {ran.output[-300:]!r}")


def _wrong_code(plan: RedrivePlan, command: Command, ran: Ran, code: int) -> str:
    """Say what contradicts the exit code; nothing where it is right."""
    prefix = command.arguments[command.arguments.index("--prefix") + 1] if "--prefix" in command.arguments else ""
    asked = [each for each in plan.objects if each.key.startswith(prefix) and each.key not in ran.before]
    confirmed = "--confirm" in command.arguments
    rest = [each.key for each in asked if each.sound is False or (confirmed and each.marks - ran.published)]
    all_well = not command.rules and all(each.sound is True for each in plan.objects)
    if command.unwritable:
        return "" if code == NOTHING else "nothing could be tried"
    if code == ALL:
        return f"not all went back of {rest[:2]}" if rest else ""
    if all_well or code not in (SOME, NOTHING):
        return "all was well"
    return f"{ran.arrivals} updates went back" if code == NOTHING and ran.arrivals else ""
