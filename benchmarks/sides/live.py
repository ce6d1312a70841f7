"""A whole run of the consumer on a paced stream: what it costs, and what memory it takes."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.harness.machine import cpu_seconds, peak_memory
from benchmarks.sides import consumer
from consumer.publish.single_outbox import LINGER_SECONDS

if TYPE_CHECKING:
    from collections.abc import Sequence

_PAGE = 4096
_SAMPLE_SECONDS = 1.0
_START_SAMPLES, _LEAST_SAMPLES = 3, 2
"""Within the first the clients are made and the connections opened; between two there is something to measure."""


class Sample(NamedTuple):
    """At a moment of the monotonic clock: CPU seconds used so far, and bytes of memory."""

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
    samples: list[Sample] = []
    done = threading.Event()
    sampler = threading.Thread(target=_take_samples, args=(samples, done), daemon=True)
    sampler.start()
    summary = consumer.run(params["url"] + "/stream", "gzip", params["run"], params["updates"])
    done.set()
    sampler.join()
    return LiveRun(
        updates=summary.published,
        peak=peak_memory(),
        memory=[sample.memory for sample in samples],
        steady_share=steady_share(samples),
        flush_seconds=LINGER_SECONDS,
    )


def steady_share(samples: Sequence[Sample]) -> float:
    """Return the share of one core used from some seconds after the start to the last sample.

    Raises
    ------
    ValueError
        There are too few samples.
    """
    if len(samples) < _LEAST_SAMPLES:
        raise ValueError(f"{len(samples)} samples, one a second; expected {_LEAST_SAMPLES}: let it run for longer")
    first, last = samples[min(_START_SAMPLES, len(samples) - 2)], samples[-1]
    return (last.cpu - first.cpu) / (last.at - first.at)


def _take_samples(samples: list[Sample], done: threading.Event) -> None:
    statm = Path("/proc/self/statm")
    while not done.wait(_SAMPLE_SECONDS):
        samples.append(Sample(time.monotonic(), cpu_seconds(), int(statm.read_text().split()[1]) * _PAGE))
