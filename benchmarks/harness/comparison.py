"""Runs comparisons: the sides in turns, each in a fresh process, and the median of each."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.harness import processes
from benchmarks.harness.processes import BenchmarkError

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.harness.case import Comparison
    from benchmarks.harness.workspace import Workspace


def compare(comparison: Comparison, workspace: Workspace, said: Callable[[str], None]) -> dict[str, Any]:
    """Return a comparison's figures: CPU seconds a run, and how many times faster ours is.

    The first workload's stand at the top, another's under its name. Other sides than ours and the peer stand under
    `others`.

    Raises
    ------
    BenchmarkError
        A side failed, or handled another number of updates than there were.
    """
    workloads = [name for name in comparison.workloads if name in workspace.workloads()]
    if not workspace.sizes.thorough:
        workloads = workloads[:1]
    figures = {name: _compare(comparison, workspace, name, said) for name in workloads}
    first, *others = workloads
    return figures[first] | {name: figures[name] for name in others}


def _compare(
    comparison: Comparison, workspace: Workspace, workload: str, said: Callable[[str], None]
) -> dict[str, Any]:
    names = list(comparison.sides) if workspace.sizes.thorough else ["ours", "peer"]
    seconds: dict[str, list[float]] = {name: [] for name in names}
    updates = 0
    with comparison.setting(workspace, workload) as params:
        for run in range(workspace.sizes.runs):
            # Whatever else the machine is doing, it does to all sides; and none is always the first.
            for name in names if run % 2 == 0 else reversed(names):
                said(f"{workload}, run {run + 1} of {workspace.sizes.runs}: {name}")
                measured = processes.side(comparison.sides[name], params | {"run": f"{name}-{run}"})
                updates = measured["updates"]
                if updates != params["updates"]:
                    raise BenchmarkError(f"{name} handled {updates} updates; expected {params['updates']}")
                seconds[name].append(measured["seconds"])
    medians = {name: median(values) for name, values in seconds.items()}
    figures: dict[str, Any] = {
        "ours": medians.pop("ours"),
        "peer": medians.pop("peer"),
        "runs": workspace.sizes.runs,
        "updates": updates,
        "target": comparison.target,
        "spread": _spread(seconds["ours"]),
    }
    figures["ratio"] = figures["peer"] / figures["ours"]
    return figures | ({"others": medians} if medians else {})


def _spread(values: list[float]) -> float:
    """Return how far apart the runs lie: largest minus smallest, as a share of the median."""
    return (max(values) - min(values)) / median(values)
