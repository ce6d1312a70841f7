"""Reading the stream, every line flushed by itself, gzip."""

from __future__ import annotations

from benchmarks.harness import settings
from benchmarks.harness.case import Comparison

COMPARISON = Comparison(
    what="Reading the stream, every line flushed by itself, gzip",
    target=2.3,
    setting=settings.stream(flush_lines=True, compress=True),
    sides={"ours": "benchmarks.sides.reader:read", "peer": "benchmarks.peers.client:read"},
    workloads=("generated", "recording"),
)
