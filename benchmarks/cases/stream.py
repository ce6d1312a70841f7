"""Reading the stream, and reading it and publishing it: one table, since the six differ in how the bytes come."""

from __future__ import annotations

from benchmarks.harness import settings
from benchmarks.harness.case import Comparison

_WORKLOADS = ("generated", "recording")


def _read(what: str, target: float, *, flush_lines: bool, compress: bool) -> Comparison:
    """Return the comparison of reading alone, with a callback that counts."""
    return Comparison(
        what=f"Reading the stream, {what}",
        target=target,
        setting=settings.stream(flush_lines=flush_lines, compress=compress),
        sides={"ours": "benchmarks.sides.reader:read", "peer": "benchmarks.peers.client:read"},
        workloads=_WORKLOADS,
    )


def _publish(what: str, target: float, side: str, *, flush_lines: bool) -> Comparison:
    """Return the comparison of a whole run, from the stream to PutRecords; `side` is ours, in one record format."""
    return Comparison(
        what=f"Stream to PutRecords, {what}",
        target=target,
        setting=settings.stream_to_kinesis(flush_lines=flush_lines, compress=True),
        sides={"ours": f"benchmarks.sides.consumer:{side}", "peer": "benchmarks.peers.publisher:publish"},
        workloads=_WORKLOADS,
    )


COMPARISONS = {
    "read_bulk_gzip": _read("16 KB chunks, gzip", 5, flush_lines=False, compress=True),
    "read_bulk_plain": _read("16 KB chunks, not compressed", 5, flush_lines=False, compress=False),
    "read_line_gzip": _read("every line flushed by itself, gzip", 2.3, flush_lines=True, compress=True),
    "publish_single": _publish("one record per update (gzip, 16 KB chunks)", 4, "publish", flush_lines=False),
    "publish_envelope_bulk": _publish("envelopes (gzip, 16 KB chunks)", 7, "publish_envelopes", flush_lines=False),
    "publish_envelope_line": _publish(
        "envelopes (gzip, every line flushed)", 4.5, "publish_envelopes", flush_lines=True
    ),
}
