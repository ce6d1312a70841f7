"""The comparisons, one module each, named as in the results; `COMPARISON` in it says what is compared."""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.harness.case import Comparison


def names() -> list[str]:
    """Return the names of all comparisons."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def load(name: str) -> Comparison:
    """Return a comparison by name."""
    comparison: Comparison = importlib.import_module(f"{__name__}.{name}").COMPARISON
    return comparison
