"""The alarms' judge: periods, missing data, expressions and rules as CloudWatch's user guide has them."""

from __future__ import annotations

import pytest

from tests.support.cloudwatch import ALARM, OK, Metrics, composite_state, state

PLAIN = {
    "Namespace": "N",
    "MetricName": "M",
    "Dimensions": [],
    "Statistic": "Sum",
    "Period": 60,
    "Threshold": 0,
    "ComparisonOperator": "GreaterThanThreshold",
    "EvaluationPeriods": 3,
    "DatapointsToAlarm": 2,
    "TreatMissingData": "notBreaching",
}


def metrics(*values, name="M"):
    """A metric's values, one a minute from minute 0 on; None is a minute without any."""
    made = Metrics()
    for minute, value in enumerate(values):
        if value is not None:
            made.add("N", name, {}, minute, value)
    return made


@pytest.mark.parametrize(
    ("values", "changes", "expected"),
    [
        ((0, 1, 1), {}, ALARM),
        ((0, 0, 1), {}, OK),
        ((1, 1, 0, 0), {}, OK),  # what is older than the periods does not count
        ((None, None, None), {}, OK),
        ((None, None, 0), {"TreatMissingData": "breaching"}, ALARM),
        ((None, 0, 0), {"TreatMissingData": "breaching"}, OK),
        ((1, 1, 1), {"Period": 180, "EvaluationPeriods": 1, "DatapointsToAlarm": 1, "Threshold": 2}, ALARM),
        ((1, 1, 1), {"Period": 180, "EvaluationPeriods": 1, "DatapointsToAlarm": 1, "Threshold": 3}, OK),
        ((5, 9, 1), {"Statistic": "Minimum", "Threshold": 4}, ALARM),
        ((5, 3, 1), {"Statistic": "Minimum", "Threshold": 4}, OK),
        ((0, -2, -2), {"ComparisonOperator": "LessThanThreshold"}, ALARM),
    ],
)
def test_a_metric_alarm(values, changes, expected):
    """Of the newest periods as many as it takes must be beyond the threshold."""
    assert state(PLAIN | changes, metrics(*values), len(values)) == expected


@pytest.mark.parametrize(
    ("expression", "first", "second", "expected"),
    [
        ("FILL(a, 0) + FILL(b, 0)", (None,), (1,), ALARM),
        ("FILL(a, 0) + FILL(b, 0)", (None,), (None,), OK),
        ("a + b", (None,), (1,), OK),
        ("100 * (a - FILL(b, 0)) / a", (10,), (9,), ALARM),
        ("100 * (a - FILL(b, 0)) / a", (10,), (10,), OK),
        ("100 * (a - FILL(b, 0)) / a", (0,), (9,), OK),  # nothing is divided by 0
    ],
)
def test_an_expression(expression, first, second, expected):
    """Where a metric has no value, neither has what is made of it, unless it is filled."""
    made = metrics(*first)
    for minute, value in enumerate(second):
        if value is not None:
            made.add("N", "B", {}, minute, value)
    stat = {"Namespace": "N", "Dimensions": []}
    alarm = PLAIN | {
        "EvaluationPeriods": 1,
        "DatapointsToAlarm": 1,
        "Metrics": [
            {"Id": "e", "Expression": expression, "ReturnData": True},
            {"Id": "a", "MetricStat": {"Stat": "Sum", "Period": 60, "Metric": stat | {"MetricName": "M"}}},
            {"Id": "b", "MetricStat": {"Stat": "Sum", "Period": 60, "Metric": stat | {"MetricName": "B"}}},
        ],
    }
    assert state(alarm, made, 1) == expected


@pytest.mark.parametrize(("value", "expected"), [(8, OK), (8.1, ALARM)])
def test_a_percentile_rank(value, expected):
    """PR(:8) is the share of the values that are at most 8."""
    alarm = PLAIN | {"ExtendedStatistic": "PR(:8)", "ComparisonOperator": "LessThanThreshold", "Threshold": 50}
    assert state(alarm, metrics(value, value, value), 3) == expected


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ('ALARM("on") AND NOT (ALARM("off") OR ALARM("off"))', ALARM),
        ('ALARM("on") AND ALARM("off")', OK),
        ('ALARM(off)\nOR ALARM("on")', ALARM),
    ],
)
def test_a_composite(rule, expected):
    """It follows its rule over the others' states."""
    assert composite_state(rule, {"on": ALARM, "off": OK}) == expected


def test_embedded_metrics_are_read():
    """A line of a function's log becomes a value, by namespace, name and dimensions; another line does not."""
    made = Metrics()
    line = (
        '{"_aws":{"Timestamp":1,"CloudWatchMetrics":[{"Namespace":"N","Dimensions":[["service"]],'
        '"Metrics":[{"Name":"M","Unit":"Count"}]}]},"service":"alerts","M":[2.0]}'
    )
    assert made.add_line(line, 0)
    assert not made.add_line('{"message":"M"}', 0)
    assert made.series(("N", "M", frozenset({("service", "alerts")})), "Sum", 60, 1, 1) == [2.0]
