"""A fault schedule: all faults of one run, and its traffic, drawn from a seed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local.audit.envelope import ENVELOPE, SINGLE
from local.faults.aws import draw as aws
from local.faults.aws.plan import Fault, FaultPlan, FaultRule
from local.faults.stream import draw as stream
from local.faults.timed import draw as timed
from local.faults.timed.processes import ProcessFault, ProcessKind
from local.function_names import ARCHIVE, CONSUMER

if TYPE_CHECKING:
    from local.faults.stream.fault import UpstreamFault
    from local.faults.timed.resharding import Reshard

_TWICE_SHARE, _KILLED_SHARE = 0.3, 0.15
"""Shares of the schedules in which raw objects are delivered twice, and in which the archive's process is killed."""

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
        consumers = 2 if rng.random() < 0.35 else 1  # noqa: PLR2004 - the share of runs with a second consumer
        return cls(
            seed=seed,
            updates=updates,
            seconds=seconds,
            token_interval=rng.uniform(0.15, 0.4),
            consumers=consumers,
            batch_size=rng.choice((50, 200, 2000)),
            batching_window=rng.choice((0, 0, 1)),
            upstream=(*stream.upstream_faults(rng, updates), *stream.refused_after_wrong_times(seed, updates)),
            aws=FaultPlan((*aws.rules(rng), *aws.hardships(seed), *archive.rules, *aws.live(seed)), seed),
            processes=(*timed.processes(rng, seconds, consumers), *archive.processes),
            record_format=record_format or _record_format(seed),
            reshards=tuple(timed.reshards(seed, seconds)),
            deliver_twice=archive.deliver_twice,
        )


def _record_format(seed: int) -> str:
    chance = random.Random(f"record format {seed}")  # its own, so that it changes nothing else of a seed
    return ENVELOPE if chance.random() < 1 / 3 else SINGLE


class _Archive:
    """What goes wrong with the raw objects and the archive: a separate draw, so that it changes nothing else."""

    def __init__(self, seed: int, seconds: float) -> None:
        rng = random.Random(f"archive {seed}")
        self.rules = [self._rule(rng) for _ in range(rng.randint(0, 3))]
        self.deliver_twice = rng.choice((0.5, 1.0)) if rng.random() < _TWICE_SHARE else 0.0
        killed = ProcessFault(kind=ProcessKind.KILLED, function=ARCHIVE, at=rng.uniform(0, seconds))
        self.processes = (killed,) if rng.random() < _KILLED_SHARE else ()

    @staticmethod
    def _rule(rng: random.Random) -> FaultRule:
        operation, first = rng.choice(_ARCHIVE_AWS)
        fault = Fault(kind=rng.choice((*aws.REFUSALS, *aws.DELAYS)), seconds=rng.uniform(0.05, 0.8))
        calls = frozenset(rng.sample(range(1, first + 1), min(first, rng.choice((2, 4, 8)))))
        return FaultRule(service="s3", operation=operation, caller=ARCHIVE, fault=fault, calls=calls)
