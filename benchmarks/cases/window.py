"""The window handler on single records: whole invocations, with the state of 5,000 aircraft."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from benchmarks.harness.case import Comparison
from benchmarks.inputs import events

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.harness.workspace import Workspace

AIRCRAFT, RATE = 5_000, 1_000
"""What a full shard takes (1,000 records a second), where each aircraft sends every 5 s."""

BATCH, BATCH_SECONDS = 2_000, 4
"""BatchSize and MaximumBatchingWindowInSeconds of the template."""

BUILT_BY, QUICKLY_BUILT_BY = 15, 3
"""Batches that build the state: half a window's. Measured is what comes then, so the state is a window's middle one.
Three are the fewest after which every aircraft is in it."""


@contextmanager
def setting(workspace: Workspace, workload: str) -> Iterator[dict[str, Any]]:  # noqa: ARG001 - there is only one
    """Write the events."""
    measured = min(10, max(2, workspace.sizes.updates // BATCH // 4))
    built_by = BUILT_BY if workspace.sizes.thorough else QUICKLY_BUILT_BY
    updates = (built_by + measured) * BATCH
    lines = workspace.traffic("shard", RATE, AIRCRAFT, updates).read_bytes().split(b"\n")
    path = workspace.folder / "window_single.events"
    events.write(lines, path, BATCH)
    yield {
        "events": str(path),
        "built_by": built_by,
        "updates": measured * BATCH,
        "environment": {"WINDOW_ROWS_STREAM_NAME": "rows", "AIRCRAFT_TABLE_NAME": "aircraft"},
    }


SIDES = {"ours": "benchmarks.sides.window:ours", "peer": "benchmarks.sides.window:peer"}

COMPARISONS = {
    "window_single": Comparison(
        what="The window handler, single records: whole invocations, 5,000 aircraft in the state",
        target=4,
        setting=setting,
        sides=SIDES,
    )
}
