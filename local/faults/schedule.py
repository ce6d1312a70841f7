"""One fault schedule: everything that goes wrong in one run, and what runs meanwhile, drawn from a seed alone."""

from __future__ import annotations

import random
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from local.audit.envelope import ENVELOPE, SINGLE
from local.faults.aws.plan import Fault, FaultKind, FaultPlan, FaultRule
from local.faults.stream.fault import UpstreamFault, UpstreamKind
from local.faults.timed.processes import ProcessFault, ProcessKind
from local.faults.timed.resharding import Reshard, ReshardKind
from local.faults.traffic import has_wrong_times

if TYPE_CHECKING:
    from collections.abc import Sequence

CONSUMER, AGGREGATOR, ALERTS = "ConsumerFunction", "AggregatorFunction", "AlertsFunction"
ARCHIVE = "ArchiveFunction"

LEASE_SECONDS, SILENCE_SECONDS, STALE_SECONDS = 1.5, 0.8, 1.2
"""The consumer's waits in a schedule (`src/consumer/timing.py`): a thirtieth of a deployment's and more."""


def waits() -> dict[str, str]:
    """Return the variables that shorten the consumer's waits."""
    return {
        "LEASE_SECONDS": str(LEASE_SECONDS),
        "SILENCE_SECONDS": str(SILENCE_SECONDS),
        "STALE_SECONDS": str(STALE_SECONDS),
    }


_HOT_SHARE, _SLOW_SHARE, _ODD_SHARE = 0.25, 0.2, 0.25
"""Shares of the schedules in which some keys are hot for long, S3 is slow, and answers of status 200 say nothing."""

_REFUSED_SHARE = 0.7
"""Of the schedules with wrong ingestion times: those in which a token is refused for certain."""

_TWICE_SHARE, _KILLED_SHARE = 0.3, 0.15
"""Shares of the schedules in which raw objects are delivered twice, and in which the archive's process is killed."""

TOKEN_LIFETIME = 6 * 3600.0
_BEYOND_LIFETIME = 7 * 3600.0

_STATUSES = (
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.SERVICE_UNAVAILABLE,
)

_REFUSALS = (FaultKind.THROTTLED, FaultKind.SERVER_ERROR, FaultKind.RESET, FaultKind.ANSWER_LOST)
_DELAYS = (FaultKind.DELAYED, FaultKind.ANSWER_DELAYED)
_AWS: tuple[tuple[str, str, str, Sequence[FaultKind], int], ...] = (
    (CONSUMER, "kinesis", "PutRecords", (*_REFUSALS, *_DELAYS, FaultKind.PARTIAL, FaultKind.PARTIAL), 25),
    (CONSUMER, "s3", "PutObject", (*_REFUSALS, *_DELAYS), 20),
    (CONSUMER, "s3", "GetObject", _REFUSALS, 3),
    (CONSUMER, "secretsmanager", "GetSecretValue", _REFUSALS, 2),
    (AGGREGATOR, "firehose", "PutRecordBatch", (*_REFUSALS, *_DELAYS, FaultKind.PARTIAL), 8),
    (AGGREGATOR, "dynamodb", "PutItem", (*_REFUSALS, *_DELAYS), 150),
    (AGGREGATOR, "dynamodb", "GetItem", _REFUSALS, 6),
    (ALERTS, "dynamodb", "PutItem", (*_REFUSALS, *_DELAYS), 12),
    (ALERTS, "dynamodb", "UpdateItem", (*_REFUSALS, *_DELAYS), 6),
    (ALERTS, "sns", "Publish", (*_REFUSALS, *_DELAYS), 6),
)
"""Whose calls of which operation fail how, and among how many first ones: about what a schedule makes."""

_LIVE_AWS = (("PutObject", 60), ("HeadObject", 2), ("GetObject", 2))
"""Those of the aggregator with the live objects, which are all that it asks of S3."""
_LIVE_RUN = 3
"""Calls in a row that fail in some schedules: one more than a write is tried, so that one is given up."""
_LIVE_APART = 10
"""At least so many calls from one fault to the next: what is owed after one is written before the next."""

_ARCHIVE_AWS = (("GetObject", 60), ("PutObject", 8), ("ListObjectsV2", 60))
"""Those of the archive, which has some of them in most schedules."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultSchedule:
    """What is drawn; durations in seconds.

    `consumers` is how many runs of the consumer may be under way at once: 1 as with reserved concurrency, 2 as without.
    `deliver_twice` is how likely each raw object is delivered twice.
    `batch_size` and `batching_window` replace the aggregator's, so that windows are cut into batches differently.
    """

    seed: int
    updates: int
    seconds: float
    token_interval: float
    consumers: int
    batch_size: int
    batching_window: int
    upstream: tuple[UpstreamFault, ...]
    aws: FaultPlan
    processes: tuple[ProcessFault, ...]
    record_format: str = SINGLE
    reshards: tuple[Reshard, ...] = ()
    deliver_twice: float = 0.0

    @property
    def failing(self) -> int:
        """Bound on how many runs of the consumer these faults can fail, should they all come one after the other."""
        refusals = sum(fault.count for fault in self.upstream if fault.status is not None)
        calls = sum(len(rule.calls or ()) for rule in self.aws.rules if rule.caller == CONSUMER)
        return refusals + calls + sum(fault.function != ARCHIVE for fault in self.processes)

    @classmethod
    def draw(cls, seed: int, record_format: str | None = None) -> FaultSchedule:
        """Return the schedule of a seed, in the format that it draws, or in this one: all else stays the same."""
        rng = random.Random(f"schedule {seed}")
        updates = rng.randint(400, 900)
        seconds = rng.uniform(1.8, 3.0)
        archive = _Archive(seed, seconds)
        consumers = 2 if rng.random() < 0.35 else 1  # noqa: PLR2004 - the share of small accounts, so to speak
        return cls(
            seed=seed,
            updates=updates,
            seconds=seconds,
            token_interval=rng.uniform(0.15, 0.4),
            consumers=consumers,
            batch_size=rng.choice((50, 200, 2000)),
            batching_window=rng.choice((0, 0, 1)),
            upstream=(*_upstream(rng, updates), *_refused_after_wrong_times(seed, updates)),
            aws=FaultPlan(
                (*(_rule(rng) for _ in range(rng.randint(0, 5))), *_hardships(seed), *archive.rules, *_live(seed)), seed
            ),
            processes=(*_processes(rng, seconds, consumers), *archive.processes),
            record_format=record_format or _record_format(seed),
            reshards=tuple(_reshards(seed, seconds)),
            deliver_twice=archive.deliver_twice,
        )


def _record_format(seed: int) -> str:
    chance = random.Random(f"record format {seed}")  # its own, so that it changes nothing else of a seed
    return ENVELOPE if chance.random() < 1 / 3 else SINGLE


def _hardships(seed: int) -> list[FaultRule]:
    """Draw what lasts: hot keys, past a run's deadline in some schedules; slow writes to S3; answers that say nothing.

    A draw of its own, so that it changes nothing else of a seed.
    """
    rng = random.Random(f"hardships {seed}")
    rules = []

    def put_records(calls: frozenset[int], fault: Fault) -> FaultRule:
        return FaultRule(service="kinesis", operation="PutRecords", caller=CONSUMER, calls=calls, fault=fault)

    if rng.random() < _HOT_SHARE:
        first, share = rng.randint(1, 10), rng.uniform(0.01, 0.3)
        calls = frozenset(range(first, first + rng.choice((20, 60, 150))))
        rules.append(put_records(calls, Fault(kind=FaultKind.HOT_KEYS, share=share)))
    if rng.random() < _SLOW_SHARE:
        slow = Fault(kind=rng.choice(_DELAYS), seconds=rng.uniform(1.0, 3.0))
        calls = frozenset(rng.sample(range(1, 21), 4))
        rules.append(FaultRule(service="s3", operation="PutObject", caller=CONSUMER, calls=calls, fault=slow))
    if rng.random() < _ODD_SHARE:
        calls = frozenset(rng.sample(range(1, 26), 5))
        rules.append(put_records(calls, Fault(kind=FaultKind.ODD_ANSWER)))
    return rules


def _live(seed: int) -> list[FaultRule]:
    """Draw what goes wrong with the live objects, in half of the schedules: single calls, or a write that is given up.

    A draw of its own, so that it changes nothing else of a seed.
    """
    rng = random.Random(f"live {seed}")
    if rng.random() < 0.5:  # noqa: PLR2004 - the share of schedules without
        return []
    operation, among = rng.choice((_LIVE_AWS[0], *_LIVE_AWS))
    fault = Fault(kind=rng.choice((*_REFUSALS, *_DELAYS)), seconds=rng.uniform(0.05, 0.8))
    places = range(1, among + 1, _LIVE_APART)
    chosen = rng.sample(places, min(len(places), rng.choice((1, 4, 8))))
    length = rng.choice((1, _LIVE_RUN))
    calls = frozenset(first + more for first in chosen for more in range(length))
    return [FaultRule(service="s3", operation=operation, caller=AGGREGATOR, fault=fault, calls=calls)]


class _Archive:
    """What goes wrong with the raw objects and the archive: a draw of its own, so that it changes nothing else."""

    def __init__(self, seed: int, seconds: float) -> None:
        rng = random.Random(f"archive {seed}")
        self.rules = [self._rule(rng) for _ in range(rng.randint(0, 3))]
        self.deliver_twice = rng.choice((0.5, 1.0)) if rng.random() < _TWICE_SHARE else 0.0
        killed = ProcessFault(kind=ProcessKind.KILLED, function=ARCHIVE, at=rng.uniform(0, seconds))
        self.processes = (killed,) if rng.random() < _KILLED_SHARE else ()

    @staticmethod
    def _rule(rng: random.Random) -> FaultRule:
        operation, first = rng.choice(_ARCHIVE_AWS)
        fault = Fault(kind=rng.choice((*_REFUSALS, *_DELAYS)), seconds=rng.uniform(0.05, 0.8))
        calls = frozenset(rng.sample(range(1, first + 1), min(first, rng.choice((2, 4, 8)))))
        return FaultRule(service="s3", operation=operation, caller=ARCHIVE, fault=fault, calls=calls)


def _reshards(seed: int, seconds: float) -> list[Reshard]:
    rng = random.Random(f"reshards {seed}")
    if rng.random() < 0.6:  # noqa: PLR2004 - the share of schedules in which the shards stay as they are
        return []
    kinds = rng.choices(list(ReshardKind), k=rng.randint(1, 4))
    return [Reshard(kind=kind, at=rng.uniform(0, seconds), which=rng.random(), where=rng.random()) for kind in kinds]


def _upstream(rng: random.Random, updates: int) -> list[UpstreamFault]:
    kinds = rng.choices(list(UpstreamKind), k=rng.randint(1, 6))
    faults = []
    for kind in kinds:
        at = rng.randrange(1, updates * 9 // 10)
        match kind:
            case UpstreamKind.STALL:
                faults.append(UpstreamFault(kind=kind, at=at, seconds=rng.choice((0.3, SILENCE_SECONDS + 0.4))))
            case UpstreamKind.KEEP_ALIVES:
                faults.append(UpstreamFault(kind=kind, at=at, seconds=rng.choice((0.3, STALE_SECONDS + 0.6))))
            case UpstreamKind.SAME_TOKEN | UpstreamKind.TRICKLE | UpstreamKind.NOT_LISTENING:
                faults.append(UpstreamFault(kind=kind, at=at, seconds=rng.uniform(0.2, 1.0)))
            case UpstreamKind.STATUS:
                status = rng.choice(_STATUSES)
                faults.append(UpstreamFault(kind=kind, at=at, status=status, count=rng.randint(1, 2)))
            case UpstreamKind.CLOCK_JUMP:
                ahead = any(one.seconds == _BEYOND_LIFETIME for one in faults)
                jump = rng.uniform(-0.8, 0.8) if ahead or rng.random() < 0.5 else _BEYOND_LIFETIME  # noqa: PLR2004
                faults.append(UpstreamFault(kind=kind, at=at, seconds=jump))
                # The jump shows at the next request alone: have one made.
                faults.append(UpstreamFault(kind=UpstreamKind.DISCONNECT, at=at + rng.randint(1, 20)))
            case _:
                faults.append(UpstreamFault(kind=kind, at=at))
    return faults


def _refused_after_wrong_times(seed: int, updates: int) -> list[UpstreamFault]:
    """Have a token refused in most schedules with wrong ingestion times, by which the recovery then has to go.

    A draw of its own, so that it changes nothing else of a seed.
    """
    rng = random.Random(f"refused after wrong times {seed}")
    if not has_wrong_times(seed) or rng.random() >= _REFUSED_SHARE:
        return []
    return [UpstreamFault(kind=UpstreamKind.TOKEN_REFUSED, at=rng.randrange(updates // 5, updates * 9 // 10))]


def _rule(rng: random.Random) -> FaultRule:
    caller, service, operation, kinds, first = rng.choice(_AWS)
    kind = rng.choice(list(kinds))
    seconds = rng.uniform(0.05, 0.8) if kind in _DELAYS else 0.0
    calls = frozenset(rng.sample(range(1, first + 1), rng.randint(1, min(4, first))))
    fault = Fault(kind=kind, seconds=seconds, share=rng.uniform(0.05, 0.9))
    return FaultRule(service=service, operation=operation, caller=caller, fault=fault, calls=calls)


def _processes(rng: random.Random, seconds: float, consumers: int) -> list[ProcessFault]:
    faults = []
    if consumers > 1:
        faults.append(ProcessFault(kind=ProcessKind.TWO_AT_ONCE, function=CONSUMER, at=rng.uniform(0, seconds)))
    chance = rng.random()
    at = rng.uniform(0.1, seconds)
    if chance < 0.25:  # noqa: PLR2004 - shares of schedules, here and below
        faults.append(ProcessFault(kind=ProcessKind.KILLED, function=CONSUMER, at=at))
    elif chance < 0.45:  # noqa: PLR2004
        pause = rng.choice((0.5, LEASE_SECONDS + 0.7))
        faults.append(ProcessFault(kind=ProcessKind.PAUSED, function=CONSUMER, at=at, seconds=pause))
    elif chance < 0.5:  # noqa: PLR2004
        faults.append(ProcessFault(kind=ProcessKind.TIMED_OUT, function=CONSUMER, at=at))
    elif chance < 0.65:  # noqa: PLR2004
        function = rng.choice((AGGREGATOR, ALERTS))
        faults.append(ProcessFault(kind=ProcessKind.KILLED, function=function, at=at))
    return faults
