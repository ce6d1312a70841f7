"""What a snapshot of a full shard's aircraft takes to write, of the aggregator's columns, and how large it is."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.harness import processes

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.harness.workspace import Workspace

AIRCRAFT, SHARDS, RUNS = 6_000, 1, 100
_UPDATES_EACH = 6
_START_MS = 1_709_510_400_000
_TARGET_MS = 15.0


def measure(workspace: Workspace, said: Callable[[str], None]) -> dict[str, Any]:
    """Return the median and the least CPU time in milliseconds, and bytes an aircraft."""
    lines = workspace.traffic("snapshot", AIRCRAFT / 5, AIRCRAFT, _UPDATES_EACH * AIRCRAFT)
    said(f"writing {RUNS} snapshots of {AIRCRAFT} aircraft")
    params = {"lines": str(lines), "aircraft": AIRCRAFT, "shards": SHARDS, "start": _START_MS, "runs": RUNS}
    found = processes.side("benchmarks.sides.live_objects:write_snapshots", params)
    return {
        "aircraft": AIRCRAFT,
        "cpu_ms": median(found["seconds"]) * 1e3,
        "least_cpu_ms": min(found["seconds"]) * 1e3,
        "bytes_an_aircraft": found["size"] / AIRCRAFT,
        "target_ms": _TARGET_MS,
    }
