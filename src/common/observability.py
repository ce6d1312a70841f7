"""The one place that makes the logger and the metrics; their names and levels come from POWERTOOLS_* variables."""

from __future__ import annotations

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

__all__ = ["MetricUnit", "logger", "metrics"]

logger = Logger()
"""JSON lines with the service, the function's name, the request id, and the `correlation_id` that the handler sets:
what the invocation is a part of (`docs/logs.md`). Never log a token or an update's whole text."""

metrics = Metrics()
"""Embedded-metric-format lines, with the dimension `service` alone. `metrics.flush_metrics()` writes what was added."""
