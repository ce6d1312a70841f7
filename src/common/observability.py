"""Logger and metrics, made in this one place; their names and levels come from POWERTOOLS_* variables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["MetricUnit", "add_counts", "logger", "metrics"]

logger = Logger()
"""JSON lines with the service, the function's name, the request id, and the `correlation_id` that the handler sets:
what the invocation is a part of (`docs/logs.md`). Never log a token or an update's whole text."""

metrics = Metrics()
"""Embedded-metric-format lines, with the dimension `service` alone. `metrics.flush_metrics()` writes what was added."""


def add_counts(counts: Iterable[tuple[str, float]]) -> None:
    """Add counts to the metrics, but for those that are zero.

    CloudWatch charges for a metric by the hours in which it is published; alarms on counts take silence for zero.
    """
    for name, value in counts:
        if value:
            metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)
