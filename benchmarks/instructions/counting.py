"""Counts a loop's instructions under valgrind: those of a second pass, when start and first uses lie behind."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from benchmarks.harness import processes
from benchmarks.harness.processes import BenchmarkError
from benchmarks.harness.workspace import QUICK, ROOT, Workspace
from benchmarks.inputs import bodies, events
from benchmarks.instructions import beginning
from benchmarks.instructions.loops import EVENT, LINES, UPDATES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WINDOW = (1_000, 5_000)
"""Updates a second and aircraft: a full shard, where each aircraft sends every 5 s. After three batches every one of
them is in the state."""

STREAM = (200, 1_000)
"""Of the stream: each aircraft comes twice, so that one update in two has to wait for the one before it."""

_BUILT_BY = 3
_COLLECTED = re.compile(r"Collected : (\d+)")


def has_valgrind() -> bool:
    """Return whether there is a valgrind to count with."""
    return shutil.which("valgrind") is not None


@contextmanager
def workloads(folder: Path) -> Iterator[str]:
    """Write the loops' workloads into the folder; give the address of the stream that one of them reads."""
    workspace = Workspace(folder, QUICK)
    stream = workspace.traffic(LINES, *STREAM, UPDATES).read_bytes().split(b"\n")
    bodies.write(bodies.make(stream, flush_lines=False, compress=True), folder / "body")
    window = workspace.traffic("window", *WINDOW, (_BUILT_BY + 1) * UPDATES).read_bytes().split(b"\n")
    events.write(window, folder / "events", UPDATES)
    params = {
        "events": str(folder / "events"),
        "target": str(folder / EVENT),
        "environment": {"WINDOW_ROWS_STREAM_NAME": "rows", "AIRCRAFT_TABLE_NAME": "aircraft"},
    }
    processes.side("benchmarks.sides.window:last_event", params)
    with processes.server("feed", str(folder / "body"), "gzip") as url:
        yield url


def count(name: str, folder: Path, url: str) -> float:
    """Return the instructions that a loop takes for an update.

    Raises
    ------
    BenchmarkError
        There is no valgrind, or the loop failed under it.
    """
    if not has_valgrind():
        raise BenchmarkError("valgrind is not installed; expected it for counting: apt-get install valgrind")
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *beginning.options()]
    command += [sys.executable, "-m", "benchmarks.instructions.loop", name, str(folder), url]
    environment = {
        **os.environ,
        **processes.ENVIRONMENT,  # a fixed hash seed, among others: the order of sets must not differ
        "WINDOW_ROWS_STREAM_NAME": "rows",
        "AIRCRAFT_TABLE_NAME": "aircraft",
    }
    done = subprocess.run(  # noqa: S603 - our own command
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    counted = _COLLECTED.search(done.stderr)
    if done.returncode or counted is None:
        raise BenchmarkError(f"{' '.join(command)}: ended with {done.returncode}: {done.stderr[-2000:]}")
    return int(counted[1]) / UPDATES
