"""Declarative faults of AWS calls: kinds of fault, the calls they apply to, and a plan of both.

A plan and its seed decide everything: what happens to the n-th call that a rule matches does not depend on threads,
on time, or on what happened to other calls.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from local.faults.aws.calls import Call

type Injected = Counter[tuple[Call, FaultKind]]
"""How many faults of each kind were applied to which calls."""

BATCHES = frozenset({("kinesis", "PutRecords"), ("firehose", "PutRecordBatch")})
"""Operations that may take some entries and refuse others."""

_READS = ("Describe", "Get", "Head", "List")
"""How the operations begin that change nothing."""


class FaultKind(StrEnum):
    """What happens to a call."""

    THROTTLED = "throttled"
    """Refused with the service's own error for too many calls; not carried out."""
    SERVER_ERROR = "server_error"
    """Refused with the service's own error of status 500; not carried out."""
    DENIED = "denied"
    """Refused with the service's own error for a missing permission; not carried out."""
    PARTIAL = "partial"
    """Some entries of a batch are refused, the others carried out."""
    ANSWER_LOST = "answer_lost"
    """Carried out, and the connection closed without an answer: the caller cannot know."""
    RESET = "reset"
    """The connection is reset; not carried out."""
    DELAYED = "delayed"
    """Held for a while, then carried out, even if the caller has given up by then."""
    ANSWER_DELAYED = "answer_delayed"
    """Carried out at once, the answer held for a while."""
    HOT_KEYS = "hot_keys"
    """The entries of some partition keys are refused, all others are carried out, as if one shard were hot."""
    ODD_ANSWER = "odd_answer"
    """Not carried out, and answered with status 200 and a body that acknowledges nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault and its parameters.

    Parameters
    ----------
    kind
        What happens.
    seconds
        Of `DELAYED` and `ANSWER_DELAYED`: how long. Beyond the caller's timeout the answer is lost to it.
    entries
        Of `PARTIAL`: the entries that are refused, counted from 0; indexes beyond the batch are ignored.
    share
        Of `PARTIAL` without `entries`: how likely each entry is refused. At least one is.
        Of `HOT_KEYS`: the share of all partition keys that is refused.
    """

    kind: FaultKind
    seconds: float = 0.0
    entries: frozenset[int] | None = None
    share: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise ValueError(f"share: got {self.share:g}; expected a share from 0 to 1")
        if self.kind in {FaultKind.DELAYED, FaultKind.ANSWER_DELAYED} and not self.seconds > 0:
            raise ValueError(f"seconds: got {self.seconds:g}; expected a number above 0 for {self.kind.value}")
        if self.entries is not None and (not self.entries or min(self.entries) < 0):
            raise ValueError(f"entries: got {sorted(self.entries)}; expected entries counted from 0, at least one")


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRule:
    """Which calls a fault applies to: those that match, by their number or by chance.

    Parameters
    ----------
    service
        As in the credential scope: `kinesis`, `s3`, `dynamodb`, `firehose`, `sns`, `secretsmanager`.
    operation
        As in the service's API: `PutRecords`. None is any.
    caller
        A function's logical id. None is any.
    calls
        The matching calls it applies to, counted from 1. None leaves it to `probability`.
    probability
        How likely it applies to each matching call, if `calls` does not say.
    """

    service: str
    fault: Fault
    operation: str | None = None
    caller: str | None = None
    calls: frozenset[int] | None = None
    probability: float = 1.0

    def __post_init__(self) -> None:
        if self.fault.kind is FaultKind.HOT_KEYS and (self.service, self.operation) != ("kinesis", "PutRecords"):
            raise ValueError(f"{self.service} {self.operation}: has no partition keys; expected kinesis PutRecords")
        if self.fault.kind is FaultKind.PARTIAL and (self.service, self.operation) not in BATCHES:
            known = ", ".join(" ".join(one) for one in sorted(BATCHES))
            raise ValueError(f"{self.service} {self.operation}: cannot fail in part; expected one of {known}")
        if not 0 <= self.probability <= 1:
            raise ValueError(f"probability: got {self.probability:g}; expected a number from 0 to 1")
        if self.calls is not None and min(self.calls, default=1) < 1:
            raise ValueError(f"calls: got {sorted(self.calls)}; expected calls counted from 1")

    def matches(self, call: Call) -> bool:
        """Return whether it is about this call."""
        return (
            call.service == self.service
            and self.operation in {None, call.operation}
            and self.caller in {None, call.caller}
        )


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """Rules, of which the first that applies to a call wins, and the seed of what is left to chance."""

    rules: tuple[FaultRule, ...] = ()
    seed: int = 0


@dataclass(frozen=True, slots=True)
class AppliedFault:
    """A fault that is to happen now, and the chance for what it leaves open."""

    fault: Fault
    chance: random.Random

    def refused_entries(self, count: int) -> frozenset[int]:
        """Return which of a batch's `count` entries are refused."""
        if self.fault.entries is not None:
            return frozenset(entry for entry in self.fault.entries if entry < count)
        drawn = frozenset(entry for entry in range(count) if self.chance.random() < self.fault.share)
        return drawn or frozenset({self.chance.randrange(count)} if count else ())


class FaultInjector:
    """Carries a plan out: counts the calls, and tells which fault applies to each. Safe for several threads."""

    def __init__(self, plan: FaultPlan) -> None:
        self._plan = plan
        self._lock = threading.Lock()
        self._matched: Counter[int] = Counter()

    def next(self, call: Call) -> AppliedFault | None:
        """Take the next call; return which fault applies to it. Every rule counts the calls that match it."""
        applied = None
        for number, rule in enumerate(self._plan.rules):
            if not rule.matches(call):
                continue
            with self._lock:
                self._matched[number] += 1
                nth = self._matched[number]
            chance = random.Random(f"{self._plan.seed}/{number}/{nth}")
            applies = chance.random() < rule.probability if rule.calls is None else nth in rule.calls
            if applies and applied is None:
                applied = AppliedFault(rule.fault, chance)
        return applied


def by_kind(injected: Injected) -> Counter[str]:
    """Return how many faults of each kind there were, under the names of the report."""
    found: Counter[str] = Counter()
    for (_, kind), number in injected.items():
        found[f"aws_{kind.value}"] += number
    return found


def lost_answers(injected: Injected, caller: str, service: str) -> set[str]:
    """Return which of a function's writes to a service were carried out and not answered; a read changes nothing.

    A fault that never came excuses nothing either.
    """
    return {
        f"{kind.value} {call.service} {call.operation}"
        for call, kind in injected
        if kind is FaultKind.ANSWER_LOST
        and (call.caller, call.service) == (caller, service)
        and not call.operation.startswith(_READS)
    }
