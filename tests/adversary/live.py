"""Plays attacks on the live objects: windows of several shards, in several processes, at a bucket that fails."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.adversary.aws import Aws
from tests.adversary.events import event
from tests.adversary.ledger import Ledger
from tests.adversary.mapping import ENVIRONMENT
from tests.adversary.process import Child
from tests.adversary.stage import API_TOKEN, StallWatch, environment

if TYPE_CHECKING:
    from tests.adversary.events import Given
    from tests.adversary.process import Outcome
    from tests.adversary.store import Written
    from tests.adversary.wire import Rule

WINDOW_SECONDS = 60
FIRST_WINDOW = 1_767_225_600
"""2026-01-01T00:00:00Z, in seconds since the epoch."""


@dataclass(frozen=True, slots=True)
class Step:
    """One invocation of the aggregator: a batch of a shard's window, or the window's end.

    `ends`: `closed` (the window's last invocation) or `early` (Lambda ends it early; it goes on with an empty state).
    Where no records come with an early end, it has both of Lambda's flags.
    `process` is which environment serves it. A step that is played `again` is an old invocation that Lambda retries:
    the same event as step number `again`, whose answer nobody waits for.
    """

    shard: str
    window: int
    records: tuple[Given, ...] = ()
    updates: tuple[dict[str, Any], ...] = ()
    """What can be read of the records, in their order."""
    rules: tuple[Rule, ...] = ()
    ends: str = ""
    process: int = 0
    again: int | None = None
    kills: bool = False
    """Whether the environment is gone afterwards, and what it kept with it."""


@dataclass(frozen=True, slots=True)
class LivePlan:
    """An attack on the live objects; of the updates of `unowed` windows (shard, number) none need be shown."""

    steps: tuple[Step, ...]
    unowed: frozenset[tuple[str, int]] = frozenset()
    splits: bool = False
    """Whether some window outgrows its state, and is cut in parts where this harness cannot know."""
    megabytes: int = 256
    seconds: float = 60.0
    log: int = 60_000
    fastest: float = 20.0


@dataclass(frozen=True, slots=True)
class Moment:
    """How things were after a step: how much had been written by then."""

    step: int
    writes: int


@dataclass(slots=True)
class LiveEvidence:
    """What such an attack left behind."""

    outcomes: list[Outcome] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)
    written: list[Written] = field(default_factory=list)
    """Every object under `live/`, as it was written, one after the other."""
    log: bytes = b""
    stall: float = 0.0


class LiveStage:
    """The processes, and the states of the windows that they hand on."""

    def __init__(self, plan: LivePlan, folder: Path, stack: ExitStack) -> None:
        self._plan = plan
        self._stack = stack
        self._log = folder / "log"
        self.evidence = LiveEvidence()
        self.aws = Aws(Ledger(), API_TOKEN)
        stack.callback(self.aws.close)
        self._children: dict[int, Child] = {}
        self._states: dict[tuple[str, int], Any] = {}
        self._events: list[dict[str, Any]] = []
        self._records: dict[str, int] = {}

    def play(self) -> None:
        """Play every step."""
        for number, step in enumerate(self._plan.steps):
            made = self._events[step.again] if step.again is not None else self._event(step)
            self._events.append(made)
            self.aws.rules.begin(step.rules)
            outcome = self._child(step.process).invoke(made, self._plan.seconds)
            self.evidence.outcomes.append(outcome)
            if step.again is None and outcome.result is not None:
                self._states[step.shard, step.window] = {} if step.ends else outcome.result["state"]
            if step.kills:
                self._children.pop(step.process).close()
            self.evidence.moments.append(Moment(number, len(self.aws.store.live)))
        self.evidence.written = self.aws.store.live
        self.evidence.log = self._log.read_bytes()

    def _child(self, number: int) -> Child:
        child = self._children.get(number)
        if child is None or not child.alive:
            variables = {**environment(self.aws.url, "aggregator"), **ENVIRONMENT}
            child = Child("aggregator.handler.handler", variables, self._log, self._plan.megabytes)
            self._stack.callback(child.close)
            self._children[number] = child
        return child

    def _event(self, step: Step) -> dict[str, Any]:
        first = self._records.get(step.shard, 0)
        self._records[step.shard] = first + len(step.records)
        start = FIRST_WINDOW + step.window * WINDOW_SECONDS
        window = {
            "window": {"start": _stamp(start), "end": _stamp(start + WINDOW_SECONDS)},
            "state": self._states.get((step.shard, step.window), {}),
            "shardId": step.shard,
            "eventSourceARN": "arn:aws:kinesis:us-east-1:123456789012:stream/updates",
            "isFinalInvokeForWindow": step.ends == "closed" or (step.ends == "early" and not step.records),
            "isWindowTerminatedEarly": step.ends == "early",
        }
        return event(list(enumerate(step.records, start=first)), step.shard, window)


def play(plan: LivePlan) -> LiveEvidence:
    """Play the attack."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="adversary-")))
        watch = StallWatch()
        stack.callback(watch.close)
        stage = LiveStage(plan, folder, stack)
        stage.play()
        if stage.aws.faults:
            raise RuntimeError(f"the stub of AWS failed, not what it attacks: {stage.aws.faults[0]}")
        stage.evidence.stall = watch.longest
        return stage.evidence


def closing_name(window: int) -> str:
    """Return a window's end as a closed object's key has it."""
    end = datetime.fromtimestamp(FIRST_WINDOW + (window + 1) * WINDOW_SECONDS, UTC)
    return f"{end:%Y%m%dT%H%M%SZ}"


def _stamp(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"
