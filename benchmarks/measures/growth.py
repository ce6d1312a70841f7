"""How the cost of an update grows with the rate and with the number of aircraft."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.cases.window import BATCH, BATCH_SECONDS
from benchmarks.harness import live, processes
from benchmarks.inputs import events

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.harness.workspace import Workspace

PACES = (
    ("1x", 50, 300),
    ("10x the rate", 500, 3_000),
    ("100x the rate", 5_000, 29_000),
    ("10x the aircraft", 50, 3_000),
)
"""Name, updates a second, aircraft. No aircraft sends more than every 5 s, so a larger rate needs more of them."""

SHARD_RATE = 1_000
"""Records a second that a shard takes: beyond it there are more shards, each with its share of the aircraft."""

WARM_BATCHES, BATCHES = 6, 4
"""Half a minute of a window builds the state, what comes then is measured."""


def measure(workspace: Workspace, said: Callable[[str], None]) -> dict[str, Any]:
    """Return microseconds of CPU an update, in the consumer and in the aggregator, at each pace."""
    rows = []
    for name, rate, aircraft in PACES:
        said(f"{name}: {rate} updates a second, {aircraft} aircraft")
        recorded = live.run(workspace, live.Pace(rate, aircraft, workspace.sizes.growth_seconds))
        consumer = recorded.run["steady_share"] / rate * 1e6
        rows.append(
            {
                "pace": name,
                "updates_per_second": rate,
                "aircraft": aircraft,
                "consumer_us": consumer,
                "aggregator_us": _aggregator(workspace, rate, aircraft),
            }
        )
    return {"rows": rows}


def _aggregator(workspace: Workspace, rate: float, aircraft: int) -> float:
    shards = max(1, round(rate / SHARD_RATE))
    rate, aircraft = rate / shards, aircraft // shards
    batch = min(int(rate * BATCH_SECONDS), BATCH)
    name = f"window-{rate:g}-{aircraft}"
    warm = round(WARM_BATCHES * rate * BATCH_SECONDS / batch)
    lines = workspace.traffic(name, aircraft / 5, aircraft, (warm + BATCHES) * batch).read_bytes().split(b"\n")
    path = workspace.folder / f"{name}.events"
    events.write(lines, path, batch)
    params = {
        "events": str(path),
        "built_by": warm,
        "updates": BATCHES * batch,
        "environment": {"WINDOW_ROWS_STREAM_NAME": "rows", "AIRCRAFT_TABLE_NAME": "aircraft"},
    }
    measured = processes.side("benchmarks.sides.window:ours", params)
    return float(measured["seconds"] / measured["updates"] * 1e6)
