"""What the server refuses, how it says so, and whom it disconnects."""

from __future__ import annotations

import socket
import threading

import pytest
import requests

from local.simulator.body import ChunkedBody


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
    """Any other method is answered 405, and told what is allowed."""
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
    """A client that had caught up and is then further behind than allowed is disconnected."""
    server = serve([0, *[1 + n / 1000 for n in range(2000)]], speed=1, longest_lag=60)
    client = connect(server, position_token="BEGINNING")
    assert client.updates(1) == [0]
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
