"""Plays many attacks beside one another, and tells what came of each."""

from __future__ import annotations

import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.adversary import asking, chain, judge, judge_events, judge_live, judge_redrive, live, mapping, redrive, stage
from tests.adversary.asking import AskPlan
from tests.adversary.attacks import drawn
from tests.adversary.events import FunctionPlan
from tests.adversary.judge import TOLERANCE, Broken
from tests.adversary.live import LivePlan
from tests.adversary.parent import end_with_the_parent
from tests.adversary.redrive import RedrivePlan

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.adversary.asking import AskEvidence
    from tests.adversary.events import FunctionEvidence
    from tests.adversary.live import LiveEvidence
    from tests.adversary.process import Outcome
    from tests.adversary.redrive import RedriveEvidence
    from tests.adversary.stage import Evidence


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one attack; `runs` says in a few words how each of its runs ended."""

    kind: str
    seed: int
    promise: str
    broken: tuple[Broken, ...]
    seconds: float
    runs: tuple[str, ...]
    log: str

    @property
    def held(self) -> bool:
        """Whether every promise held."""
        return not self.broken

    @property
    def in_doubt(self) -> bool:
        """Whether a busy machine can have caused all of it; whoever does not settle in time leaves losses, too."""
        return any(each.promise == "settles" for each in self.broken) or (
            not self.held and all(each.depends_on_speed for each in self.broken)
        )

    def report(self) -> str:
        """Return what was promised and seen, and how to see it again, harmless for a terminal."""
        return "\n".join(
            [
                f"    promised: {self.promise}",
                *(f"    broken:   {broken.promise}: {harmless(broken.seen)}" for broken in self.broken),
                *(f"    run {number}:    {harmless(run)[:400]}" for number, run in enumerate(self.runs, start=1)),
                f"    again:    pipenv run adversary --attacks 1 --seed {self.seed} --kind {self.kind} --verbose",
            ]
        )


def harmless(text: str, keep: str = "") -> str:
    """Return the text without what a terminal would obey."""
    return "".join(char if char.isprintable() or char in keep else repr(char)[1:-1] for char in text)


def attack(seed: int, kind: str | None = None, tolerance: float = TOLERANCE) -> Result:
    """Draw the seed's attack, play it, and judge it; a run may be `tolerance` seconds late."""
    began = time.monotonic()
    drawn_attack = drawn(seed, time.time(), kind)
    plan = drawn_attack.plan
    evidence: AskEvidence | Evidence | FunctionEvidence | LiveEvidence | RedriveEvidence
    if isinstance(plan, FunctionPlan):
        evidence = (made := mapping.play(plan))
        broken = tuple(judge_events.judge(plan, made, tolerance))
    elif isinstance(plan, LivePlan):
        evidence = (shown := live.play(plan))
        broken = tuple(judge_live.judge(plan, shown, tolerance))
    elif isinstance(plan, AskPlan):
        evidence = (said := asking.play(plan))
        broken = tuple(asking.judge(plan, said, tolerance))
    elif isinstance(plan, RedrivePlan):
        evidence = (done := redrive.play(plan))
        broken = tuple(judge_redrive.judge(plan, done, tolerance))
    else:
        evidence = (left := stage.play(plan))
        broken = tuple(judge.judge(plan, left, tolerance))
        if plan.chain:
            broken += tuple(chain.follow(left.ledger, tolerance))
    return Result(
        drawn_attack.kind,
        seed,
        drawn_attack.promise,
        broken,
        time.monotonic() - began,
        tuple(_output(outcome) for outcome in evidence.outcomes),
        evidence.log[-200_000:].decode("utf-8", "backslashreplace") if broken else "",
    )


def _output(outcome: Outcome) -> str:
    """Say how a run ended, without the state that a window hands on."""
    result = {name: value for name, value in (outcome.result or {}).items() if name != "state"}
    return f"{outcome.ended} after {outcome.took:.2f} s, peak {outcome.peak:.0f} MB: {outcome.error or result}"


def campaign(attacks: Sequence[tuple[int, str | None]], workers: int, tolerance: float = TOLERANCE) -> Iterator[Result]:
    """Play the attacks (seed and kind, or None for the seed's own) and give their results as they end.

    What a busy machine may have caused is played once more, alone, and counts only if it is seen again.
    """
    doubtful: list[Result] = []
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), end_with_the_parent) as pool:
        for done in as_completed([pool.submit(attack, seed, kind, tolerance) for seed, kind in attacks]):
            if (result := done.result()).in_doubt:
                doubtful.append(result)
            else:
                yield result
    for result in doubtful:
        yield attack(result.seed, result.kind, tolerance)
