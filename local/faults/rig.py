"""The test rig: the real parts a fault schedule runs on, kept warm between schedules (a cold start takes a second).

What a schedule writes to is made again for each: stream, tables and the buckets' contents. The functions stay, and with
them what they remember between invocations, as they would on a day on which everything goes wrong.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from local.audit.envelope import FORMATS, SINGLE
from local.audit.sinks import Sinks
from local.aws.moto import Cloud
from local.deploy import create
from local.faults.aws.commit_recorder import Checkpoint, CommitRecorder
from local.faults.aws.plan import FaultPlan
from local.faults.timed.resharding import Resharding
from local.faults.waits import waits
from local.function_names import AGGREGATOR, ALERTS, API, CONSUMER
from local.runtime.function import Function
from local.runtime.reaper import Reaper
from local.simulator.transport import PATH
from local.web import front_door

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from local.faults.timed.resharding import Reshard
    from local.stack import FunctionSettings, Stack

REPOSITORY = Path(__file__).resolve().parents[2]
API_TOKEN = "fault-schedule"  # noqa: S105 -- the simulator's, which runs on this machine
WINDOW_SECONDS = 1
SUPPRESSION_SECONDS = 1
CONSUMER_TIMEOUT, _LONGEST_TIMEOUT = 5, 60
_STARTS = 4
"""A run of the consumer may take as long as so many cold starts: it has to start, read and commit within it."""
_SHARDS = 2
_QUESTIONS = ("/api/targets?limit=1000", "/api/windows", "/api/alerts", "/api/health", "/api/targets?bbox=nonsense")


class Rig:
    """Local AWS, proxy, stack and functions; `reset` before each schedule, `close` at the end."""

    def __init__(
        self, port: int, log: Callable[[str], None] | None = None, *, consumer_timeout: int | None = None
    ) -> None:
        """Make everything; the simulator of each schedule is expected on `port`, `consumer_timeout` is in seconds.

        By default it is short, and longer on a machine on which nothing would come to its end so soon.
        """
        self._is_given = consumer_timeout is not None
        self.consumer_timeout = consumer_timeout or CONSUMER_TIMEOUT
        self._log = log
        self.port = port
        self.functions: dict[str, Function] = {}
        self._consumers: dict[str, Function] = {}
        self._ending = contextlib.ExitStack()
        self._plan = FaultPlan()
        try:
            self._make()
        except BaseException:
            self._ending.close()
            raise

    def _make(self) -> None:
        self.cloud = Cloud()
        self._ending.callback(self.cloud.stop)
        self.stack: Stack = create(
            self.cloud,
            REPOSITORY / "template.yaml",
            name="faults",
            parameters={
                "StreamUrl": f"http://127.0.0.1:{self.port}{PATH}",
                "StartPosition": "BEGINNING",
                "StreamMode": "PROVISIONED",
                "ShardCount": str(_SHARDS),
                "WindowSeconds": str(WINDOW_SECONDS),
                "SuppressionSeconds": str(SUPPRESSION_SECONDS),
                # Where a schedule wants one run at a time, it sees to that itself.
                "ReserveConcurrency": "false",
            },
            secret_value=API_TOKEN,
            timeouts={CONSUMER: self.consumer_timeout},
        )
        self.proxy = self._ending.enter_context(CommitRecorder(self.cloud.endpoint))
        self._clients = {name: self.cloud.client(name) for name in ("s3", "kinesis", "dynamodb", "sqs", "sns")}
        self.sinks = Sinks(self.cloud, self.stack)
        self._queue = self._clients["sqs"].create_queue(QueueName="faults-alerts")["QueueUrl"]
        arn = self._clients["sqs"].get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])
        self._clients["sns"].subscribe(
            TopicArn=self.stack.resources["AlertsTopic"], Protocol="sqs", Endpoint=arn["Attributes"]["QueueArn"]
        )
        self._tables = [
            self._clients["dynamodb"].describe_table(TableName=self.stack.resources[name])["Table"]
            for name in ("AircraftTable", "SuppressionTable")
        ]
        self._guardian = self._ending.enter_context(Reaper())
        self._ending.callback(self._stop_functions)
        self.restart_functions()
        if not self._is_given:
            self.consumer_timeout = min(
                max(CONSUMER_TIMEOUT, math.ceil(_STARTS * self._cold_start())), _LONGEST_TIMEOUT
            )
            self.restart_functions()

    def _cold_start(self) -> float:
        """Return how many seconds a function takes here and now to begin: on a busy machine, several times as many."""
        began = time.monotonic()
        self.functions[ALERTS].invoke(b'{"Records": []}')
        return time.monotonic() - began

    def lengthen_runs(self) -> bool:
        """Give the consumer's runs twice the time from now on; return whether they may take so long."""
        if self._is_given or self.consumer_timeout >= _LONGEST_TIMEOUT:
            return False
        self.consumer_timeout = min(2 * self.consumer_timeout, _LONGEST_TIMEOUT)
        for consumer in self._consumers.values():
            consumer.deploy(REPOSITORY / "src", timeout=self.consumer_timeout)
        return True

    def restart_functions(self) -> None:
        """Begin with cold functions, whatever the old ones are doing."""
        self._stop_functions()
        settings = self.stack.functions
        self.functions = {name: self._function(one) for name, one in settings.items() if name != CONSUMER}
        self._consumers = {one: self._function(settings[CONSUMER], waits() | {"RECORD_FORMAT": one}) for one in FORMATS}
        self.functions[CONSUMER] = self._consumers[SINGLE]

    def _function(self, settings: FunctionSettings, own: dict[str, str] | None = None) -> Function:
        settings = dataclasses.replace(settings, environment=settings.environment | (own or {}))
        if settings.logical_id == CONSUMER:
            settings = dataclasses.replace(settings, timeout=self.consumer_timeout)
        source, path = REPOSITORY / "src", os.environ.get("PATH", os.defpath)
        return Function(settings, source, self.proxy.url, path, self._log, reaper=self._guardian)

    def _stop_functions(self) -> None:
        for function in (*self.functions.values(), *self._consumers.values()):
            function.stop()

    def reset(self, plan: FaultPlan, record_format: str) -> None:
        """Empty everything that a schedule writes to; follow its plan from now on, with a consumer of its format."""
        self.functions[CONSUMER] = self._consumers[record_format]
        self.proxy.inject(FaultPlan())
        if any((rule.caller, rule.service) == (AGGREGATOR, "s3") for rule in self._plan.rules):
            self.functions[AGGREGATOR].deploy(REPOSITORY / "src")  # it may keep closed windows that S3 has refused
        self._plan = plan
        kinesis, dynamodb, s3 = (self._clients[name] for name in ("kinesis", "dynamodb", "s3"))
        stream = self.stack.resources["UpdatesStream"]
        kinesis.delete_stream(StreamName=stream)
        kinesis.create_stream(StreamName=stream, ShardCount=_SHARDS)
        for table in self._tables:
            dynamodb.delete_table(TableName=table["TableName"])
            dynamodb.create_table(
                TableName=table["TableName"],
                KeySchema=table["KeySchema"],
                AttributeDefinitions=table["AttributeDefinitions"],
                BillingMode="PAY_PER_REQUEST",
            )
        for name in ("StateBucket", "DataBucket", "FailuresBucket"):
            bucket = self.stack.resources[name]
            for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
                old = [
                    {"Key": one["Key"], "VersionId": one["VersionId"]}
                    for one in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
                ]
                if old:
                    s3.delete_objects(Bucket=bucket, Delete={"Objects": old, "Quiet": True})
        list(self.notifications())  # those of the schedule before, should it have been cut off
        self.proxy.forget()
        self.proxy.inject(plan)

    def resharding(self, changes: Iterable[Reshard]) -> Resharding:
        """Make ready what happens to the stream's shards."""
        return Resharding(changes, self._clients["kinesis"], self.stack.resources["UpdatesStream"])

    def checkpoint(self) -> tuple[str | None, bool]:
        """Return the committed token, and whether a gap before it is still to be fetched."""
        s3 = self._clients["s3"]
        try:
            body = s3.get_object(Bucket=self.stack.resources["StateBucket"], Key="checkpoint.json")["Body"].read()
        except s3.exceptions.NoSuchKey:
            return None, False
        checkpoint = msgspec.json.decode(body, type=Checkpoint)
        return checkpoint.position_token, checkpoint.gap is not None

    def answers(self) -> Iterator[tuple[str, bytes]]:
        """Yield what the API answers to each of its questions."""
        for target in _QUESTIONS:
            answer = self.functions[API].invoke(msgspec.json.encode(front_door.event(target, {}, "127.0.0.1")))
            yield target, msgspec.json.encode(answer.payload)

    def notifications(self) -> Iterator[tuple[str, str, bytes]]:
        """Yield rule, aircraft and update of each notification that subscribers got."""
        sqs = self._clients["sqs"]
        while messages := sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get("Messages", []):
            for message in messages:
                body = msgspec.json.decode(message["Body"], type=dict[str, Any])
                attributes = body["MessageAttributes"]
                update = body["Message"].strip().splitlines()[-1].encode()
                yield attributes["rule"]["Value"], attributes["icao_address"]["Value"], update
                sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])

    def kill(self) -> None:
        """End the processes at once, whatever they are doing; from any thread."""
        for function in (*self.functions.values(), *self._consumers.values()):
            function.kill()
        self.cloud.kill()

    def close(self) -> None:
        """End everything."""
        self._ending.close()
