"""Stream to PutRecords, one record per update (gzip, 16 KB chunks)."""

from __future__ import annotations

from benchmarks.harness import settings
from benchmarks.harness.case import Comparison

COMPARISON = Comparison(
    what="Stream to PutRecords, one record per update (gzip, 16 KB chunks)",
    target=4,
    setting=settings.stream_to_kinesis(flush_lines=False, compress=True),
    sides={"ours": "benchmarks.sides.consumer:publish", "peer": "benchmarks.peers.publisher:publish"},
    workloads=("generated", "recording"),
)
