"""The Lambda handler, whole: what it returns, logs and measures, and what it refuses before any connection is made."""

from __future__ import annotations

import json
import os
import signal
import threading
from dataclasses import dataclass, field
from datetime import timedelta

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError

from benchmarks.cost.model import STEADY_METRICS
from common.environment import ConfigurationError
from common.observability import metrics
from consumer import wiring
from consumer.deadline import Deadline
from consumer.errors import ApiTokenError, CheckpointError, ConsumerError, UnauthorizedError, UpdateProcessorError
from consumer.handler import handler
from consumer.ingestion.stop_request import StopRequest
from consumer.publish.shard_map import ListShards
from consumer.rare_warning import AT_ONCE
from consumer.settings import Settings
from tests.integration.consumer.conftest import API_TOKEN, BUCKET, DATA_BUCKET, STREAM, every, message, target, token
from tests.support.conditions import wait_until
from tests.support.scripted_stream import ScriptedStream

DOCUMENTED = {
    "UpdatesReceived",
    "UpdatesPublished",
    "DuplicatesDropped",
    "LinesRejected",
    "Reconnects",
    "PutRetries",
    "BytesReceived",
    "SourceLag",
    "CommittedTokenAge",
    "ReadingShare",
    "RunsFailed",
    "LeaseLost",
    "UnrecoverableGapSeconds",
}


@dataclass
class Context:
    """What Lambda passes beside the event; time stands still at `seconds` before the deadline."""

    seconds: float = 600.0
    function_name: str = "consumer"
    memory_limit_in_mb: int = 256
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:consumer"
    aws_request_id: str = field(default="request-1")

    def get_remaining_time_in_millis(self):
        return int(self.seconds * 1000)


@pytest.fixture
def stream(clock):
    """A stream of three updates and a token, which counts who asks."""

    def three(exchange):
        exchange.begin()
        for number in range(3):
            exchange.send(message(target(number, clock.now())) + b"\n")
        while not exchange._stopping.is_set():
            exchange.send(token(f"t{number}"))
            number += 1
            exchange._stopping.wait(0.01)

    with ScriptedStream(three) as server:
        yield server


@pytest.fixture
def function(state, stream, monkeypatch):
    """The function's surroundings as the template makes them; gives a way to set a variable."""
    del state
    for client in (wiring.s3, wiring.kinesis, wiring.secrets_manager):
        client.cache_clear()
    metrics.clear_metrics()
    secret = boto3.client("secretsmanager").create_secret(Name="api-token", SecretString=API_TOKEN)["ARN"]
    for name, value in {
        "STREAM_URL": stream.url,
        "API_TOKEN_SECRET_ARN": secret,
        "STATE_BUCKET": BUCKET,
        "DATA_BUCKET": DATA_BUCKET,
        "UPDATES_STREAM_NAME": STREAM,
    }.items():
        monkeypatch.setenv(name, value)
    yield monkeypatch.setenv
    for client in (wiring.s3, wiring.kinesis, wiring.secrets_manager):
        client().close()
        client.cache_clear()


def put_secret(value):
    """Put a text into the API token's secret; None puts bytes there."""
    given = {"SecretBinary": b"bytes"} if value is None else {"SecretString": value}
    boto3.client("secretsmanager").put_secret_value(SecretId="api-token", **given)


def emitted(capsys):
    """Return the metric lines written so far, decoded."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]


SHORT = {"detail": {"run_seconds": 0.05}}


@pytest.fixture
def run_until():
    """A function that runs the handler and sends it SIGTERM as soon as a condition holds; returns the summary."""

    def run(condition):
        def terminate():
            wait_until(condition)
            os.kill(os.getpid(), signal.SIGTERM)

        terminator = threading.Thread(target=terminate)
        terminator.start()
        try:
            return handler({}, Context())
        finally:
            terminator.join()

    return run


def test_the_summary_is_returned_and_logged(function, run_until, state, stream, caplog):
    """A run must return the documented summary, log it, and leave updates, checkpoint and no lease behind."""
    del function
    summary = run_until(lambda: len(state.numbers) == 3)
    assert json.loads(json.dumps(summary)) == summary
    assert summary == summary | {
        "stopped": "requested",
        "graceful": True,
        "updates": 3,
        "published": 3,
        "reconnects": 0,
        "duplicates_dropped": 0,
        "rejected": 0,
        "recovered_gap": None,
        "unrecoverable_gap": None,
    }
    assert summary.keys() >= {"bytes", "committed_token_age_seconds", "source_lag_seconds", "reading_share"}
    assert len(summary) == 13
    [record] = [record for record in caplog.records if record.getMessage() == "run finished"]
    assert {name: getattr(record, name) for name in summary} == summary
    assert state.numbers == [0, 1, 2]
    assert state.checkpoint["lease"] is None
    assert stream.requests[0].headers["authorization"] == f"Bearer {API_TOKEN}"
    assert stream.requests[0].parameters == {"position_token": "LATEST", "compression": "gzip"}


def test_metrics_are_those_of_the_design(function, run_until, state, capsys):
    """Every metric must bear a documented name and the dimension `service` alone, and counts must add up."""
    del function
    run_until(lambda: len(state.numbers) == 3 and state.checkpoint["position_token"] is not None)
    entries = emitted(capsys)
    counted = {}
    for entry in entries:
        [described] = entry["_aws"]["CloudWatchMetrics"]
        assert described["Dimensions"] == [["service"]]
        for metric in described["Metrics"]:
            assert metric["Name"] in DOCUMENTED
            counted[metric["Name"]] = counted.get(metric["Name"], 0) + sum(entry[metric["Name"]])
    assert counted["UpdatesReceived"] == counted["UpdatesPublished"] == 3
    assert counted["BytesReceived"] > 0
    assert counted.keys() == set(STEADY_METRICS["consumer"]), "what did not happen costs nothing"
    assert len(entries) >= 2, "metrics are written at commits, not only at the end"


def test_sigterm_stops_a_run_at_a_token(function, run_until, state):
    """SIGTERM must end the run at the next token as a graceful stop, and the handler before it must be back."""
    del function
    before = signal.getsignal(signal.SIGTERM)
    summary = run_until(lambda: len(state.numbers) == 3)
    assert (summary["stopped"], summary["graceful"]) == ("requested", True)
    assert signal.getsignal(signal.SIGTERM) == before
    assert state.checkpoint["lease"] is None


SECRETS = {
    "bytes instead of text": (None, "is empty"),
    "blank": (" \n", "is empty"),
    "JSON": (json.dumps({"token": API_TOKEN}), "bare token"),
    "JSON without spaces": (f'{{"token":"{API_TOKEN}"}}', "bare token"),
    "two lines": (f"{API_TOKEN}\nsecond", "bare token"),
    "a space": (f"Bearer {API_TOKEN}", "bare token"),
    "no ASCII": (f"{API_TOKEN}\u00e9", "bare token"),
}


@pytest.mark.parametrize(("value", "says"), SECRETS.values(), ids=SECRETS)
def test_an_unusable_secret_is_found_before_connecting(function, stream, capsys, caplog, value, says):  # noqa: PLR0913, PLR0917 -- its fixtures
    """A secret that holds no token must fail the run before any connection, and tell the command that mends it."""
    del function
    put_secret(value)
    with pytest.raises(ApiTokenError, match=says) as caught:
        handler({}, Context())
    assert "set it with: pipenv run set-token <stack>" in str(caught.value)
    assert stream.requests == []
    assert [entry["RunsFailed"] for entry in emitted(capsys)] == [[1.0]]
    assert API_TOKEN not in str(caught.value) + caplog.text


def test_a_missing_secret_is_found_before_connecting(function, stream, capsys):
    """A secret that is not there must be named, with the command that sets it."""
    function("API_TOKEN_SECRET_ARN", "arn:aws:secretsmanager:us-east-1:123456789012:secret:elsewhere-abcdef")
    with pytest.raises(ApiTokenError, match=r"elsewhere.*is missing or has no value yet.*pipenv run set-token"):
        handler({}, Context())
    assert stream.requests == []
    assert [entry["RunsFailed"] for entry in emitted(capsys)] == [[1.0]]


def test_a_token_with_a_line_end_after_it_is_taken(function, stream):
    """A token stored with the line end that an editor adds must work."""
    del function
    put_secret(f"{API_TOKEN}\n")
    handler(SHORT, Context())
    assert stream.requests[0].headers["authorization"] == f"Bearer {API_TOKEN}"


def test_a_missing_bucket_is_found_before_connecting(function, stream, capsys):
    """A state bucket that is not there must fail the run before any connection, and be named."""
    function("STATE_BUCKET", "not-there")
    with pytest.raises(CheckpointError, match=r"s3://not-there/checkpoint.json.*Check the bucket"):
        handler({}, Context())
    assert stream.requests == []
    assert [entry["RunsFailed"] for entry in emitted(capsys)] == [[1.0]]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STREAM_URL", "ftp://127.0.0.1/"),
        ("STATE_BUCKET", ""),
        ("UPDATES_STREAM_NAME", ""),
        ("API_TOKEN_SECRET_ARN", ""),
        ("START_POSITION", "YESTERDAY"),
        ("COMPRESSION", "zstd"),
        ("ICAO_ADDRESSES", "040172,xyz"),
        ("LATITUDE_BETWEEN", "34,33"),
        ("LONGITUDE_BETWEEN", "170"),
        ("ALTITUDE_BETWEEN", "low,high"),
        ("MAX_AGE_SECONDS", "-1"),
        ("LATE_FILTER", "maybe"),
    ],
)
def test_a_wrong_parameter_is_found_before_connecting(function, stream, capsys, name, value):
    """A wrong setting must fail the run before any connection, naming the variable, what it got and what it takes."""
    function(name, value)
    with pytest.raises(ConfigurationError, match=rf"^{name}: .*expected") as caught:
        handler({}, Context())
    assert value.split(",")[-1] in str(caught.value)
    assert stream.requests == []
    assert [entry["RunsFailed"] for entry in emitted(capsys)] == [[1.0]]


@pytest.mark.parametrize("seconds", [0, -1, "10", True])
def test_a_wrong_event_is_found_before_connecting(function, stream, capsys, seconds):
    """A wrong `run_seconds` in the event must fail the run before any connection, and be named."""
    del function
    with pytest.raises(ConfigurationError, match=r"detail.run_seconds: got"):
        handler({"detail": {"run_seconds": seconds}}, Context())
    assert stream.requests == []
    assert [entry["RunsFailed"] for entry in emitted(capsys)] == [[1.0]]


def test_a_held_lease_reads_nothing(function, state, stream, clock):
    """While another consumer is at work the run must end at once, in order, and read nothing."""
    del function
    expires_at = (clock.now() + timedelta(seconds=60)).isoformat()
    state.put_checkpoint(lease={"owner": "other", "expires_at": expires_at})
    summary = handler({}, Context())
    assert (summary["stopped"], summary["graceful"], summary["updates"]) == ("lease_held", True, 0)
    assert stream.requests == []


def test_the_api_token_is_nowhere_in_the_output(function, capsys, caplog):
    """Even a server that repeats the API token everywhere must not get it into a log line, a metric or an error."""
    status = b'{"status":{"level":"ERROR","message":"bad ' + API_TOKEN.encode() + b'","code":300}}\n'

    def telling(exchange):
        exchange.begin()
        exchange.send(status)
        exchange.raw(API_TOKEN.encode() + b"\r\n")

    def refusing(exchange):
        exchange.refuse(401, API_TOKEN.encode() * 50, reason=f"bad {API_TOKEN}")

    with ScriptedStream(telling, refusing) as server:
        function("STREAM_URL", server.url)
        with pytest.raises(UnauthorizedError) as caught:
            handler({}, Context())
    logged = "".join(str(record.__dict__) for record in caplog.records)
    assert "the stream says" in logged
    assert "bad ***" in logged
    printed = capsys.readouterr()
    assert API_TOKEN not in logged + printed.out + printed.err + caplog.text + str(caught.value)


def test_a_failed_run_is_logged_with_its_class(function, caplog):
    """The log must say what failed in words and by class, so that an alarm leads to its page."""
    function("STATE_BUCKET", "not-there")
    with pytest.raises(ConsumerError):
        handler({}, Context())
    [record] = [record for record in caplog.records if record.levelname == "ERROR"]
    assert record.error_class == "CheckpointError"
    assert "not-there" in record.getMessage()


def test_runs_of_one_process_follow_each_other(function, state, stream, simulator, clock):
    """A warm process must run again and again, each run going on where the last one stopped."""
    del stream
    server = simulator(every(0.001, 60, clock.now()))
    function("STREAM_URL", server.url)
    function("START_POSITION", "BEGINNING")
    published = 0
    while published < 60:
        published += handler({"detail": {"run_seconds": 0.2}}, Context(aws_request_id=f"r{published}"))["published"]
    assert state.numbers == list(range(60))


def test_what_a_processor_of_ones_own_failed_on_is_published_by_the_next_run(function, run_until, state, clock):
    """The run fails and says so; the next one, in the same process, gets the same updates and takes none for known."""
    lines = [message(target(number, clock.now())) + b"\n" for number in range(3)]

    def the_same_again(exchange):
        exchange.begin()
        for line in lines:
            exchange.send(line)
        while not exchange._stopping.is_set():
            exchange.send(token("t"))
            exchange._stopping.wait(0.01)

    function("UPDATE_PROCESSOR", "tests.support.own_processors:fail_once")
    with ScriptedStream(the_same_again) as server:
        function("STREAM_URL", server.url)
        with pytest.raises(UpdateProcessorError, match="not today"):
            handler({}, Context())
        assert state.numbers == []
        run_until(lambda: len(state.numbers) == 3)
    assert state.numbers == [0, 1, 2]


def test_at_the_end_the_log_says_how_many_failures_to_list_shards_it_left_out(function, clock, monkeypatch, caplog):
    """As it says of all others that come too often to be logged each time."""
    function("RECORD_FORMAT", "envelope")
    function("ALERT_PATTERNS", '{"data":{"squawk":["7700"]}}')
    made = []

    class Unlisted(ListShards):
        """Whose stream cannot be asked just now."""

        def __init__(self, _kinesis, stream_name):
            made.append(self)
            super().__init__(self, stream_name)

        def list_shards(self, **_):
            raise EndpointConnectionError(endpoint_url="https://kinesis")

    monkeypatch.setattr(wiring, "ListShards", Unlisted)
    settings, deadline = Settings.from_environment(os.environ), Deadline(clock, 60)
    with wiring.run(settings, "run-1", clock, deadline=deadline, stop_request=StopRequest(clock)):
        for _ in range(AT_ONCE + 7):
            assert made[0]() is None
    [line] = [vars(record) for record in caplog.records if "were left out" in record.message]
    assert line["left_out"] == 7
