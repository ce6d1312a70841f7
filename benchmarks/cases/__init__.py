"""The comparisons, by the names that the results have; `COMPARISONS` in each module says what is compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.cases import cold, stream, window, window_envelope

if TYPE_CHECKING:
    from benchmarks.harness.case import Comparison

COMPARISONS: dict[str, Comparison] = {
    **cold.COMPARISONS,
    **stream.COMPARISONS,
    **window.COMPARISONS,
    **window_envelope.COMPARISONS,
}


def names() -> list[str]:
    """Return the names of all comparisons."""
    return sorted(COMPARISONS)


def load(name: str) -> Comparison:
    """Return a comparison by name."""
    return COMPARISONS[name]
