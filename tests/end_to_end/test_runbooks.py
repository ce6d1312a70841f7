"""Runbooks that run: each alarm goes off by its own expression while its fault is there, its page helps, it is over."""

from __future__ import annotations

import contextlib
import gzip
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from common.clock import rfc3339
from local.aws.template import translate
from local.faults.aws.plan import Fault, FaultKind, FaultPlan, FaultRule
from local.function_names import AGGREGATOR, ALERTS
from tests.support.cloudwatch import ALARM, OK, Metrics, state
from tests.support.watched_stack import TOKEN, WatchedStack

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

HOUR = 60
_COMMAND = re.compile(r'pipenv run (?:ops|set-token) [^`\n]*"\$stack"[^`\n]*')
_LONGEST_WAIT = 3 * HOUR
"""Minutes within which an alarm is over, once its fault is."""


@dataclass(frozen=True)
class Case:
    """A fault of a kind: what goes on each minute (or `every` so many), what breaks it, and when the alarm is due.

    `shows` is what the page's commands say about it, `typed` what they are answered. `then` is a page that the alarm's
    own leads to, whose commands are run after it.
    """

    goes_on: Callable[[WatchedStack], object]
    fault: Callable[[WatchedStack], AbstractContextManager[object]]
    after: int
    every: int = 1
    shows: str = ""
    typed: str = ""
    then: str = ""
    holds: Callable[[WatchedStack], bool] = lambda _stack: True
    """What is true once it is over."""
    told_by: tuple[str, ...] = ()
    """Alarms put together from this and others that go off with it."""


def forbidden(role, statement):
    """The role was changed by hand."""
    return lambda stack: stack.forbidden(role, statement)


def alert(stack):
    """One batch of the alerts function."""
    stack.invoke(ALERTS, stack.batch())


def alert_by_webhook(stack):
    """An alert, unless one waits already, and each that waits is posted."""
    if not stack.waiting_alerts("AlertWebhookQueue"):
        alert(stack)
    stack.post_alerts()


@contextlib.contextmanager
def refusing_webhook(stack):
    """The receiver wants another body."""
    stack.webhook.refuses = True
    yield
    stack.webhook.refuses = False


def all_were_posted(stack):
    """Before, during and after the fault an alert each, none of them twice; nothing waits any more."""
    texts = [one["text"] for one in stack.webhook.posted]
    waiting = stack.waiting_alerts("AlertWebhookQueue") + stack.waiting_alerts("AlertWebhookFailures")
    return len(texts) == len(set(texts)) >= 3 and not waiting


def through_the_windows(stack):
    """Updates into Kinesis, and all of them into a window, unless the aggregator's mapping is off."""
    published = stack.consume()["published"]
    if not stack.is_throttled:
        stack.aggregate(published)


def archive(stack):
    """A run of the archive, with something new to read."""
    put_raw(stack, gzip.compress(json.dumps(stack.update()).encode() + b"\n"))
    stack.invoke("ArchiveFunction", {})


def ask(stack):
    """A question to the API."""
    event = json.loads((stack.repository / "events/api.json").read_text())
    environment = {"DATA_BUCKET": ""} if stack.has_lost_its_setting else {}
    stack.invoke("ApiFunction", event, **environment)


def put_raw(stack, body):
    """An object of the raw archive, of this hour."""
    key = f"raw/date={datetime.now(UTC):%Y-%m-%d}/hour={datetime.now(UTC):%H}/{stack.minute}.ndjson.gz"
    stack.cloud.client("s3").put_object(Bucket=stack.stack.resources["DataBucket"], Key=key, Body=body)


def put_secret(stack, value):
    """What the secret holds."""
    secret = stack.stack.resources["ApiTokenSecret"]
    stack.cloud.client("secretsmanager").put_secret_value(SecretId=secret, SecretString=value)


@contextlib.contextmanager
def no_token(stack):
    """The secret is of no use; nobody but the page says how it gets one that is."""
    put_secret(stack, '{"token": "in JSON"}')
    yield


@contextlib.contextmanager
def late_provider(stack):
    """The provider's updates are two hours old."""
    stack.behind = timedelta(hours=2)
    yield
    stack.behind = timedelta(seconds=2)


@contextlib.contextmanager
def odd_line(stack):
    """The provider sends a line that is no update."""
    stack.odd_lines[stack.feed.limit] = b'{"target": {"icao_address": 5}}'
    yield


@contextlib.contextmanager
def outage_of_30_hours(stack):
    """The checkpoint is what an outage of thirty hours leaves, and the provider takes its token no more."""
    then = rfc3339(datetime.now(UTC) - timedelta(hours=30))
    checkpoint = {"version": 1, "position_token": "t0", "token_received_at": then, "newest_ingestion_time": then}
    bucket = stack.stack.resources["StateBucket"]
    stack.cloud.client("s3").put_object(Bucket=bucket, Key="checkpoint.json", Body=json.dumps(checkpoint).encode())
    stack.feed.refuses = lambda token: token == "t0"
    yield
    stack.feed.refuses = lambda _token: False
    stack.catch_up()  # what can be had of the gap takes longer than a test


@contextlib.contextmanager
def cut_raw_object(stack):
    """A raw object ends in the middle."""
    put_raw(stack, gzip.compress(json.dumps(stack.update()).encode() + b"\n")[:-12])
    yield


@contextlib.contextmanager
def lost_setting(stack):
    """The API's function was deployed by hand."""
    stack.has_lost_its_setting = True
    yield
    stack.has_lost_its_setting = False


@contextlib.contextmanager
def nowhere_to_keep(stack):
    """The alerts function may neither notify nor may its poller keep what failed."""
    with stack.forbidden("AlertsRole", "Notify"), stack.forbidden("AlertsRole", "KeepWhatFailed"):
        yield


@contextlib.contextmanager
def hot_shard(stack):
    """Every other call has a record refused."""
    fault = Fault(kind=FaultKind.PARTIAL, entries=frozenset({0}))
    rule = FaultRule(service="kinesis", operation="PutRecords", fault=fault, calls=frozenset(range(1, 999, 2)))
    with stack.faulty(FaultPlan((rule,))):
        yield


@contextlib.contextmanager
def slow_function(stack):
    """Records wait for two hours."""
    stack.records_wait = 7_200.0
    yield
    stack.records_wait = 0.0


@contextlib.contextmanager
def no_concurrency(stack):
    """The account has none left."""
    stack.is_throttled = True
    yield
    stack.is_throttled = False


def polled(function):
    """A record comes through the stream to a function."""
    return lambda stack: stack.poll(function)


CASES = {
    "CommittedTokenAgeAlarm": Case(
        WatchedStack.consume,
        no_token,
        5,
        shows="holds the token",
        typed=TOKEN,
        then="consumer-errors",
        told_by=("ConsumerAlarm", "CauseKnownAlarm"),
    ),
    "ConsumerErrorsAlarm": Case(
        WatchedStack.consume, no_token, 3, shows="holds the token", typed=TOKEN, told_by=("ConsumerAlarm",)
    ),
    "SourceLagAlarm": Case(WatchedStack.consume, late_provider, 10, shows="lag 2.0 h"),
    "UnrecoverableGapAlarm": Case(WatchedStack.consume, outage_of_30_hours, 1),
    "RejectedLinesAlarm": Case(WatchedStack.consume, odd_line, 1, shows="icao_address"),
    "StreamThrottledAlarm": Case(WatchedStack.consume, hot_shard, 5),
    "StatusFailedAlarm": Case(WatchedStack.consume, forbidden("ConsumerRole", "TellHowItIsDoing"), 3),
    "AggregatorErrorsAlarm": Case(WatchedStack.aggregate, forbidden("AggregatorRole", "WriteRows"), 3),
    "AlertsErrorsAlarm": Case(alert, forbidden("AlertsRole", "Notify"), 3),
    "AggregatorIteratorAgeAlarm": Case(polled(AGGREGATOR), slow_function, 3),
    "AlertsIteratorAgeAlarm": Case(polled(ALERTS), slow_function, 3),
    "StreamFunctionsThrottledAlarm": Case(polled(AGGREGATOR), no_concurrency, 5),
    "OnFailureObjectsAlarm": Case(
        polled(ALERTS), forbidden("AlertsRole", "Notify"), 1, shows="RetryAttemptsExhausted", typed="yes\n"
    ),
    "DestinationFailuresAlarm": Case(polled(ALERTS), nowhere_to_keep, 1),
    "SnapshotsFailedAlarm": Case(WatchedStack.aggregate, forbidden("AggregatorRole", "ShowLatestState"), 3),
    "AlertsUnloggedAlarm": Case(alert, forbidden("AlertsRole", "KeepTheLog"), 1),
    "AlertWebhookAlarm": Case(alert_by_webhook, refusing_webhook, 21, shows="emergency", holds=all_were_posted),
    "ArchiveBehindAlarm": Case(archive, forbidden("ArchiveRole", "ReadRawUpdates"), 3, every=HOUR),
    "ArchiveDamagedAlarm": Case(archive, cut_raw_object, 1),
    "ApiErrorsAlarm": Case(ask, lost_setting, 3),
    "FlightsErrorsAlarm": Case(
        lambda stack: stack.invoke("FlightsFunction", {}), forbidden("FlightsRole", "FindHours"), 2
    ),
}
CASES |= {
    f"{name}{span}Alarm": Case(goes_on, fault, 1, told_by=(f"{name}Alarm",) if span == "Minutes" else ())
    for name, goes_on, fault in (
        ("Freshness", WatchedStack.aggregate, late_provider),
        ("Windowed", through_the_windows, no_concurrency),
    )
    for span in ("Hour", "Minutes")
}
NOT_LOCAL = {
    "RawArchiveFreshnessAlarm": "Firehose's own metric of its deliveries to S3; moto's Firehose has none",
    "WindowRowsFreshnessAlarm": "the same",
}
"""Alarms whose metric nothing on one machine makes, and why."""


@pytest.fixture(scope="module")
def running(repository):
    """The stack, once for all alarms."""
    with WatchedStack(repository) as stack:
        yield stack


@pytest.fixture
def stack(running):
    """The same, days after whatever was before."""
    running.forget()
    return running


def test_every_alarm_is_tried_or_it_is_said_why_not(stack, repository):
    """No alarm comes without its fault, whatever parameter it takes to be made."""
    kinds = {name: one["Type"] for name, one in translate(repository / "template.yaml")["Resources"].items()}
    alarms = {name for name, kind in kinds.items() if kind == "AWS::CloudWatch::Alarm"}
    assert alarms == stack.alarms.keys() == CASES.keys() | NOT_LOCAL.keys()
    assert not CASES.keys() & NOT_LOCAL.keys()
    composites = {name for name, kind in kinds.items() if kind == "AWS::CloudWatch::CompositeAlarm"}
    assert composites == stack.composites.keys() == {name for case in CASES.values() for name in case.told_by}


@pytest.mark.parametrize("name", CASES)
def test_the_alarm_goes_off_its_page_helps_and_it_is_over(stack, repository, name):
    """Quiet while all is well; on at the minute it is due and not before; off again once the fault has gone."""
    case = CASES[name]
    case.goes_on(stack)
    assert stack.state(name) == OK, "the alarm is on while all is well"
    with case.fault(stack):
        for minute in range(1, case.after + 1):
            stack.minute += case.every
            case.goes_on(stack)
            assert stack.state(name) == (ALARM if minute == case.after else OK), f"{minute} of {case.after}"
        assert {stack.state(one) for one in case.told_by} <= {ALARM}
        said = follow(pages_of(stack, repository, name), stack, case)
        assert case.shows in said
    for waited in range(0, _LONGEST_WAIT, case.every):
        stack.minute += case.every
        if not waited:
            case.goes_on(stack)
        if stack.state(name) == OK:
            assert case.holds(stack)
            return
    raise AssertionError("the alarm stays on though its fault has gone")


def pages_of(stack, repository, name):
    """The runbook's text, and that of the page it leads to."""
    path = re.search(r"docs/operations/[a-z-]+\.md$", stack.alarms[name]["AlarmDescription"])
    pages = [(repository / path[0]).read_text()]
    if then := CASES[name].then:
        assert f"({then}.md)" in pages[0]
        pages.append((repository / f"docs/operations/{then}.md").read_text())
    return pages


def follow(pages, stack, case):
    """Run the pages' commands as they are there; give all that they said, without line ends."""
    said = []
    for page in pages:
        commands = _COMMAND.findall(page)
        assert commands, "the page has no command that can be run here"
        for command in commands:
            code, text = stack.run(command, case.typed)
            assert code != 2, f"{command}: {text}"
            said.append(text)
        said.append(stack.run_lines(page) if "aws sqs" in page else "")
    return re.sub(r"\s+", " ", " ".join(said))


@pytest.mark.parametrize("name", NOT_LOCAL)
def test_an_alarm_whose_metric_is_not_made_here(stack, name):
    """At least its expression is tried: on where Firehose cannot deliver for long, off where it can, or has none."""
    alarm = stack.alarms[name]
    [dimension] = alarm["Dimensions"]
    threshold = float(alarm["Threshold"])
    for seconds, expected in ((threshold, OK), (threshold + 1, ALARM)):
        metrics = Metrics()
        for minute in range(15):
            metrics.add(
                alarm["Namespace"], alarm["MetricName"], {dimension["Name"]: dimension["Value"]}, minute, seconds
            )
        assert state(alarm, metrics, 15) == expected
    assert state(alarm, Metrics(), 15) == OK
