"""Reading the stream, 16 KB chunks, not compressed."""

from __future__ import annotations

from benchmarks.harness import settings
from benchmarks.harness.case import Comparison

COMPARISON = Comparison(
    what="Reading the stream, 16 KB chunks, not compressed",
    target=5,
    setting=settings.stream(flush_lines=False, compress=False),
    sides={"ours": "benchmarks.sides.reader:read", "peer": "benchmarks.peers.client:read"},
    workloads=("generated", "recording"),
)
