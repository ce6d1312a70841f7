"""The three hot loops, one module each with a `make` function; only public functions are called, wired as deployed."""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    type Pass = Callable[[], int]
    """Goes through a workload once, and returns how many updates that were."""

    type Make = Callable[[Path, str], Pass]
    """Prepares a pass through the workload in a folder; the text is the address of the stream."""

UPDATES = 2_000
"""Of a pass: as many as a batch of the aggregator holds."""

LINES, EVENT = "stream", "event.json"
"""Files of the folder: the stream's lines (`.ndjson`), and an event with the state of a window's middle."""


def names() -> list[str]:
    """Return the names of the loops."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def load(name: str) -> Make:
    """Return what makes a loop's passes, by name."""
    make: Make = importlib.import_module(f"{__name__}.{name}").make
    return make
