"""What the consumer adds to an update's age: from the server's socket to the PutRecords call, at 50 a second."""

from __future__ import annotations

from statistics import quantiles
from typing import TYPE_CHECKING, Any

from benchmarks.harness import live

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.harness.workspace import Workspace

RATE, AIRCRAFT = 50, 300
"""A large region."""

_PREFIX = len(b'{"target":')


def measure(workspace: Workspace, said: Callable[[str], None]) -> dict[str, Any]:
    """Return the median, the 99th percentile and the largest, in milliseconds, beside the configured flush time."""
    pace = live.Pace(RATE, AIRCRAFT, workspace.sizes.latency_seconds)
    said(f"{RATE} updates a second for {pace.seconds:g} s")
    recorded = live.run(workspace, pace, keep=True)
    lines = recorded.lines.read_text(encoding="utf-8").splitlines()
    arrived = {update: at for at, updates in recorded.calls for update in updates}
    added = [(arrived[line[_PREFIX:-1]] - sent) * 1000 for line, sent in zip(lines, recorded.sent, strict=True)]
    flush_ms = recorded.run["flush_seconds"] * 1000
    percentiles = quantiles(added, n=100)
    return {
        "rate": RATE,
        "updates": len(added),
        "p50_ms": percentiles[49],
        "p99_ms": percentiles[98],
        "max_ms": max(added),
        "flush_ms": flush_ms,
        "target_p99_ms": flush_ms + 20,
    }
