"""The window handler on envelopes: whole invocations, with the state of 5,000 aircraft; the peer reads single records.

There is no usual handler of envelopes. The peer is the usual one of single records, with the same updates, in the
batches in which single records come.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from benchmarks.cases.window import AIRCRAFT, BATCH, BUILT_BY, RATE, SIDES
from benchmarks.harness import processes
from benchmarks.harness.case import Comparison
from benchmarks.inputs import events

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.harness.workspace import Workspace

ENVELOPE = 219
"""Updates in an envelope of 25 KB, up to which PutRecords bills one unit."""

ENVELOPES_BATCH = RATE * 5
"""Updates of a batching window of 5 s (template): 23 envelopes. Of single records, BatchSize ends the batch before."""

STEP = 10_000
"""Both sides build the state from a multiple of these and are measured on one: whole batches of either size."""


@contextmanager
def setting(workspace: Workspace, workload: str) -> Iterator[dict[str, Any]]:  # noqa: ARG001 - there is only one
    """Write the events of the same updates twice: in envelopes, and as single records for the peer."""
    built = BUILT_BY * BATCH if workspace.sizes.thorough else STEP
    measured = 2 * STEP if workspace.sizes.thorough else STEP
    lines = workspace.traffic("envelopes", RATE, AIRCRAFT, built + measured)
    single, path = workspace.folder / "window_envelope.single", workspace.folder / "window_envelope.events"
    events.write(lines.read_bytes().split(b"\n"), single, BATCH)
    processes.side(
        "benchmarks.sides.window:write_envelopes",
        {"lines": str(lines), "target": str(path), "batch": ENVELOPES_BATCH, "envelope": ENVELOPE},
    )
    yield {
        "events": str(path),
        "built_by": built // ENVELOPES_BATCH,
        "updates": measured,
        "environment": {"WINDOW_ROWS_STREAM_NAME": "rows", "AIRCRAFT_TABLE_NAME": "aircraft"},
        "peer": {"events": str(single), "built_by": built // BATCH},
    }


COMPARISONS = {
    "window_envelope": Comparison(
        what="The window handler, envelopes; the peer the same updates as single records",
        target=7,
        setting=setting,
        sides=SIDES,
    )
}
