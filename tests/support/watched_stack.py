"""The local stack under observation: functions in Lambda's runtime, faults on purpose, and all metrics by the minute.

A minute of the alarms is a round of invocations here: what CloudWatch would have got within it is given to it, at once.
"""

from __future__ import annotations

import ast
import base64
import contextlib
import io
import json
import os
import re
import shlex
import sys
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self
from unittest.mock import patch

from common.clock import rfc3339
from local.aws.moto import Cloud
from local.clock import SystemClock
from local.deploy import create
from local.event_source_mapping import Counters, DestinationClients, EventSourceMapping, Pace
from local.faults.aws.authorisation import Authoriser
from local.faults.aws.plan import FaultKind, FaultPlan
from local.faults.aws.proxy import AwsProxy
from local.function_names import AGGREGATOR, CONSUMER
from local.runtime.function import Function
from local.runtime.function_log import FunctionLog
from ops.command_line import main as ops
from tests.support import cloudwatch, shell_lines, webhook
from tests.support.cloudwatch import Metrics
from tests.support.raw_feed import RawFeed
from tests.support.resolved_template import ResolvedTemplate
from tests.support.webhook import Webhook
from tools.operations.set_token import main as set_token

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

STACK, TOKEN = "watched", "e7c1b0d2-the-token"
LINES_A_TOKEN = 5
COMMANDS = {"ops": ops, "set-token": set_token}
"""What the pages' commands run, by its name in the Pipfile."""
PARAMETERS = {"StartPosition": "BEGINNING", "StreamMode": "PROVISIONED", "AlertWebhook": "https://chat.example.com/"}
_OUTPUT = re.compile(r"\$\(output (\w+)\)")
_QUICK = Pace(poll_interval=0.05, discovery_interval=0.1, first_retry=0.01, longest_retry=0.02, throttled=0.01)


def _document(document: Any) -> dict[str, Any]:
    """Return a policy; one that CloudFormation made moto gives as Python writes a dict."""
    return dict(ast.literal_eval(document) if isinstance(document, str) else document)


class _Typed(io.StringIO):
    """What a person types."""

    def isatty(self) -> bool:
        return True


class _LateClock(SystemClock):
    """Tells a time that is `seconds` later than it is."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def now(self) -> float:
        return super().now() + self._seconds


_REPORT = "REPORT RequestId: "
_LOG_SECONDS = 10.0
"""How long the log of an invocation is waited for that leaves no report, since its runtime was killed."""


class _MetricLog(FunctionLog):
    """A function's log that hands its metrics on."""

    def __init__(self, name: str, take: Callable[[str], bool]) -> None:
        super().__init__(name)
        self._take = take
        self._reported: set[str] = set()
        self._changed = threading.Condition()

    def write(self, line: str) -> None:
        if not self._take(line):
            super().write(line)
        if line.startswith(_REPORT):
            with self._changed:
                self._reported.add(line.removeprefix(_REPORT).split("\t")[0])
                self._changed.notify_all()

    def wait_for(self, request_id: str) -> None:
        """Return once all that an invocation has logged is here: its report comes last, unless its runtime was lost."""
        with self._changed:
            self._changed.wait_for(lambda: request_id in self._reported, _LOG_SECONDS)


class WatchedStack:
    """The stack, its metrics and its alarms. Used as a context manager, by one thread."""

    def __init__(self, repository: Path) -> None:
        self.repository = repository
        self._functions: dict[tuple[str, frozenset[tuple[str, str]]], Function] = {}
        self._running = contextlib.ExitStack()
        self._icao_addresses = iter(range(0x400000, 0x500000))
        self.metrics = Metrics()
        self.minute = 0
        self.behind = timedelta(seconds=2)
        """How old the updates are that the provider sends."""
        self.odd_lines: dict[int, bytes] = {}
        """What the provider sends in the place of updates, by the line's number."""
        self.records_wait = 0.0
        """Seconds for which records wait in the stream before a function gets them."""
        self.is_throttled = False
        """Whether the account has no concurrency left for the stream functions."""
        self.has_lost_its_setting = False
        """Whether the API's function lacks its variable."""

        self._gap_is_reported = False

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as running:
            self.feed = running.enter_context(RawFeed(self._line, every=LINES_A_TOKEN))
            self.cloud = Cloud()
            running.callback(self.cloud.stop)
            self.stack = create(
                self.cloud,
                self.repository / "template.yaml",
                name=STACK,
                parameters=PARAMETERS | {"StreamUrl": self.feed.url},
                secret_value=TOKEN,
                timeouts={CONSUMER: 60},
            )
            self._roles = {name: function.role_arn for name, function in self.stack.functions.items()}
            self.webhook = running.enter_context(Webhook())
            self.proxy = running.enter_context(AwsProxy(self.cloud.endpoint, authoriser=self._authoriser()))
            running.callback(self._stop_functions)
            self._running = running.pop_all()
        self.template = ResolvedTemplate(self.repository, PARAMETERS, self.stack.resources, STACK)
        self.alarms = self.template.properties("AWS::CloudWatch::Alarm")
        self.composites = self.template.properties("AWS::CloudWatch::CompositeAlarm")
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    # -- what AWS and its users do

    def invoke(self, name: str, event: dict[str, Any], **environment: str) -> Any:
        """Invoke a function once; gives the answer's payload. An error counts as Lambda counts it."""
        function = self._function(name, environment)
        result = function.invoke(json.dumps(event).encode())
        assert isinstance(function.log, _MetricLog)
        function.log.wait_for(result.request_id)  # its metrics are of this minute
        self._count(
            "AWS/Lambda", "Errors", {"FunctionName": self.stack.resources[name]}, result.function_error is not None
        )
        return result.payload

    def consume(self) -> Any:
        """Have the provider send some updates more, and the consumer run until it has committed them, or failed.

        A run that reports a gap has said what it had to, too: to fill the rest of it takes longer than a minute.
        """
        self.feed.limit += 2 * LINES_A_TOKEN
        self._gap_is_reported = False
        before = self.proxy.injected
        function, ended = self._function(CONSUMER, {}), threading.Event()
        answers: list[Any] = []

        def run() -> None:
            answers.append(self.invoke(CONSUMER, {"detail": {"run_seconds": 50}}))
            ended.set()

        running = threading.Thread(target=run)
        running.start()
        while not ended.wait(0.02):
            if self._gap_is_reported or self._committed_all():
                function.terminate()
        running.join()
        [payload] = answers
        refused = sum(
            number
            for (call, kind), number in (self.proxy.injected - before).items()
            if call.operation == "PutRecords" and kind in {FaultKind.PARTIAL, FaultKind.HOT_KEYS}
        )
        dimensions = {"StreamName": self.stack.resources["UpdatesStream"]}
        self._count("AWS/Kinesis", "WriteProvisionedThroughputExceeded", dimensions, refused)
        return payload

    def post_alerts(self) -> None:
        """Have each alert that waits in the webhook's queue be posted, or be tried once."""
        sqs, resources = self.cloud.client("sqs"), self.stack.resources
        [pipe] = self.template.properties("AWS::Pipes::Pipe").values()
        template = pipe["TargetParameters"]["InputTemplate"]
        webhook.attempt_all(sqs, resources["AlertWebhookQueue"], template, self.webhook.url)
        dimensions = {"QueueName": resources["AlertWebhookFailures"].rpartition("/")[2]}
        waiting = self.waiting_alerts("AlertWebhookFailures")
        self._count("AWS/SQS", "ApproximateNumberOfMessagesVisible", dimensions, waiting)

    def waiting_alerts(self, queue: str) -> int:
        """Return how many messages of a queue are visible."""
        name = "ApproximateNumberOfMessages"
        url = self.stack.resources[queue]
        answer = self.cloud.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=[name])
        return int(answer["Attributes"][name])

    def _committed_all(self) -> bool:
        """Whether the checkpoint is behind all that the provider has sent."""
        s3, bucket = self.cloud.client("s3"), self.stack.resources["StateBucket"]
        try:
            checkpoint = json.loads(s3.get_object(Bucket=bucket, Key="checkpoint.json")["Body"].read())
        except s3.exceptions.NoSuchKey:
            return False
        return bool(checkpoint["position_token"] == f"t{self.feed.limit}")

    def aggregate(self, updates: int = 1) -> Any:
        """Invoke the aggregator with a batch that is all of its own window."""
        start = datetime(2024, 3, 4, 12, tzinfo=UTC) + timedelta(minutes=self.minute)
        event = {
            **self.batch(updates),
            "window": {
                "start": f"{start:%Y-%m-%dT%H:%M:%SZ}",
                "end": f"{start + timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}",
            },
            "state": {},
            "shardId": "shardId-000000000000",
            "eventSourceARN": "arn:aws:kinesis:us-east-1:123456789012:stream/updates",
            "isFinalInvokeForWindow": True,
            "isWindowTerminatedEarly": False,
        }
        return self.invoke(AGGREGATOR, event)

    def batch(self, updates: int = 1) -> dict[str, Any]:
        """Return an event with emergencies of as many aircraft, none of which was seen before."""
        return {
            "Records": [
                {
                    "kinesis": {
                        "sequenceNumber": str(self.minute * 1_000 + number + 1),
                        "partitionKey": "k",
                        "data": base64.b64encode(json.dumps(self.update(self.behind)).encode()).decode(),
                        "approximateArrivalTimestamp": time.time(),
                    },
                    "eventID": f"shardId-000000000000:{self.minute}{number}",
                }
                for number in range(updates)
            ]
        }

    def update(self, behind: timedelta = timedelta(seconds=2)) -> dict[str, Any]:
        """Return an emergency of an aircraft that was not seen before."""
        ingested = datetime.now(UTC) - behind
        return {
            "icao_address": f"{next(self._icao_addresses):06X}",
            "timestamp": rfc3339(ingested - timedelta(seconds=1)),
            "ingestion_time": rfc3339(ingested),
            "latitude": 51.0,
            "longitude": 7.0,
            "squawk": "7700",
        }

    def poll(self, name: str) -> None:
        """Put a record into the stream and have the function's event source mapping take it, with one try."""
        [settings] = [one for one in self.stack.mappings if self.stack.function(one.function_arn).logical_id == name]
        function = self._function(name, {})
        if self.is_throttled:
            none_left = replace(self.stack.functions[name], reserved_concurrency=0)
            function = Function(none_left, self.repository / "src", self.proxy.url, os.environ["PATH"])
        mapping = EventSourceMapping(
            replace(settings, starting_position="LATEST", maximum_retries=0, batching_window=0),
            function.invoke,
            self.cloud.client("kinesis", caller=name, endpoint=self.proxy.url),
            DestinationClients(s3=self.cloud.client("s3", caller=name, endpoint=self.proxy.url)),
            _LateClock(self.records_wait),
            pace=_QUICK,
        )
        mapping.start()
        self.cloud.client("kinesis").put_record(
            StreamName=self.stack.resources["UpdatesStream"], PartitionKey="k", Data=json.dumps(self.update()).encode()
        )
        try:
            is_done = mapping.drain(20.0, broken=lambda: self.is_throttled and mapping.counters.throttles > 0)
            assert is_done or self.is_throttled
            self._count_mapping(name, settings.uuid, mapping.counters, mapping.iterator_age)
        finally:
            mapping.stop()

    def _count_mapping(self, name: str, uuid: str, counters: Counters, iterator_age: float | None) -> None:
        """Take a mapping's counters for what Lambda would have counted of it."""
        function, mapping = {"FunctionName": self.stack.resources[name]}, {"EventSourceMappingUUID": uuid}
        self._count("AWS/Lambda", "Errors", function, counters.function_errors)
        self._count("AWS/Lambda", "Throttles", function, counters.throttles)
        self._count("AWS/Lambda", "DestinationDeliveryFailures", function, counters.destination_failures)
        if iterator_age is not None:
            self._count("AWS/Lambda", "IteratorAge", function, 1_000 * iterator_age)
        kept = counters.discarded - counters.unkept
        self._count("AWS/Lambda", "OnFailureDestinationDeliveredEventCount", mapping, kept)
        self._count("AWS/Lambda", "DroppedEventCount", mapping, counters.unkept)

    # -- what goes wrong

    @contextlib.contextmanager
    def forbidden(self, role: str, statement: str) -> Iterator[None]:
        """Take a statement out of a role's policy, as by hand; afterwards it is back, as by a deployment."""
        iam, name = self.cloud.client("iam"), self.stack.resources[role]
        [policy] = iam.list_role_policies(RoleName=name)["PolicyNames"]
        whole = _document(iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"])
        # What CloudFormation leaves out (AWS::NoValue), moto keeps as a null.
        whole["Statement"] = [one for one in whole["Statement"] if one is not None]
        kept = [one for one in whole["Statement"] if one["Sid"] != statement]
        assert len(kept) < len(whole["Statement"])
        try:
            self._put_policy(iam, name, policy, whole | {"Statement": kept})
            yield
        finally:
            self._put_policy(iam, name, policy, whole)

    def _put_policy(self, iam: Any, role: str, policy: str, document: dict[str, Any]) -> None:
        iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(document))
        self.proxy.authoriser = self._authoriser()

    @contextlib.contextmanager
    def faulty(self, plan: FaultPlan) -> Iterator[None]:
        """Follow a plan of faults."""
        self.proxy.inject(plan)
        try:
            yield
        finally:
            self.proxy.inject(FaultPlan())

    def forget(self) -> None:
        """Let days pass: nothing of what was is in any alarm's periods."""
        self.minute += 48 * 60
        self.odd_lines.clear()
        self.catch_up()

    def catch_up(self) -> None:
        """Have the next run go on behind all that the provider has sent so far."""
        now = rfc3339(datetime.now(UTC))
        checkpoint = {"version": 1, "position_token": f"t{self.feed.limit}", "token_received_at": now}
        bucket = self.stack.resources["StateBucket"]
        self.cloud.client("s3").put_object(Bucket=bucket, Key="checkpoint.json", Body=json.dumps(checkpoint).encode())

    # -- what is watched

    def state(self, alarm: str) -> str:
        """Return an alarm's state by all metrics up to now, the minute under way included."""
        if alarm in self.composites:
            states = {name: self.state(name) for name in self.alarms}
            return cloudwatch.composite_state(self.composites[alarm]["AlarmRule"], states)
        return cloudwatch.state(self.alarms[alarm], self.metrics, self.minute + 1)

    def run(self, command: str, said: str = "") -> tuple[int, str]:
        """Run a command of a page as it is there, in this process; `said` is typed in. Give its code and output."""
        words = shlex.split(_OUTPUT.sub(lambda one: self._output(one[1]), command), comments=True)
        assert words[:2] == ["pipenv", "run"]
        name, *arguments = (STACK if word == "$stack" else word for word in words[2:])
        output = io.StringIO()
        with (
            patch.dict(os.environ, {"AWS_ENDPOINT_URL": self.cloud.endpoint}),
            patch.object(sys, "stdin", _Typed(said) if name == "ops" else io.StringIO(said)),
            contextlib.redirect_stdout(output),
            contextlib.redirect_stderr(output),
        ):
            return COMMANDS[name](arguments), output.getvalue()

    def run_lines(self, page: str) -> str:
        """Run a page's lines for a shell, as far as they are about queues; give what they print."""
        return shell_lines.run(shell_lines.lines_of(page), self.cloud.client("sqs"), self._output)

    def _output(self, name: str) -> str:
        [description] = self.cloud.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
        [value] = [one["OutputValue"] for one in description["Outputs"] if one["OutputKey"] == name]
        return str(value)

    # -- parts

    def _authoriser(self) -> Authoriser:
        return Authoriser(self.cloud.client("iam"), self._roles)

    def _count(self, namespace: str, name: str, dimensions: dict[str, str], value: float) -> None:
        self.metrics.add(namespace, name, dimensions, self.minute, float(value))

    def _function(self, name: str, environment: dict[str, str]) -> Function:
        key = name, frozenset(environment.items())
        if key not in self._functions:
            settings = self.stack.functions[name]
            settings = replace(settings, environment=settings.environment | environment)
            function = Function(settings, self.repository / "src", self.proxy.url, os.environ["PATH"])
            function.log = _MetricLog(name, self._take)
            self._functions[key] = function
        return self._functions[key]

    def _take(self, line: str) -> bool:
        self._gap_is_reported |= "UnrecoverableGapSeconds" in line
        return self.metrics.add_line(line, self.minute)

    def _stop_functions(self) -> None:
        for function in self._functions.values():
            function.stop()

    def _line(self, number: int) -> bytes:
        return self.odd_lines.get(number) or json.dumps({"target": self.update(self.behind)}).encode()
