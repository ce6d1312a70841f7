"""The consumer's memory over a run at 10,000 updates a second, two and a half times the whole world's rate."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.harness import live

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.harness.workspace import Workspace

RATE, AIRCRAFT = 10_000, 29_000
_MEGABYTE = 1e6
_TARGET_MB = 100


def measure(workspace: Workspace, said: Callable[[str], None]) -> dict[str, Any]:
    """Return the peak in MB, and the medians of the second quarter and of the last: flat is when these are the same."""
    pace = live.Pace(RATE, AIRCRAFT, workspace.sizes.memory_seconds)
    said(f"{RATE} updates a second for {pace.seconds:g} s")
    recorded = live.run(workspace, pace)
    samples = recorded.run["memory"]
    quarter = max(1, len(samples) // 4)
    return {
        "rate": RATE,
        "seconds": pace.seconds,
        "updates": recorded.run["updates"],
        "peak_mb": max(recorded.run["peak"], *samples) / _MEGABYTE,  # the kernel counts either a little late
        "early_mb": median(samples[quarter : 2 * quarter] or samples) / _MEGABYTE,
        "late_mb": median(samples[-quarter:]) / _MEGABYTE,
        "target_peak_mb": _TARGET_MB,
        "cpu_share": recorded.run["steady_share"],
    }
