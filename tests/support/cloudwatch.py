"""CloudWatch as far as the template's alarms need it: metrics by the minute, and what an alarm makes of them.

Read in the CloudWatch user guide (`Evaluating an alarm`, `Configuring how CloudWatch alarms treat missing data`, `Using
metric math`, `Create a composite alarm`), with one difference on the strict side: an alarm looks at its own periods
alone, while CloudWatch may look a little further back where some of them are empty.
"""

from __future__ import annotations

import ast
import json
import operator
import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

OK, ALARM = "OK", "ALARM"

type Metric = tuple[str, str, frozenset[tuple[str, str]]]
"""Namespace, name and dimensions."""
type Series = list[float | None]
"""A value for each period, the oldest first; None where there is none."""

MINUTE = 60

_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
_STATISTICS: dict[str, Callable[[Sequence[float]], float]] = {
    "Sum": sum,
    "Maximum": max,
    "Minimum": min,
    "Average": lambda values: sum(values) / len(values),
    "SampleCount": len,
}
_PERCENTILE_RANK = re.compile(r"PR\((\d*\.?\d*):(\d*\.?\d*)\)")
"""The share of the values above the lower bound, and at most the upper one, in percent."""
_ARITHMETIC: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_ALARM_OF = re.compile(r'ALARM\("?([^")]+)"?\)')


class Metrics:
    """Values by metric and minute."""

    def __init__(self) -> None:
        self._values: dict[Metric, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))

    def add(self, namespace: str, name: str, dimensions: Mapping[str, str], minute: int, *values: float) -> None:
        """Take values of one minute."""
        self._values[namespace, name, frozenset(dimensions.items())][minute] += values

    def add_line(self, line: str, minute: int) -> bool:
        """Take a line in embedded metric format, as CloudWatch Logs would; False if it is another line."""
        if '"_aws"' not in line:
            return False
        entry = json.loads(line)
        for directive in entry["_aws"]["CloudWatchMetrics"]:
            for dimensions in directive["Dimensions"]:
                named = {name: entry[name] for name in dimensions}
                for metric in directive["Metrics"]:
                    found = entry[metric["Name"]]
                    values = found if isinstance(found, list) else [found]
                    self.add(directive["Namespace"], metric["Name"], named, minute, *values)
        return True

    def series(self, metric: Metric, statistic: str, period: int, until: int, count: int) -> Series:
        """Return the newest `count` periods, of `period` seconds, before the minute `until`."""
        minutes = self._values.get(metric, {})
        length = period // MINUTE
        found: Series = []
        for place in range(count, 0, -1):
            first = until - place * length
            values = [value for minute in range(first, first + length) for value in minutes.get(minute, ())]
            found.append(_statistic(statistic, values) if values else None)
        return found


def _statistic(name: str, values: Sequence[float]) -> float:
    if rank := _PERCENTILE_RANK.fullmatch(name):
        low, high = (float(bound) if bound else None for bound in rank.groups())
        within = [one for one in values if (low is None or one > low) and (high is None or one <= high)]
        return 100 * len(within) / len(values)
    return _STATISTICS[name](values)


def state(alarm: Mapping[str, Any], metrics: Metrics, until: int) -> str:
    """Return the state of a metric alarm, given by its resolved properties, at the beginning of the minute `until`."""
    periods = int(alarm["EvaluationPeriods"])
    series = _watched(alarm, metrics, until, periods)
    treatment = alarm["TreatMissingData"]
    if treatment not in {"breaching", "notBreaching"}:
        raise NotImplementedError(f"TreatMissingData: {treatment}")
    is_beyond, threshold = _COMPARISONS[alarm["ComparisonOperator"]], float(alarm["Threshold"])
    breaching = sum(
        treatment == "breaching" if value is None else is_beyond(float(value), threshold) for value in series
    )
    return ALARM if breaching >= int(alarm.get("DatapointsToAlarm", periods)) else OK


def composite_state(rule: str, states: Mapping[str, str]) -> str:
    """Return a composite alarm's state from those of the alarms that its rule names."""
    text = _ALARM_OF.sub(lambda one: str(states[one[1]] == ALARM), rule)
    tree = ast.parse(
        re.sub(r"\b(AND|OR|NOT)\b", lambda one: one[1].lower(), text).replace("\n", " ").strip(), mode="eval"
    )
    return ALARM if _truth(tree.body) else OK


def _truth(node: ast.expr) -> bool:
    match node:
        case ast.Constant(value=bool() as value):
            return value
        case ast.BoolOp(op=ast.And(), values=values):
            return all(_truth(one) for one in values)
        case ast.BoolOp(op=ast.Or(), values=values):
            return any(_truth(one) for one in values)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return not _truth(operand)
    raise NotImplementedError(ast.dump(node))


def _watched(alarm: Mapping[str, Any], metrics: Metrics, until: int, periods: int) -> Series:
    if "Metrics" not in alarm:
        return metrics.series(
            _named(alarm), alarm.get("ExtendedStatistic") or alarm["Statistic"], int(alarm["Period"]), until, periods
        )
    known: dict[str, Series] = {}
    for one in alarm["Metrics"]:
        if "MetricStat" in one:
            stat = one["MetricStat"]
            known[one["Id"]] = metrics.series(_named(stat["Metric"]), stat["Stat"], int(stat["Period"]), until, periods)
    [expression] = [
        one["Expression"] for one in alarm["Metrics"] if one.get("ReturnData", True) and "Expression" in one
    ]
    tree = ast.parse(expression.replace("\n", " ").strip(), mode="eval").body
    return [_value(tree, {name: series[place] for name, series in known.items()}) for place in range(periods)]


def _named(given: Mapping[str, Any]) -> Metric:
    dimensions = frozenset((one["Name"], one["Value"]) for one in given["Dimensions"])
    return given["Namespace"], given["MetricName"], dimensions


def _value(node: ast.expr, at: Mapping[str, float | None]) -> float | None:
    """Return an expression's value in one period; where a metric has none, or by 0 is divided, it has none."""
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name):
            return at[name]
        case ast.BinOp(left=left, op=sign, right=right):
            first, second = _value(left, at), _value(right, at)
            if first is None or second is None or (isinstance(sign, ast.Div) and second == 0):
                return None
            return _ARITHMETIC[type(sign)](first, second)
        case ast.Call(func=ast.Name(id="FILL"), args=[given, default]):
            found = _value(given, at)
            return _value(default, at) if found is None else found
    raise NotImplementedError(ast.dump(node))
