"""What the server refuses, how it says so, and whom it disconnects."""

from __future__ import annotations

import math
import socket
import threading

import pytest
import requests

from local.simulator.body import ChunkedBody
from tests.support.conditions import wait_until


@pytest.mark.parametrize("token", [None, "", "wrong", "secret-of-the-test", "secret-of-the-tests2"])
def test_a_wrong_api_token(serve, ask, token):
    """Without the right API token the answer is 401 with a JSON body that does not give the token away."""
    answer = ask(serve([]), token=token)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == 401
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("?latitude_between=91,92", "latitude_between"),
        ("?colour=red", "colour"),
        ("?position_token=made-up", "position_token"),
        ("?start=2024-03-03T23:23:59Z&end=2024-03-04T23:24:00Z", "start"),
    ],
)
def test_a_bad_parameter(serve, ask, query, parameter):
    """A parameter that cannot be served is answered 400, with its name, what it got and what it takes."""
    server = serve([])
    answer = ask(server, query)
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/json"
    error = answer.json()["error"]
    assert error["parameter"] == parameter
    assert error["got"]
    assert error["takes"]
    assert error["message"].startswith(f"{parameter}: got ")
    assert server.connections == 0


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_only_get(serve, ask, method):
    """Any other method is answered 405, with what is allowed."""
    answer = ask(serve([]), method=method)
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_only_one_path(serve, ask, method):
    """Any other path is answered 404, with the path that is there."""
    answer = ask(serve([]), path="/v1/targets", method=method)
    assert answer.status_code == 404
    assert "/v2/targets/stream" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("request_line", "status"),
    [(b"GET /v2/targets/stream HTTP/1.0", b"505"), (b"GET", b"400"), (b"BREW /v2/targets/stream HTTP/1.1", b"501")],
)
def test_what_is_not_http_1_1(serve, request_line, status):
    """A request that cannot be read or answered in chunks is refused in JSON, and the server lives on."""
    server = serve([])
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        client.sendall(request_line + b"\r\n\r\n")
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    assert status in answer
    assert b'{"error":' in answer


def _request(server, **options):
    client = socket.socket()
    for option, value in options.items():
        client.setsockopt(socket.SOL_SOCKET, getattr(socket, option), value)
    client.settimeout(10)
    client.connect(("127.0.0.1", server.port))
    client.sendall(
        b"GET /v2/targets/stream?position_token=BEGINNING&compression=none HTTP/1.1\r\nHost: x\r\n"
        b"Authorization: Bearer secret-of-the-tests\r\n\r\n"
    )
    return client


def _ended_early(client):
    """Read until the connection ends; return whether it did so without the end of the body."""
    received = b""
    try:
        while data := client.recv(1 << 20):
            received = (received + data)[-16:]
    except ConnectionResetError:
        return True
    return not received.endswith(b"0\r\n\r\n")


def test_a_client_that_reads_nothing_is_disconnected(serve, connect):
    """When a send has been blocked for the timeout, the connection's thread ends, and others are served on."""
    server = serve(range(20_000), fields={n: {"padding": "x" * 1000} for n in range(20_000)}, send_timeout=0.2)
    others = set(threading.enumerate())
    with _request(server, SO_RCVBUF=4096) as client:
        while not server.connections:
            threading.Event().wait(0.001)
        for handler in set(threading.enumerate()) - others:
            handler.join(10)
            assert not handler.is_alive()
        assert _ended_early(client)
    assert connect(server, position_token="BEGINNING").updates(5) == list(range(5))


def test_a_client_that_falls_behind_is_disconnected(serve, connect, clock):
    """A client that had caught up, does not read, and is then further behind than allowed is disconnected."""
    large = {number: {"x": "x" * 20_000} for number in range(1, 2001)}  # more than the sockets between them hold
    server = serve([0, *[20 + n / 1000 for n in range(2000)]], fields=large, speed=1, longest_lag=60)
    client = connect(server, position_token="BEGINNING")
    assert client.updates(1) == [0]
    clock.advance(15)
    client.until("position_token")
    clock.advance(8)
    wait_until(lambda: server.feed.count == 2001)
    clock.advance(120)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        client.rest()


def test_a_client_catching_up_may_be_behind(serve, connect, clock):
    """A client that begins far behind is not disconnected for it."""
    server = serve([n / 1000 for n in range(2000)], speed=1, longest_lag=60)
    event = server.feed.subscribe()
    clock.advance(3600)
    while server.feed.count < 2000:
        assert event.wait(10)
        event.clear()
    assert connect(server, position_token="BEGINNING").updates(2000) == list(range(2000))


def test_stop_leaves_nothing_behind(serve, connect):
    """Stopping disconnects every client, those that have asked for nothing too, ends every thread, frees the port."""
    before = set(threading.enumerate())
    server = serve(range(10))
    clients = [connect(server, position_token="BEGINNING") for _ in range(3)]
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as idle:
        server.stop()
        assert set(threading.enumerate()) <= before
        for client in clients:
            with pytest.raises(requests.exceptions.ChunkedEncodingError):
                client.rest()
        assert _ended_early(idle)
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", server.port))


def test_a_vanished_client_is_no_error(serve, connect, clock, caplog):
    """A client that goes away in the middle leaves no trace in the log, and the server serves on."""
    server = serve([0, 10], speed=1, token_interval=1)
    connect(server).response.close()
    clock.advance(5)
    clock.advance(5)
    assert connect(server, position_token="BEGINNING").updates(2) == [0, 1]
    assert not [record for record in caplog.records if record.levelname in {"WARNING", "ERROR"}]


def test_the_body_can_be_wrapped(serve, connect):
    """Another body may stand between the stream and the socket: this one cuts the connection inside a line."""

    class CutBody:
        def __init__(self, connection, *, gzip):
            self._inner = ChunkedBody(connection.sendall, gzip=gzip)

        def write(self, data):
            if b'"target"' in data:
                self._inner.write(data[: data.index(b'"target"') + 20])
                raise ConnectionResetError("cut by the test")
            self._inner.write(data)

        def end(self):
            self._inner.end()

    server = serve(range(3), body=CutBody)
    client = connect(server, position_token="BEGINNING", compression="none")
    with pytest.raises((requests.exceptions.ChunkedEncodingError, ValueError)):
        client.updates(1)


@pytest.mark.parametrize(
    ("settings", "message"), [({"token": " "}, "token"), ({"token_interval": 0}, "token_interval")]
)
def test_a_server_needs_its_settings(serve, settings, message):
    """An empty API token or an interval of nothing is refused before a port is opened."""
    with pytest.raises(ValueError, match=message):
        serve([], **settings)


def _raw(server, request):
    """What the server answers to these bytes, up to its closing the connection."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        client.sendall(request)
        answer = b""
        while part := client.recv(65536):
            answer += part
    return answer


@pytest.mark.parametrize(
    "target", [b"/[", b"//[x]/y", b"/v2/targets/stream[", b"http://[::1/v2", b"*", b"?", b"/%", b"/\xff"]
)
@pytest.mark.parametrize("method", [b"GET", b"POST"])
def test_an_odd_address_is_not_found(serve, target, method):
    """Whatever is in it: a refusal in JSON, and no thread that dies of it."""
    answer = _raw(serve([]), method + b" " + target + b" HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 404 ")
    assert b'"code":404' in answer


def test_an_address_in_its_absolute_form(serve):
    """As a proxy's client sends it: the path counts."""
    server = serve([])
    request = f"GET {server.url} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    assert _raw(server, request).startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize(
    "length", [b"-1", b"abc", b"1e3", b"\xb2", b"\xd9\xa3", b"9" * 5000, b"", b"0x10", b"3, 3", b"1.5"]
)
def test_an_odd_length_of_a_body_is_none(serve, length):
    """The answer is the one that the method gets."""
    request = b"POST /v2/targets/stream HTTP/1.1\r\nHost: x\r\nContent-Length: " + length + b"\r\n\r\n"
    with socket.create_connection(("127.0.0.1", serve([]).port), timeout=10) as client:
        client.sendall(request)
        client.shutdown(socket.SHUT_WR)
        assert client.recv(65536).startswith(b"HTTP/1.1 405 ")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer "])
def test_the_scheme_is_one_in_either_case(serve, scheme):
    """RFC 9110, 11.1."""
    server = serve([])
    answer = requests.get(
        server.url, headers={"Authorization": f"{scheme} secret-of-the-tests"}, stream=True, timeout=10
    )
    assert answer.status_code == 200
    answer.close()


@pytest.mark.parametrize(
    "header", ["secret-of-the-tests", "Basic secret-of-the-tests", "Bearer", "Bearer gehe\u00efm", "\u00ef"]
)
def test_what_is_no_bearer_token(serve, header):
    """Another scheme, none, or one with letters that no token has: 401."""
    answer = requests.get(serve([]).url, headers={"Authorization": header.encode()}, timeout=10)
    assert answer.status_code == 401


@pytest.mark.parametrize("token", ["gehe\u00efm", "two\nlines", " padded"])
def test_a_token_that_no_header_carries_is_refused_at_the_start(serve, token):
    """Clients could never bear it."""
    with pytest.raises(ValueError, match="token: got one that no header can carry"):
        serve([], token=token)


def test_a_body_that_nobody_reads_is_not_taken_for_a_request(serve):
    """A batch leaves its connection open, but for whoever sent one with it."""
    server = serve([0], speed=math.inf)
    query = "start=2024-03-04T23:23:00Z&end=2024-03-04T23:24:00Z&compression=none"
    head = f"GET /v2/targets/stream?{query} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer secret-of-the-tests\r\n"
    answer = _raw(server, head.encode() + b"Content-Length: 5\r\n\r\nhello")
    assert answer.count(b"HTTP/1.1") == 1
    assert answer.endswith(b"0\r\n\r\n")


def test_a_batch_before_what_is_kept_is_refused(serve, ask):
    """Rather than sent without its beginning."""
    server = serve(range(1000), keep_bytes=50_000)
    answer = ask(server, "?start=2024-03-04T23:24:00Z&end=2024-03-04T23:25:00Z")
    assert answer.status_code == 400
    assert "no longer kept" in answer.json()["error"]["message"]
    assert server.connections == 0
