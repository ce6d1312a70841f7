"""How long the API takes to answer for a bounding box when it is warm, over the live objects of the whole world."""

from __future__ import annotations

from statistics import median, quantiles
from typing import TYPE_CHECKING, Any

from benchmarks import cases
from benchmarks.harness import processes
from benchmarks.harness.processes import BenchmarkError

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.harness.workspace import Workspace

AIRCRAFT, SHARDS, REQUESTS = 12_000, 2, 500
_UPDATES_EACH = 3
"""After so many for each aircraft nearly every one is there."""
_START_MS = 1_709_510_400_000
_TARGET_P99_MS = 15.0


def measure(workspace: Workspace, said: Callable[[str], None]) -> dict[str, Any]:
    """Return the median and the 99th percentile in milliseconds, and the median of CPU time."""
    lines = workspace.traffic("api", AIRCRAFT / 5, AIRCRAFT, _UPDATES_EACH * AIRCRAFT)
    with cases.load("cold_api").setting(workspace, "generated") as params:
        bucket = params["checkpoint"].rpartition("/state/")[0] + "/data"
        said(f"writing the live objects of {AIRCRAFT} aircraft")
        wanted = {"lines": str(lines), "url": bucket, "shards": SHARDS, "start": _START_MS}
        aircraft = processes.side("benchmarks.sides.live_objects:put", wanted)["updates"]
        said(f"asking for {REQUESTS} bounding boxes")
        found = processes.side("benchmarks.sides.api:ask", params | {"requests": REQUESTS})
    if not found["targets"]:
        raise BenchmarkError(f"no aircraft in any of {REQUESTS} boxes, of {aircraft} that were written")
    percentiles = quantiles(found["seconds"], n=100)
    return {
        "aircraft": aircraft,
        "requests": REQUESTS,
        "aircraft_an_answer": found["targets"] / REQUESTS,
        "p50_ms": percentiles[49] * 1e3,
        "p99_ms": percentiles[98] * 1e3,
        "cpu_ms": median(found["cpu_seconds"]) * 1e3,
        "target_p99_ms": _TARGET_P99_MS,
    }
