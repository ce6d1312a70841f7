"""Secrets: nothing that the system says or shows holds the API token, however a run ends."""

from __future__ import annotations

import base64
import json

import pytest

from local.faults.aws.plan import Fault, FaultKind, FaultPlan, FaultRule
from tests.support.authorised_run import TOKEN
from tests.support.echo_server import EchoServer

WRONG_TOKEN = "0d2a-a-token-nobody-gave-9c41-77"
TOKENS = (TOKEN, WRONG_TOKEN)


def denied(service):
    """A plan under which a service refuses the consumer everything."""
    return FaultPlan((FaultRule(service=service, caller="ConsumerFunction", fault=Fault(kind=FaultKind.DENIED)),))


def error_of(payload):
    """A failed run's error type and message."""
    return payload["errorType"], payload["errorMessage"]


@pytest.fixture(scope="module")
def failures(authorised_run):
    """The authorised run, and then runs of the consumer that failed in every way that has to do with the token.

    Gives the payload of each by what went wrong.
    """
    consume = authorised_run.consume
    payloads = {f"{service} denied": consume(faults=denied(service)) for service in ("s3", "kinesis", "secretsmanager")}
    with EchoServer() as echo:
        for how in (400, 302, 401, 503, "stream"):
            echo.how = how
            payloads[f"echo {how}"] = consume(stream_url=echo.url)
        payloads["heard by the server"] = set(echo.authorizations)
    authorised_run.set_secret(WRONG_TOKEN)
    payloads["wrong token"] = consume()
    authorised_run.set_secret(json.dumps({"token": TOKEN}))
    payloads["token in JSON"] = consume()
    authorised_run.set_secret(TOKEN)
    return payloads


def leaks(text):
    """The tokens that are in a text, plain or in Base64."""
    encoded = [
        base64.b64encode(f"{prefix}{token}".encode())[:-4].decode() for token in TOKENS for prefix in ("", "Bearer ")
    ]
    return [token for token in (*TOKENS, *encoded) if token in text]


def test_the_failures_are_the_ones_meant(failures):
    """Each run failed where it was to fail, and the careless server did get the token to repeat."""
    assert failures["heard by the server"] == {f"Bearer {TOKEN}"}
    assert error_of(failures["s3 denied"])[0] == "CheckpointError"
    assert error_of(failures["kinesis denied"])[0] == "PublishError"
    assert error_of(failures["secretsmanager denied"])[0] == "ApiTokenError"
    assert error_of(failures["wrong token"])[0] == "UnauthorizedError"
    assert error_of(failures["token in JSON"])[0] == "ApiTokenError"
    assert error_of(failures["echo 401"])[0] == "UnauthorizedError"
    for status in (400, 302):
        kind, message = error_of(failures[f"echo {status}"])
        assert kind == "RequestRefusedError"
        assert f"answered {status} said Bearer ***" in message


def test_an_interrupted_stream_goes_on(failures):
    """A server that fails for a while, or says nonsense, is no error of the run's: it is logged, and retried."""
    assert failures["echo 503"]["stopped"] == failures["echo stream"]["stopped"] == "run_seconds"
    assert failures["echo stream"]["rejected"] > 2
    assert failures["echo stream"]["reconnects"] >= 1


@pytest.mark.usefixtures("failures")
def test_no_log_line_holds_the_token(authorised_run):
    """Neither the functions' logs at their most talkative, nor the metrics among them, nor a traceback."""
    lines = authorised_run.lines
    for what in ("stream interrupted", "the stream says"):
        assert any(what in line and "Authorization: Bearer ***" in line for line in lines)
    assert any('"_aws"' in line for line in lines)
    assert any("Traceback" in line or "stack_trace" in line or "stackTrace" in line for line in lines)
    assert [line for line in lines if leaks(line)] == []


def test_no_payload_holds_the_token(authorised_run, failures):
    """An exception's message and stack, and a summary, go to whoever looks at the invocation."""
    assert len(authorised_run.payloads) >= len(failures) - 1
    assert leaks(json.dumps(authorised_run.payloads)) == []


@pytest.mark.usefixtures("failures")
def test_what_a_person_is_shown_does_not_hold_the_token(authorised_run):
    """The terminal, with every detail asked for, and the report."""
    assert "run finished" in authorised_run.printed
    assert "Nothing was lost." in authorised_run.printed
    assert leaks(authorised_run.printed) == []
    assert leaks(json.dumps(authorised_run.report.as_json())) == []


def test_the_deployed_stack_does_not_hold_the_token(authorised_run):
    """Template, parameters, outputs and the functions' environments name the secret, and do not hold its value."""
    cloudformation = authorised_run.cloud.client("cloudformation")
    template = json.dumps(cloudformation.get_template(StackName="authorised")["TemplateBody"])
    described = json.dumps(cloudformation.describe_stacks(StackName="authorised")["Stacks"], default=str)
    functions = json.dumps(authorised_run.cloud.client("lambda").list_functions()["Functions"], default=str)
    assert "ConsumerFunction" in template
    assert "StreamUrl" in described
    assert authorised_run.stack.resources["ApiTokenSecret"] in functions
    assert leaks(template + described + functions) == []


@pytest.mark.usefixtures("failures")
def test_nothing_that_is_shown_holds_a_token(authorised_run):
    """Live objects and the alert log: neither the API token nor a position token, in whatever a run ended."""
    s3, bucket = authorised_run.cloud.client("s3"), authorised_run.stack.resources["DataBucket"]
    listed = s3.list_objects_v2(Bucket=bucket)["Contents"]
    shown = {
        one["Key"]: s3.get_object(Bucket=bucket, Key=one["Key"])["Body"].read().decode(errors="replace")
        for one in listed
        if one["Key"].startswith(("live/", "alerts/"))
    }
    assert {"live/status.json", "live/alerts.json"} <= shown.keys()
    assert any(key.startswith("alerts/date=") for key in shown)
    assert json.loads(shown["live/status.json"])["run_began_at"]
    positions = {json.loads(body)["position_token"] for body in authorised_run.checkpoints} - {None}
    assert positions
    assert [key for key, body in shown.items() if leaks(body) or any(token in body for token in positions)] == []


@pytest.mark.usefixtures("failures")
def test_the_checkpoint_does_not_hold_the_token(authorised_run):
    """The position token in it is another thing."""
    assert any('"position_token"' in body for body in authorised_run.checkpoints)
    assert leaks("".join(authorised_run.checkpoints)) == []
