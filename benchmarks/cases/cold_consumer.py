"""Cold start of the consumer."""

from __future__ import annotations

from benchmarks.harness import cold_start

COMPARISON = cold_start.comparison(
    "consumer",
    "s3 kinesis secretsmanager",
    {
        "STREAM_URL": "https://127.0.0.1/v2/targets/stream",
        "API_TOKEN_SECRET_ARN": "arn:aws:secretsmanager:us-east-1:123456789012:secret:token",
        "STATE_BUCKET": "state",
        "UPDATES_STREAM_NAME": "updates",
    },
)
