"""Stream to PutRecords, envelopes (gzip, every line flushed)."""

from __future__ import annotations

from benchmarks.harness import settings
from benchmarks.harness.case import Comparison

COMPARISON = Comparison(
    what="Stream to PutRecords, envelopes (gzip, every line flushed)",
    target=4.5,
    setting=settings.stream_to_kinesis(flush_lines=True, compress=True),
    sides={"ours": "benchmarks.sides.consumer:publish_envelopes", "peer": "benchmarks.peers.publisher:publish"},
    workloads=("generated", "recording"),
)
