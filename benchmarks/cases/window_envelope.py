"""The window handler on envelopes: whole invocations, with the state of 5,000 aircraft; the peer reads single records.

There is no usual handler of envelopes. The peer is the usual one of single records, with the same updates, in the
batches in which single records come.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from benchmarks.cases.window import AIRCRAFT, BATCH, BATCH_SECONDS, RATE, SIDES
from benchmarks.harness import processes
from benchmarks.harness.case import Comparison
from benchmarks.inputs import events

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.harness.workspace import Workspace

ENVELOPE = 219
"""Updates in an envelope of 25 KB, up to which PutRecords bills one unit."""

ENVELOPES_BATCH = RATE * BATCH_SECONDS
"""Updates of a batching window: 19 envelopes. Of single records, BatchSize ends the batch before."""

BUILT, MEASURED = 28_000, 20_000
QUICKLY_BUILT, QUICKLY_MEASURED = 8_000, 8_000
"""Updates that build the state, and updates that are measured: whole batches of either size. As with single records,
half a window's are built of, or the least after which every aircraft is in the state."""


@contextmanager
def setting(workspace: Workspace, workload: str) -> Iterator[dict[str, Any]]:  # noqa: ARG001 - there is only one
    """Write the events of the same updates twice: in envelopes, and as single records for the peer."""
    built, measured = (BUILT, MEASURED) if workspace.sizes.thorough else (QUICKLY_BUILT, QUICKLY_MEASURED)
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
