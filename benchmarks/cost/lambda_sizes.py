"""What a function's work takes and costs at each memory size, calculated from the CPU time it was measured to take.

Lambda gives a function CPU in proportion to its memory, and one vCPU at 1,769 MB (Lambda developer guide, Configure
Lambda function memory). So work of one second of CPU lasts 3.5 s at 512 MB, and costs the same at every size: what
differs is how long it takes. Time spent waiting for AWS is not in these figures; it costs more the larger the function
is. A start is calculated like all else, although Lambda may lend it more CPU.
"""

from __future__ import annotations

from benchmarks.cost.prices import LAMBDA_GB_SECOND, LAMBDA_REQUEST, SECONDS

SIZES_MB = (128, 256, 512, 1024, 1769)
ONE_CPU_MB = 1769

_MB_IN_GB = 1024
_MB = 1e6


def cpus(memory_mb: int) -> float:
    """Return the share of a vCPU; more than one is of no use to a process that works in one thread at a time."""
    return min(1.0, memory_mb / ONE_CPU_MB)


def holds(memory_mb: int, peak_bytes: float) -> bool:
    """Return whether a function of that size has half of it to spare: peaks grow with fleets and with retries."""
    return peak_bytes / _MB <= memory_mb / 2


def around_the_clock(memory_mb: int) -> float:
    """Return US dollars a month of a function that always runs."""
    return SECONDS * memory_mb / _MB_IN_GB * LAMBDA_GB_SECOND


def invocation(memory_mb: int, cpu_seconds: float) -> tuple[float, float]:
    """Return an invocation's duration in seconds, and US dollars for a million of them."""
    duration = cpu_seconds / cpus(memory_mb)
    return duration, 1e6 * (duration * memory_mb / _MB_IN_GB * LAMBDA_GB_SECOND + LAMBDA_REQUEST)
