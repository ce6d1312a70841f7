"""A whole run of the consumer on a paced stream: what it costs, and what memory it takes."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.harness.machine import cpu_seconds, peak_memory
from benchmarks.sides import consumer
from consumer.publish.single_outbox import LINGER_SECONDS

_PAGE = 4096
_SAMPLE_SECONDS = 1.0
_START_SAMPLES = 3
"""Within these the clients are made and the connections opened."""


class _Sample(NamedTuple):
    at: float
    cpu: float
    memory: int


@dataclass(frozen=True, slots=True)
class LiveRun:
    """Updates published, memory in bytes at its largest, the configured flush time, and a sample each second.

    `steady_share` is the share of one core used, from some seconds after the start to the last sample.
    """

    updates: int
    peak: int
    memory: list[int]
    steady_share: float
    flush_seconds: float


def run(params: dict[str, Any]) -> LiveRun:
    """Run until everything is published."""
    samples: list[_Sample] = []
    done = threading.Event()
    sampler = threading.Thread(target=_take_samples, args=(samples, done), daemon=True)
    sampler.start()
    summary = consumer.run(params["url"] + "/stream", "gzip", params["run"], params["updates"])
    done.set()
    sampler.join()
    first, last = samples[min(_START_SAMPLES, len(samples) - 2)], samples[-1]
    return LiveRun(
        updates=summary.published,
        peak=peak_memory(),
        memory=[sample.memory for sample in samples],
        steady_share=(last.cpu - first.cpu) / (last.at - first.at),
        flush_seconds=LINGER_SECONDS,
    )


def _take_samples(samples: list[_Sample], done: threading.Event) -> None:
    statm = Path("/proc/self/statm")
    while not done.wait(_SAMPLE_SECONDS):
        samples.append(_Sample(time.monotonic(), cpu_seconds(), int(statm.read_text().split()[1]) * _PAGE))
