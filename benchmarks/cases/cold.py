"""Cold starts of the functions, each as packaged."""

from __future__ import annotations

from benchmarks.harness import cold_start

COMPARISONS = {
    "cold_aggregator": cold_start.comparison(
        "aggregator",
        "dynamodb firehose s3",
        {"WINDOW_ROWS_STREAM_NAME": "rows", "AIRCRAFT_TABLE_NAME": "aircraft", "DATA_BUCKET": "data"},
    ),
    "cold_alerts": cold_start.comparison(
        "alerts",
        "dynamodb sns s3",
        {
            "SUPPRESSION_TABLE_NAME": "suppression",
            "ALERTS_TOPIC_ARN": "arn:aws:sns:us-east-1:123456789012:alerts",
            "DATA_BUCKET": "data",
            "SUPPRESSION_SECONDS": "900",
        },
    ),
    "cold_api": cold_start.comparison("api", "s3", {"DATA_BUCKET": "data"}, peer="usual_api"),
    "cold_consumer": cold_start.comparison(
        "consumer",
        "s3 kinesis secretsmanager",
        {
            "STREAM_URL": "https://127.0.0.1/v2/targets/stream",
            "API_TOKEN_SECRET_ARN": "arn:aws:secretsmanager:us-east-1:123456789012:secret:token",
            "STATE_BUCKET": "state",
            "DATA_BUCKET": "data",
            "UPDATES_STREAM_NAME": "updates",
        },
    ),
}
