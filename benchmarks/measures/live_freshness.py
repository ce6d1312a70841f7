"""How old a position is when a viewer first sees it, since the provider received it: in both record formats.

The whole local stack runs with generated traffic at the pace of the clock, so that simulated time is the machine's, and
a viewer polls the live objects over HTTP (`benchmarks/sides/viewer.py`).
"""

from __future__ import annotations

import re
import subprocess
import sys
from statistics import quantiles
from typing import TYPE_CHECKING, Any

from benchmarks.harness import processes
from benchmarks.harness.processes import BenchmarkError
from benchmarks.harness.workspace import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.harness.workspace import Workspace

RATE, AIRCRAFT = 50, 300
"""A large region."""

WINDOW_SECONDS = 60
POLL_SECONDS = 1.0
_TARGET_P95 = 8.0
_WARMING_SECONDS = 20
"""Left out, until all functions have started: a cold start happens once in hours."""

_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/")


def measure(workspace: Workspace, said: Callable[[str], None]) -> dict[str, Any]:
    """Return the median and the 95th percentile, in seconds: of the slower format, and of each."""
    seconds = workspace.sizes.freshness_seconds
    found = {name: _of_format(name, seconds, said) for name in ("single", "envelope")}
    slower = max(found.values(), key=lambda one: one["p95_s"])
    return {
        "rate": RATE,
        "poll_s": POLL_SECONDS,
        "p50_s": slower["p50_s"],
        "p95_s": slower["p95_s"],
        "target_p95_s": _TARGET_P95,
        **found,
    }


def _of_format(record_format: str, seconds: float, said: Callable[[str], None]) -> dict[str, Any]:
    said(f"{record_format}: starting the local stack")
    command = [
        sys.executable,
        *("-m", "local", "--unlisted", "--rate", str(RATE), "--aircraft", str(AIRCRAFT), "--duration", "0"),
        *("--window", str(WINDOW_SECONDS), "--record-format", record_format),
    ]
    run = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)  # noqa: S603
    try:
        assert run.stdout is not None
        address = next((found[0] for line in run.stdout if (found := _ADDRESS.search(line))), None)
        if address is None:
            raise BenchmarkError(f"the local stack ended with {run.wait()} before it said an address")
        said(f"{record_format}: {RATE} updates a second for {seconds:g} s, once the functions are warm")
        params = {"url": address, "poll": POLL_SECONDS, "warming": _WARMING_SECONDS, "seconds": seconds}
        ages = processes.side("benchmarks.sides.viewer:watch", params)["ages"]
    finally:
        run.kill()  # its reaper ends the rest
        run.wait()
    if len(ages) < RATE:
        raise BenchmarkError(f"a viewer saw {len(ages)} positions; expected some {RATE * seconds:g}")
    percentiles = quantiles(ages, n=100)
    return {"positions": len(ages), "p50_s": percentiles[49], "p95_s": percentiles[94], "max_s": max(ages)}
