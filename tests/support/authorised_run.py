"""A whole local run in which every call of a function passes a proxy that authorises it, and every word is kept."""

from __future__ import annotations

import contextlib
import io
import json
import math
import os
import time
from dataclasses import replace

from rich.console import Console

from local import shutdown
from local.aws.moto import Cloud
from local.cli.closing_table import show_report
from local.deploy import create
from local.event_source_mapping.destination import Destination, DestinationClients
from local.event_source_mapping.failure import Discard
from local.event_source_mapping.record import PendingRecord
from local.faults.aws.authorisation import Authoriser
from local.faults.aws.plan import FaultPlan
from local.faults.aws.proxy import AwsProxy
from local.function_names import API, CONSUMER
from local.pipeline import Pipeline
from local.run_options import RunOptions
from local.runtime.function import Function
from local.runtime.function_log import FunctionLog
from local.simulator.feed import Feed
from local.simulator.flights import GeneratedTraffic
from local.simulator.server import TrackingStreamServer
from local.source.simulated import SimulatedSource, SimulatedStream
from local.web import front_door

TOKEN = "e7c1b0d2-the-token-of-this-run-4f6a9938"
SECONDS = 20.0


class Traffic:
    """Generated traffic, with an emergency and a line that is no target update among it."""

    kind = "generated"
    endless = True

    def __init__(self):
        self._traffic = GeneratedTraffic(rate=20, aircraft=100, seed=4, start=time.time() - SECONDS)
        self.start = self._traffic.start
        self.identity = "authorised run"

    def updates(self):
        for number, (ingested, line) in enumerate(self._traffic.updates()):
            if number == 20:
                update = json.loads(line)["target"] | {"squawk": "7700"}
                yield ingested, json.dumps({"target": update}).encode()
            elif number == 40:
                yield ingested, b'{"target": {"icao_address": 5}}'
            else:
                yield ingested, line


@contextlib.contextmanager
def _drain_seconds_of(seconds):
    """Wait no three minutes for functions that a missing permission keeps from getting on."""
    usual, shutdown.DRAIN_SECONDS = shutdown.DRAIN_SECONDS, seconds
    try:
        yield
    finally:
        shutdown.DRAIN_SECONDS = usual


class AuthorisedRun:
    """The run, and afterwards the stack it left, still up: functions can be invoked, and clients made, by role.

    Used as a context manager. `lines` are all that the functions wrote, `printed` what a person was shown, `payloads`
    the answers of invocations by hand, `checkpoints` the bodies of the checkpoint after each.
    """

    def __init__(self, repository, record_format="single", key=""):
        self._repository = repository
        self._record_format = record_format
        self._key = key
        self._running = contextlib.ExitStack()
        self._functions = {}
        self.lines = []
        self.payloads = []
        self.checkpoints = []
        self._printed = io.StringIO()

    def __enter__(self):
        with contextlib.ExitStack() as running:
            self._keep_every_line(running)
            self.cloud = Cloud()
            running.callback(self.cloud.stop)
            self.feed = Feed(Traffic(), speed=math.inf, duration=SECONDS)
            self.server = running.enter_context(TrackingStreamServer(self.feed, token=TOKEN, token_interval=0.3))
            running.callback(self.feed.stop)
            self.stack = create(
                self.cloud,
                self._repository / "template.yaml",
                name="authorised",
                parameters={
                    "StreamUrl": self.server.url,
                    "StartPosition": "BEGINNING",
                    "StreamMode": "PROVISIONED",
                    "RecordFormat": self._record_format,
                    "KmsKeyArn": self._key,
                    "WindowSeconds": "1",
                    "LogLevel": "DEBUG",
                },
                secret_value=TOKEN,
                timeouts={CONSUMER: 60},
            )
            self.authoriser = Authoriser(
                self.cloud.client("iam"),
                {name: function.role_arn for name, function in self.stack.functions.items()},
                self._key,
            )
            self.proxy = running.enter_context(AwsProxy(self.cloud.endpoint, authoriser=self.authoriser))
            running.callback(self._stop_functions)
            self.report = self._run()
            self._running = running.pop_all()
        return self

    def __exit__(self, *_):
        self._running.close()

    @property
    def printed(self):
        """What the terminal showed."""
        return self._printed.getvalue()

    def client(self, service, function):
        """A client with a function's credentials, through the proxy."""
        return self.cloud.client(service, caller=function, endpoint=self.proxy.url)

    def give_up_a_record(self, function):
        """Have the poller keep a record in the on-failure bucket, as it does when a function has failed too often."""
        settings = next(
            one for one in self.stack.mappings if self.stack.function(one.function_arn).logical_id == function
        )
        record = PendingRecord("1", 0.0, 0.0, b"{}")
        discard = Discard(
            "shardId-000000000000", "RetryAttemptsExhausted", (record,), record, record, b"{}", 51, "id", "Unhandled"
        )
        Destination(settings, DestinationClients(s3=self.client("s3", function))).send(discard, time.time())

    def set_secret(self, value):
        """Replace what the secret holds."""
        secret = self.stack.resources["ApiTokenSecret"]
        self.cloud.client("secretsmanager").put_secret_value(SecretId=secret, SecretString=value)

    def consume(self, *, stream_url=None, faults=None, run_seconds=2):
        """Invoke the consumer by itself, from its own checkpoint; gives the payload."""
        self._take_checkpoints()
        if stream_url not in self._functions:
            settings = self.stack.functions[CONSUMER]
            if stream_url is not None:
                settings = replace(settings, environment=settings.environment | {"STREAM_URL": stream_url})
            source = self._repository / "src"
            self._functions[stream_url] = Function(settings, source, self.proxy.url, os.environ["PATH"])
        self.proxy.inject(faults or FaultPlan())
        try:
            event = json.dumps({"detail": {"run_seconds": run_seconds}}).encode()
            result = self._functions[stream_url].invoke(event)
        finally:
            self.proxy.inject(FaultPlan())
        self.payloads.append(result.payload)
        return result.payload

    def ask(self, target):
        """Have the API's function answer a GET, as it is called by an HTTP API; gives the answer's body."""
        if API not in self._functions:
            source = self._repository / "src"
            self._functions[API] = Function(self.stack.functions[API], source, self.proxy.url, os.environ["PATH"])
        payload = self._functions[API].invoke(json.dumps(front_door.event(target, {}, "127.0.0.1")).encode()).payload
        assert payload["statusCode"] == 200, payload
        return json.loads(payload["body"])

    def _take_checkpoints(self):
        """Remember the checkpoint and take it away."""
        s3, bucket = self.cloud.client("s3"), self.stack.resources["StateBucket"]
        for entry in s3.list_objects_v2(Bucket=bucket, Prefix="checkpoint.json").get("Contents", []):
            self.checkpoints.append(s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read().decode())
            s3.delete_object(Bucket=bucket, Key=entry["Key"])

    def _run(self):
        options = RunOptions(
            source=SimulatedSource(traffic=self.feed.source, speed=math.inf, token_interval=0.3),
            duration=SECONDS,
            window=1,
            consumer_timeout=60,
            verbose=True,
        )
        console = Console(file=self._printed, width=200)
        began = time.monotonic()
        pipeline = Pipeline(
            options,
            self.stack,
            self.cloud,
            SimulatedStream(self.feed, self.server, TOKEN),
            task_root=self._repository / "src",
            path=os.environ["PATH"],
            tell=lambda text: console.print(text, markup=False),
            endpoint=self.proxy.url,
        )
        with contextlib.closing(pipeline):
            self.feed.start()
            pipeline.start()
            self.feed.finished.wait()
            with _drain_seconds_of(40.0):
                pipeline.finish()
            report = pipeline.report(time.monotonic() - began)
        show_report(console, report)
        self.calls_of_the_run = self.proxy.calls
        return report

    def _keep_every_line(self, running):
        """Hear what functions write before their logs sort it: those keep no metrics, and only the newest lines."""
        write = FunctionLog.write

        def heard(log, line):
            self.lines.append(line)
            write(log, line)

        FunctionLog.write = heard  # type: ignore[method-assign]
        running.callback(setattr, FunctionLog, "write", write)

    def _stop_functions(self):
        for function in self._functions.values():
            function.stop()
