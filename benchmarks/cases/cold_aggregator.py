"""Cold start of the aggregator."""

from __future__ import annotations

from benchmarks.harness import cold_start

COMPARISON = cold_start.comparison(
    "aggregator", "dynamodb firehose", {"WINDOW_ROWS_STREAM_NAME": "rows", "AIRCRAFT_TABLE_NAME": "aircraft"}
)
