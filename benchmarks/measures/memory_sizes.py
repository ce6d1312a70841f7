"""Which memory size each function should have: what it takes in CPU and memory, and what that makes of each size.

The CPU time is measured here, and the durations are calculated from it (`benchmarks/cost/lambda_sizes.py`): nothing of
this ran in Lambda.
"""

from __future__ import annotations

import json
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks import cases
from benchmarks.cost import lambda_sizes
from benchmarks.cost.lambda_sizes import SIZES_MB
from benchmarks.cost.model import WINDOW_SECONDS
from benchmarks.cost.prices import SECONDS
from benchmarks.harness import live, processes
from benchmarks.harness.workspace import ROOT
from benchmarks.inputs import events

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from benchmarks.harness.workspace import Workspace

PACES = ((50, 300), (4_000, 20_000))
"""Updates a second and aircraft of a live stream: a large region, and the whole world."""

MANY = 100_000
"""Updates a second of 25 worlds: calculated from the cost of an update when there is no end of them."""

WINDOW = (1_000, 5_000)
"""Updates a second and aircraft of a full shard."""

BATCH, BUILT_BY, BATCHES = 2_000, 15, 4
"""Updates of the aggregator's batches, how many build the window's state, and how many are measured."""

BATCHES_A_WINDOW = WINDOW_SECONDS * WINDOW[0] / BATCH

ALERTS = 100
"""Updates of a full batch of the alerts function, if all of them were emergencies."""

_MB = 1e6


MOST_SHARE = 1 / 3
"""Of the consumer's CPU, at the whole world's rate: Lambda's processors may take twice as long as the one that was
measured, and then it still has to catch up after an outage."""

MOST_CLOSING_SECONDS = 10.0
"""For the end of a full shard's window of a minute, during which the shard waits."""

MOST_START_SECONDS = 1.5
"""Of the alerts function: what a first alert waits for."""


def measure(workspace: Workspace, said: Callable[[str], None]) -> dict[str, Any]:
    """Return what was measured, a table for each function, and the smallest size of each that is enough.

    It is enough if it holds twice the memory that was used, and meets this module's bounds.
    """
    said("consumer")
    consumer = _consumer(workspace)
    said("aggregator")
    aggregator = _aggregator(workspace)
    said("alerts")
    alerts = _alerts(workspace)
    tables = {
        "consumer": [_consumer_row(size, consumer) for size in SIZES_MB],
        "aggregator": [_aggregator_row(size, aggregator) for size in SIZES_MB],
        "alerts": [_alerts_row(size, alerts) for size in SIZES_MB],
    }
    return {
        "measured": {"consumer": consumer, "aggregator": aggregator, "alerts": alerts},
        "tables": tables,
        "enough": {
            name: next((row["memory_mb"] for row in rows if row["enough"]), None) for name, rows in tables.items()
        },
    }


def _consumer(workspace: Workspace) -> dict[str, float]:
    """Return CPU seconds of a start, of a second of live stream, and of an update in bulk; and memory in MB."""
    start = _start(workspace, "consumer", (ROOT / "events" / "consumer.json").read_text(encoding="utf-8"))
    shares, peaks = {}, []
    for rate, aircraft in PACES:
        recorded = live.run(workspace, live.Pace(rate, aircraft, workspace.sizes.growth_seconds))
        shares[rate] = recorded.run["steady_share"]
        peaks.append(recorded.run["peak"])
    case = cases.load("publish_single")
    with case.setting(workspace, "generated") as params:
        seconds = [
            processes.side(case.sides["ours"], params | {"run": f"sizes-{run}"})["seconds"]
            for run in range(workspace.sizes.runs)
        ]
    return {
        "start": start,
        **{f"live_{rate}": share for rate, share in shares.items()},
        "bulk": median(seconds) / params["updates"],
        "peak_mb": max(peaks) / _MB,
    }


def _aggregator(workspace: Workspace) -> dict[str, float]:
    """Return CPU seconds of a start with a batch, of a batch, and of a window's end; and memory in MB."""
    lines = workspace.traffic("sizes", *WINDOW, (BUILT_BY + BATCHES) * BATCH).read_bytes().split(b"\n")
    path = workspace.folder / "sizes.events"
    events.write(lines, path, BATCH)
    batches = path.read_text(encoding="utf-8").splitlines()
    last = json.dumps(json.loads(batches[0]) | {"Records": [], "isFinalInvokeForWindow": True})
    found = _invocations(workspace, "aggregator", [*batches, last])
    return {
        "start": _start(workspace, "aggregator", batches[0]),
        "batch": median(found["seconds"][BUILT_BY:-1]),
        "closing": found["seconds"][-1],
        "peak_mb": max(found["memory"]) / _MB,
    }


def _alerts(workspace: Workspace) -> dict[str, float]:
    """Return CPU seconds of a start with two alerts, of two alerts, and of a batch full of them; and memory in MB."""
    event = json.loads((ROOT / "events" / "alerts.json").read_text(encoding="utf-8"))
    sample = json.dumps(event)
    records = event["Records"]
    full = json.dumps(event | {"Records": [records[place % len(records)] for place in range(ALERTS)]})
    found = _invocations(workspace, "alerts", [sample, sample, sample, full, full, full])
    return {
        "start": _start(workspace, "alerts", sample),
        "batch": median(found["seconds"][1:3]),
        "full": median(found["seconds"][3:]),
        "peak_mb": max(found["memory"]) / _MB,
    }


def _start(workspace: Workspace, function: str, text: str) -> float:
    runs = range(workspace.sizes.runs)
    return float(median(_invocations(workspace, function, [text])["seconds"][0] for _ in runs))


def _invocations(workspace: Workspace, function: str, texts: list[str]) -> dict[str, Any]:
    path: Path = workspace.folder / f"{function}.invocations"
    path.write_text("\n".join(" ".join(text.splitlines()) for text in texts), encoding="utf-8")
    with cases.load(f"cold_{function}").setting(workspace, "generated") as params:
        return processes.side("benchmarks.sides.invocations:run", params | {"events": str(path)})


def _consumer_row(size: int, measured: dict[str, float]) -> dict[str, Any]:
    cpus = lambda_sizes.cpus(size)
    share = measured[f"live_{PACES[-1][0]}"] / cpus
    return {
        "memory_mb": size,
        "enough": lambda_sizes.holds(size, measured["peak_mb"] * _MB) and share <= MOST_SHARE,
        "start_s": measured["start"] / cpus,
        **{f"share_at_{rate}": measured[f"live_{rate}"] / cpus for rate, _ in PACES},
        f"share_at_{MANY}": measured["bulk"] * MANY / cpus,
        "most_updates_per_s": cpus / measured["bulk"],
        "dollars_a_month": lambda_sizes.around_the_clock(size),
    }


def _aggregator_row(size: int, measured: dict[str, float]) -> dict[str, Any]:
    batch, dollars_a_batch = lambda_sizes.invocation(size, measured["batch"])
    closing, dollars_a_closing = lambda_sizes.invocation(size, measured["closing"])
    dollars_a_window = (BATCHES_A_WINDOW * dollars_a_batch + dollars_a_closing) / 1e6
    return {
        "memory_mb": size,
        "enough": lambda_sizes.holds(size, measured["peak_mb"] * _MB) and closing <= MOST_CLOSING_SECONDS,
        "start_s": measured["start"] / lambda_sizes.cpus(size),
        "batch_s": batch,
        "closing_s": closing,
        "dollars_a_month": dollars_a_window * SECONDS / WINDOW_SECONDS,
    }


def _alerts_row(size: int, measured: dict[str, float]) -> dict[str, Any]:
    batch, dollars = lambda_sizes.invocation(size, measured["batch"])
    start = measured["start"] / lambda_sizes.cpus(size)
    return {
        "memory_mb": size,
        "enough": lambda_sizes.holds(size, measured["peak_mb"] * _MB) and start <= MOST_START_SECONDS,
        "start_s": start,
        "two_alerts_s": batch,
        "full_batch_s": measured["full"] / lambda_sizes.cpus(size),
        "dollars_a_million_batches": dollars,
    }
