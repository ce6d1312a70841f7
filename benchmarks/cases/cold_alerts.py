"""Cold start of the alerts function."""

from __future__ import annotations

from benchmarks.harness import cold_start

COMPARISON = cold_start.comparison(
    "alerts",
    "dynamodb sns",
    {
        "SUPPRESSION_TABLE_NAME": "suppression",
        "ALERTS_TOPIC_ARN": "arn:aws:sns:us-east-1:123456789012:alerts",
        "SUPPRESSION_SECONDS": "900",
    },
)
