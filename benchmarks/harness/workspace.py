"""The folder and the sizes of one run of the benchmarks: what is generated once and used by many."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path

from local.simulator.flights import GeneratedTraffic

ROOT = Path(__file__).resolve().parents[2]
RECORDING = ROOT.parent / "shared" / "data" / "shanghai-2021-03-20.ndjson.gz"
"""Real updates; the project ships generated ones only, so it is used where it lies beside the checkout."""

START = 1_709_510_400.0
"""2024-03-04T00:00:00Z: the same bytes in every run."""

SEED = 20240304


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is done: `updates` of the generated feed, runs of each side, seconds of what runs by the clock.

    Not `thorough` is the first workload only, and no other sides than ours and the peer.
    """

    updates: int
    runs: int
    latency_seconds: float
    growth_seconds: float
    freshness_seconds: float
    memory_seconds: float
    thorough: bool = True


FULL = Sizes(updates=200_000, runs=5, latency_seconds=30, growth_seconds=20, freshness_seconds=60, memory_seconds=60)
QUICK = Sizes(
    updates=10_000,
    runs=2,
    latency_seconds=0,
    growth_seconds=0,
    freshness_seconds=0,
    memory_seconds=0,
    thorough=False,
)
"""Under a minute in all. Nothing that runs by the clock: its figures would say little after so short a time."""


class Workspace:
    """A temporary folder with the workloads in it, made when first asked for."""

    def __init__(self, folder: Path, sizes: Sizes) -> None:
        self.folder = folder
        self.sizes = sizes

    def workloads(self) -> list[str]:
        """Return the names of the workloads that can be had here."""
        return ["generated", "recording"] if RECORDING.exists() else ["generated"]

    def lines(self, workload: str) -> list[bytes]:
        """Return a workload's lines as the stream sends them, without their line ends; no two are the same."""
        return self._recording if workload == "recording" else self._generated

    def traffic(self, name: str, rate: float, aircraft: int, updates: int) -> Path:
        """Return a file with generated lines of another rate and fleet than the usual ones."""
        path = self.folder / f"{name}.ndjson"
        if not path.exists():
            path.write_bytes(b"\n".join(_generate(rate, aircraft, updates)))
        return path

    @cached_property
    def _generated(self) -> list[bytes]:
        path = self.folder / "generated.ndjson"
        if not path.exists():  # the whole world's rate and fleet
            path.write_bytes(b"\n".join(_generate(4_000, 20_000, self.sizes.updates)))
        return path.read_bytes().split(b"\n")

    @cached_property
    def _recording(self) -> list[bytes]:
        return gzip.decompress(RECORDING.read_bytes()).splitlines()


def _generate(rate: float, aircraft: int, updates: int) -> list[bytes]:
    traffic = GeneratedTraffic(rate=rate, aircraft=aircraft, seed=SEED, start=START)
    return [line for _, line in islice(traffic.updates(), updates)]
