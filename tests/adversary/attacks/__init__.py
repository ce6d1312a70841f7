"""The kinds of attack: each module here adds its own to the register when it is imported."""

from tests.adversary.attacks import (
    answers,
    checkpoints,
    clocks,
    gaps,
    hostile_snapshots,
    live_data,
    live_windows,
    memory,
    odd_updates,
    records,
    redrives,
    refusals,
    slowness,
    streams,
    throttling,
    transport,
)
from tests.adversary.attacks.register import KINDS, Kind, drawn

__all__ = [
    "KINDS",
    "Kind",
    "answers",
    "checkpoints",
    "clocks",
    "drawn",
    "gaps",
    "hostile_snapshots",
    "live_data",
    "live_windows",
    "memory",
    "odd_updates",
    "records",
    "redrives",
    "refusals",
    "slowness",
    "streams",
    "throttling",
    "transport",
]
