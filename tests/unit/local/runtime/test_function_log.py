"""A function's log: metrics are added up, the newest lines kept."""

from __future__ import annotations

import json

from local.runtime.function_log import FunctionLog


def _metrics(**values):
    names = [{"Name": name, "Unit": "Count"} for name in values]
    return json.dumps({"_aws": {"CloudWatchMetrics": [{"Namespace": "n", "Metrics": names}]}, **values})


def test_metrics_are_added_up_and_not_shown():
    """Embedded metrics may hold a number or a list; they are figures, not log lines."""
    shown = []
    log = FunctionLog("Alerts", shown.append)
    log.write(_metrics(AlertsSuppressed=[2.0, 1.0], SourceLag=7))
    log.write(_metrics(AlertsSuppressed=4, SourceLag=[3.5]))
    assert log.total("AlertsSuppressed") == 7
    assert log.last("SourceLag") == 3.5
    assert log.last("Unheard") is None
    assert shown == []
    assert log.newest() == []


def test_a_line_that_only_mentions_metrics_is_a_line():
    """What looks like embedded metrics and is not one must not vanish."""
    log = FunctionLog("Alerts")
    log.write('cannot read "_aws" here')
    log.write('{"_aws": {}}')
    assert log.newest() == ['cannot read "_aws" here', '{"_aws": {}}']


def test_the_newest_lines_are_kept_without_the_platform_s_own():
    """An error report wants the function's words, and not an endless log."""
    log = FunctionLog("Alerts")
    log.write("START RequestId: 1 Version: $LATEST")
    for number in range(100):
        log.write(f"line {number}")
    log.write("END RequestId: 1")
    assert log.newest(2) == ["line 98", "line 99"]
    assert len(log.newest(1000)) == 40


def test_a_verbose_run_sees_every_line_with_the_function_s_name():
    """Several functions write at the same time."""
    shown = []
    log = FunctionLog("Alerts", shown.append)
    log.write("hello")
    log.write("")
    assert shown == ["Alerts: hello"]


def test_no_line_acts_on_a_terminal():
    """A function may log what others have sent it: escape sequences are not echoed, nor kept for the view."""
    echoed = []
    log = FunctionLog("ConsumerFunction", echoed.append)
    log.write("a\x1b[2J\x1b]0;x\x07b\x9b31m\x7f\u202ec\td")
    assert echoed == ["ConsumerFunction: a?[2J?]0;x?b?31m??c\td"]
    assert log.newest() == ["a?[2J?]0;x?b?31m??c\td"]
