"""What is measured by itself, without a peer: one module each, named as in the results, with a `measure` function."""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.harness.workspace import Workspace

    type Measure = Callable[[Workspace, Callable[[str], None]], dict[str, Any]]


CLOCKED = {
    "consumer_memory": "memory_seconds",
    "growth": "growth_seconds",
    "live_freshness": "freshness_seconds",
    "live_latency": "latency_seconds",
    "memory_sizes": "growth_seconds",
}
"""The measurements that run by the clock, each with the field of `Sizes` that says for how many seconds."""


def names() -> list[str]:
    """Return the names of all measurements."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def load(name: str) -> Measure:
    """Return a measurement by name."""
    measure: Measure = importlib.import_module(f"{__name__}.{name}").measure
    return measure
