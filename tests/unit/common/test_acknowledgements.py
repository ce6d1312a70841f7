"""An answer of status 200 that did not come from AWS fails the call, whichever function makes it."""

from __future__ import annotations

import ast
from contextlib import closing
from http.server import BaseHTTPRequestHandler

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from common import acknowledgements, aws
from common.acknowledgements import UnacknowledgedError
from tests.support.http_server import LoopbackServer

PAGE = b"<!DOCTYPE html><html><body>Please sign in to the network.</body></html>"
BUCKET = {"Bucket": "data", "Key": "live/status.json"}
KEY = {"icao_address": {"S": "78121E"}}
CALLS = {
    "GetItem": ("dynamodb", {"TableName": "aircraft", "Key": KEY}),
    "GetObject": ("s3", BUCKET),
    "HeadObject": ("s3", BUCKET),
    "ListObjectsV2": ("s3", {"Bucket": "data"}),
    "Publish": ("sns", {"TopicArn": "arn:aws:sns:us-east-1:123456789012:alerts", "Message": "7700"}),
    "PutItem": ("dynamodb", {"TableName": "aircraft", "Item": KEY}),
    "PutObject": ("s3", BUCKET | {"Body": b"{}"}),
    "PutRecordBatch": ("firehose", {"DeliveryStreamName": "windows", "Records": [{"Data": b"{}"}]}),
    "UpdateItem": ("dynamodb", {"TableName": "aircraft", "Key": KEY}),
}


class Answering(LoopbackServer):
    """Answers everything with one status and body."""

    def __init__(self, status, body):
        class Handler(BaseHTTPRequestHandler):
            def answer(self):
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(b"" if self.command == "HEAD" else body)

            do_GET = do_HEAD = do_POST = do_PUT = answer  # noqa: N815 - what http.server calls

            def log_message(self, *_):
                """Say nothing."""

        super().__init__(Handler, "answering")


@pytest.fixture
def call(monkeypatch):
    """A function that makes a call to a server, as the functions do."""
    monkeypatch.setenv("AWS_REQUEST_CHECKSUM_CALCULATION", "when_required")

    def make(url, operation):
        service, parameters = CALLS[operation]
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        options = {"retries": {"total_max_attempts": 1}, "s3": {"addressing_style": "path"}}
        with closing(aws.client(service, options)) as client:
            return getattr(client, xform_name(operation))(**parameters)

    return make


@pytest.mark.parametrize("body", [b"", PAGE, b"{}"], ids=["nothing", "a page", "an empty object"])
@pytest.mark.parametrize("operation", sorted(acknowledgements.SAID))
def test_an_answer_that_says_nothing_of_aws_fails_the_call(call, operation, body):
    """Botocore takes most of them for a success, fails at some, and makes an error 500 of one or two of S3's."""
    with Answering(200, body) as server, pytest.raises((UnacknowledgedError, ClientError)) as caught:
        call(server.url, operation)
    assert isinstance(caught.value, UnacknowledgedError) or "(500)" in str(caught.value)
    assert len(str(caught.value)) < 1_000


@pytest.mark.parametrize("status", [304, 404, 412, 503])
def test_a_refusal_is_raised_as_ever(call, status):
    """It has no answer's fields, and says itself that nothing was done."""
    with Answering(status, b"") as server, pytest.raises(ClientError) as caught:
        call(server.url, "GetObject")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


def test_every_write_of_the_functions_is_among_them(repository):
    """A call that is added later has to say by what AWS acknowledges it; the stream's has rules of its own."""
    ours = {xform_name(operation) for operation in CALLS} | {"put_records", "list_shards", "get_secret_value"}
    known = {
        xform_name(operation)
        for service in ("dynamodb", "firehose", "kinesis", "s3", "secretsmanager", "sns")
        for operation in aws.session().get_service_model(service).operation_names
    }
    called = {
        node.func.attr
        for path in (repository / "src").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    assert called & known == ours & called
