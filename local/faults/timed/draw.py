"""Draws what happens at some second of a fault schedule: killed and frozen processes, shards that change."""

from __future__ import annotations

import random

from local.faults.timed.processes import ProcessFault, ProcessKind
from local.faults.timed.resharding import Reshard, ReshardKind
from local.faults.waits import LEASE_SECONDS
from local.function_names import AGGREGATOR, ALERTS, CONSUMER


def processes(rng: random.Random, seconds: float, consumers: int) -> list[ProcessFault]:
    """Draw what happens to the functions' processes: in a third of the schedules nothing."""
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


def reshards(seed: int, seconds: float) -> list[Reshard]:
    """Draw splits and merges. A separate draw, so that it changes nothing else of a seed."""
    rng = random.Random(f"reshards {seed}")
    if rng.random() < 0.6:  # noqa: PLR2004 - the share of schedules in which the shards stay as they are
        return []
    kinds = rng.choices(list(ReshardKind), k=rng.randint(1, 4))
    return [Reshard(kind=kind, at=rng.uniform(0, seconds), which=rng.random(), where=rng.random()) for kind in kinds]
