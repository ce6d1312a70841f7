"""Measures work in a process of its own: CPU, memory, and the disk that it takes meanwhile."""

from __future__ import annotations

import multiprocessing
import shutil
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.harness.machine import cpu_seconds, peak_memory

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_LINE_SECONDS = 10.0
"""Between two lines that say what is at work."""

_LOOK_SECONDS = 0.5
_BLOCK_BYTES = 512
"""Of `st_blocks`, whatever the file system's own blocks are."""


class Cost(NamedTuple):
    """What a piece of work took."""

    cpu_seconds: float
    """Of all threads, user and system."""
    most_resident_mb: int
    """Of the whole process, its imports too."""
    most_disk_mb: int
    """In its folder, looked at twice a second."""


def measured[Result](what: str, work: Callable[..., Result], scratch: Path, *given: Any) -> tuple[Result, Cost]:
    """Call `work` with the empty folder `scratch` and whatever is given, in a fresh process; return what came of it.

    `work` is a function of a module. What is at work is said on standard error, as `what`.
    """
    begun = time.monotonic()
    scratch.mkdir()
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        future = process.submit(_measured, work, scratch, given)
        say(f"{what}: begins")
        while True:
            try:
                result = future.result(_LINE_SECONDS)
                break
            except TimeoutError:
                say(f"{what}: {time.monotonic() - begun:.0f} s so far")
    shutil.rmtree(scratch)
    return result


def say(text: str) -> None:
    """Write a line on standard error."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def _measured(work: Callable[..., Any], scratch: Path, given: tuple[Any, ...]) -> tuple[Any, Cost]:
    disk = _Disk(scratch)
    begun = cpu_seconds()
    disk.start()
    try:
        result = work(scratch, *given)
    finally:
        disk.stop()
    return result, Cost(cpu_seconds() - begun, peak_memory() // 2**20, round(disk.most / 1e6))


class _Disk(threading.Thread):
    """Looks how many bytes a folder takes, and keeps the most."""

    def __init__(self, folder: Path) -> None:
        super().__init__(daemon=True)
        self.most = 0
        self._folder = folder
        self._stopped = threading.Event()

    def run(self) -> None:
        while not self._stopped.wait(_LOOK_SECONDS):
            taken = 0
            for path in self._folder.rglob("*"):
                try:
                    taken += path.stat().st_blocks * _BLOCK_BYTES
                except FileNotFoundError:
                    continue  # DuckDB has removed it
            self.most = max(self.most, taken)

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()
        self.join()
