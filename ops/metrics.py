"""Metrics of the last minutes, many in one request."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import batched
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

_MOST = 500  # queries a call: CloudWatch API reference, GetMetricData

DAYS_KEPT = 15
"""Further back CloudWatch has no figures of single minutes (User Guide, *Metrics retention*)."""


@dataclass(frozen=True, slots=True)
class Query:
    """A metric, and what of it: `Sum`, `Maximum`, ... over the whole span."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    statistic: str
    over: str = ""
    """How the minutes are put together; by the same statistic where it is empty."""


def read(cloudwatch: Any, queries: Mapping[str, Query], until: datetime, span: timedelta) -> dict[str, float]:
    """Return each query's value over the span, of `DAYS_KEPT` at most, by its name; one without data is left out.

    Raises
    ------
    botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError
        CloudWatch cannot be asked.
    """
    found: dict[str, float] = {}
    for names in batched(queries, _MOST, strict=False):
        asked = [_asked(f"m{place}", queries[name]) for place, name in enumerate(names)]
        pages = cloudwatch.get_paginator("get_metric_data").paginate(
            MetricDataQueries=asked, StartTime=until - span, EndTime=until
        )
        values: dict[str, list[float]] = {}
        for page in pages:
            for result in page["MetricDataResults"]:
                values.setdefault(result["Id"], []).extend(result["Values"])
        for place, name in enumerate(names):
            if numbers := values.get(f"m{place}"):
                found[name] = _of(queries[name].over or queries[name].statistic, numbers)
    return found


def _asked(identifier: str, query: Query) -> dict[str, Any]:
    dimensions = [{"Name": name, "Value": value} for name, value in query.dimensions.items()]
    metric = {"Namespace": query.namespace, "MetricName": query.name, "Dimensions": dimensions}
    return {"Id": identifier, "MetricStat": {"Metric": metric, "Period": 60, "Stat": query.statistic}}


def _of(statistic: str, values: list[float]) -> float:
    match statistic:
        case "Sum":
            return sum(values)
        case "Minimum":
            return min(values)
        case "Average":
            return sum(values) / len(values)
    return max(values)
