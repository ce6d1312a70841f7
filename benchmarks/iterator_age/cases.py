"""The loads that the simulation of `ops plan` is held to, and where the ages that were measured of them are kept."""

from __future__ import annotations

from pathlib import Path

from ops.plan.simulation import Function, Mapping, Traffic

RECORDED = Path(__file__).resolve().parents[2] / "ops" / "plan" / "recorded.json"
SECONDS = 24.0
CASES: dict[str, tuple[Mapping, Traffic, Function]] = {
    "keeps up": (
        Mapping(batch_size=100),
        Traffic(records=300, bytes=100, readers=0),
        Function(invocation=0.05, record=0.0005),
    ),
    "falls behind": (
        Mapping(batch_size=10),
        Traffic(records=100, bytes=100, readers=0),
        Function(invocation=0.15, record=0.0),
    ),
    "four lanes": (
        Mapping(batch_size=25, parallelization=4),
        Traffic(records=300, bytes=100, readers=0),
        Function(invocation=0.25, record=0.001),
    ),
    "tumbling window": (
        Mapping(batch_size=200, batching_window=3, tumbling_window=6),
        Traffic(records=150, bytes=100, readers=0),
        Function(invocation=0.3, record=0.0005),
    ),
    "two lanes that fall behind": (
        Mapping(batch_size=20, parallelization=2),
        Traffic(records=200, bytes=100, readers=0),
        Function(invocation=0.25, record=0.001),
    ),
}
"""By name: settings, what comes to the shard, and the function."""
