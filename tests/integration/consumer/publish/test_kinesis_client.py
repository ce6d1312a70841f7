"""The lean Kinesis client against boto3's: the same call, answer and errors."""

from __future__ import annotations

import base64
import json
import socket
import ssl
import threading
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError, HTTPClientError, SSLError
from hypothesis import given
from hypothesis import strategies as st

from consumer import wiring
from tests.support.self_signed import make_certificate

STREAM = "updates"
records = st.lists(
    st.fixed_dictionaries(
        {"Data": st.binary(min_size=1, max_size=40), "PartitionKey": st.text(min_size=1, max_size=9)}
    ),
    min_size=1,
    max_size=5,
)


class Kinesis:
    """A server that notes each request, by TLS if it has a certificate, and answers what the test wants."""

    def __init__(self, certificate=None):
        self.requests = []
        self.answer = 200, {"FailedRecordCount": 0, "Records": []}
        handler = type(
            "Handler",
            (BaseHTTPRequestHandler,),
            {
                "do_POST": lambda request: self.post(request),  # noqa: PLW0108 - a bound method would not get it
                "log_message": lambda *_: None,
            },
        )
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
            self.url = self.url.replace("http", "https")
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def post(self, request):
        body = request.rfile.read(int(request.headers["Content-Length"]))
        self.requests.append((request.path, dict(request.headers.items()), json.loads(body)))
        status, answer = self.answer
        content = json.dumps(answer).encode()
        request.send_response(status)
        request.send_header("Content-Type", "application/x-amz-json-1.1")
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)

    def close(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="module")
def server():
    """A server for the whole module."""
    server = Kinesis()
    yield server
    server.close()


OWN = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE")
"""Settings of the machine's own, which are no part of a test."""


@contextmanager
def environment(url, **variables):
    """Have the endpoint at this address, and these variables."""
    with pytest.MonkeyPatch.context() as patch:
        for name in OWN:
            patch.delenv(name, raising=False)
            patch.delenv(name.lower(), raising=False)
        for name, value in {"AWS_ENDPOINT_URL": url, **variables}.items():
            patch.setenv(name, value)
        wiring.kinesis.cache_clear()
        yield
        wiring.kinesis.cache_clear()


@contextmanager
def clients(url, **variables):
    """The lean client and boto3's, both of the same server, made in such an environment."""
    with environment(url, **variables):
        lean, usual = wiring.kinesis(), boto3.client("kinesis", config=Config(retries={"total_max_attempts": 1}))
    with closing(lean), closing(usual):
        yield lean, usual


@pytest.fixture(scope="module")
def both(server):
    """Both clients of the server."""
    with clients(server.url) as both:
        yield both


def signed(headers):
    """Return the names of the headers that the signature covers."""
    return headers["Authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")


@given(batch=records)
def test_the_request_is_the_one_that_boto3_makes(server, both, batch):
    """Path, body, target and what is signed are the same, whatever the data and the keys are."""
    server.requests.clear()
    server.answer = 200, {"FailedRecordCount": 0, "Records": [{"SequenceNumber": "1", "ShardId": "s"}] * len(batch)}
    for client in both:
        client.put_records(StreamName=STREAM, Records=batch)
    (path, headers, body), (usual_path, usual_headers, usual_body) = server.requests
    assert path == usual_path
    assert body == usual_body
    assert [base64.b64decode(entry["Data"]) for entry in body["Records"]] == [one["Data"] for one in batch]
    for name in ("X-Amz-Target", "Content-Type"):
        assert headers[name] == usual_headers[name]
    signed, usual_signed = (
        h["Authorization"].split("SignedHeaders=")[1].split(",")[0] for h in (headers, usual_headers)
    )
    assert signed.split(";") == usual_signed.split(";")


def test_entries_that_failed_are_distinguished(server, both):
    """An entry with an error code has failed, the one beside it has not; so both clients say."""
    server.answer = (
        200,
        {
            "FailedRecordCount": 1,
            "Records": [
                {"SequenceNumber": "1", "ShardId": "s", "ErrorCode": None, "ErrorMessage": None},
                {"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "slow down"},
            ],
        },
    )
    batch = [{"Data": b"a", "PartitionKey": "A"}, {"Data": b"b", "PartitionKey": "B"}]
    for client in both:
        entries = client.put_records(StreamName=STREAM, Records=batch)["Records"]
        assert ["ErrorCode" in entry for entry in entries] == [False, True]


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (400, {"__type": "ResourceNotFoundException", "message": "no such stream"}),
        (400, {"__type": "com.amazonaws.kinesis#ProvisionedThroughputExceededException", "Message": "slow down"}),
        (500, {"__type": "InternalFailure"}),
        (403, {"__type": "AccessDeniedException", "Message": "may not"}),
    ],
)
def test_a_refusal_is_the_error_that_boto3_raises(server, both, status, answer):
    """Code, message and HTTP status of a refused call are the same."""
    server.answer = status, answer
    returned = []
    for client in both:
        with pytest.raises(ClientError) as caught:
            client.put_records(StreamName=STREAM, Records=[{"Data": b"a", "PartitionKey": "A"}])
        response = caught.value.response
        returned.append((response["Error"], response["ResponseMetadata"]["HTTPStatusCode"]))
    assert returned[0] == returned[1]


def test_no_connection_is_an_error_of_the_transport(monkeypatch):
    """Where nobody listens, the error is one that the publisher tries again after."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    wiring.kinesis.cache_clear()
    client = wiring.kinesis()
    wiring.kinesis.cache_clear()
    with pytest.raises((EndpointConnectionError, ConnectTimeoutError, HTTPClientError)):
        client.put_records(StreamName=STREAM, Records=[{"Data": b"a", "PartitionKey": "A"}])
    client.close()


def test_a_call_is_sent_without_delay(server, both):
    """The connection sends what it is given at once, as boto3's does: a small call must not wait 40 ms for itself."""
    lean, usual = both
    server.answer = 200, {"FailedRecordCount": 0, "Records": [{"SequenceNumber": "1", "ShardId": "s"}]}
    for client, http in ((lean, lean._http), (usual, usual._endpoint.http_session)):
        client.put_records(StreamName=STREAM, Records=[{"Data": b"a", "PartitionKey": "A"}])
        pool = http._manager.connection_from_url(server.url)
        assert (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1) in pool.conn_kw["socket_options"]


ONE = [{"Data": b"a", "PartitionKey": "A"}]
TAKEN = 200, {"FailedRecordCount": 0, "Records": [{"SequenceNumber": "49", "ShardId": "s"}]}


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy"])
def test_calls_go_by_way_of_the_proxy_that_the_environment_names(server, name):
    """A VPC may let traffic out through a proxy alone: as for S3 and Secrets Manager, so for Kinesis."""
    server.answer = TAKEN
    server.requests.clear()
    with clients("http://kinesis.invalid", **{name: server.url}) as both:
        for client in both:
            assert client.put_records(StreamName=STREAM, Records=ONE)["Records"]
    assert [path for path, _, _ in server.requests] == ["http://kinesis.invalid/"] * 2


def test_no_proxy_leaves_kinesis_out(server):
    """An endpoint in the VPC is reached without the proxy, as NO_PROXY says."""
    server.answer = TAKEN
    server.requests.clear()
    with clients(server.url, HTTP_PROXY="http://127.0.0.1:9", NO_PROXY="127.0.0.1") as both:
        for client in both:
            assert client.put_records(StreamName=STREAM, Records=ONE)["Records"]
    assert [path for path, _, _ in server.requests] == ["/"] * 2


@pytest.fixture
def secured(tmp_path):
    """A server of TLS whose certificate nobody vouches for, and the certificate's file."""
    certificate = make_certificate(tmp_path, "127.0.0.1")
    server = Kinesis(certificate)
    server.answer = TAKEN
    yield server, certificate
    server.close()


@pytest.mark.parametrize("name", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
def test_whom_the_environment_trusts_is_trusted(secured, name):
    """A proxy that looks into TLS shows a certificate of the company's own authority."""
    server, certificate = secured
    with clients(server.url, **{name: str(certificate)}) as both:
        for client in both:
            assert client.put_records(StreamName=STREAM, Records=ONE)["Records"]


@pytest.mark.parametrize("variables", [{}, {"AWS_CA_BUNDLE": ""}, {"REQUESTS_CA_BUNDLE": ""}])
def test_nobody_else_is_trusted(secured, variables):
    """Without such a variable, or with an empty one, the public authorities vouch: nobody else sees a record."""
    server, _ = secured
    with environment(server.url, **variables):
        lean = wiring.kinesis()
    with closing(lean), pytest.raises(SSLError, match="CERTIFICATE_VERIFY_FAILED"):
        lean.put_records(StreamName=STREAM, Records=ONE)
    assert server.requests == []
