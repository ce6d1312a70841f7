"""The machine under the benchmarks: which cores are whose, what CPU time went by, what it is."""

from __future__ import annotations

import os
import platform
import resource
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def cores() -> tuple[set[int], set[int]]:
    """Return the cores for servers and those for what is measured; the same ones where there is only one."""
    available = sorted(os.sched_getaffinity(0))
    return {available[0]}, {available[-1]}


@dataclass(slots=True)
class Spent:
    """CPU seconds, user and system together."""

    seconds: float = 0.0


@contextmanager
def cpu_time(who: int = resource.RUSAGE_SELF) -> Iterator[Spent]:
    """Measure the CPU time of this process, all of its threads, within the block."""
    spent = Spent()
    begun = cpu_seconds(who)
    yield spent
    spent.seconds = cpu_seconds(who) - begun


def cpu_seconds(who: int = resource.RUSAGE_SELF) -> float:
    """Return the CPU time that this process has used so far, user and system together."""
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


def peak_memory() -> int:
    """Return this process's largest resident set so far, in bytes.

    Not `ru_maxrss`, which a process inherits from the one that started it.
    """
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024  # Linux counts in KiB


def describe() -> str:
    """Return the machine in a line: processor, cores, system, Python."""
    model = platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = names[0].partition(":")[2].strip() if names else model
    return f"{os.cpu_count()} x {model}, Linux {platform.release()}, Python {platform.python_version()}"
