"""What a benchmark is: two ways to do one job, and the setting in which both do it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from benchmarks.harness.workspace import Workspace

type Setting = Callable[[Workspace, str], AbstractContextManager[dict[str, Any]]]
"""Starts what both sides need for a workload, such as servers; gives the sides' parameters, all of them JSON."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a side took: CPU seconds of the measured part, all threads, and how many updates it handled."""

    seconds: float
    updates: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """Ours beside its peer.

    `sides` holds `ours`, `peer`, and whatever else is worth a figure, each as `module:function` of what is run in a
    process of its own with the setting's parameters and returns a `Measured`. Its updates must equal the parameter
    `updates`, so that no side is fast by leaving something out. `target` is how many times faster ours should be.
    """

    what: str
    target: float
    setting: Setting
    sides: Mapping[str, str]
    workloads: tuple[str, ...] = ("generated",)
