"""The Tracking Stream over real HTTP: what a client gets, in which order, and where it can go on."""

from __future__ import annotations

import http.client
import json
import math
import socket
import zlib

import pytest

from local.simulator.tokens import TokenError

BEGINNING = "BEGINNING"


def _numbers(messages):
    return [message["target"]["n"] for message in messages if "target" in message]


@pytest.mark.parametrize("compression", ["gzip", "none"])
def test_beginning_gives_everything(serve, connect, compression):
    """From BEGINNING a client gets every line released, after the welcome, in order."""
    client = connect(serve(range(1000)), position_token=BEGINNING, compression=compression)
    assert client.updates(1000) == list(range(1000))
    assert client.response.headers.get("Content-Encoding") == ("gzip" if compression == "gzip" else None)
    assert client.response.headers["Transfer-Encoding"] == "chunked"


def test_the_server_knows_when_it_sent_the_first_update(serve, connect, clock):
    """Neither the welcome nor a second client moves that moment: throughput is counted from it."""
    server = serve([0, 1])
    connect(server)
    assert server.first_update_at is None
    began = clock.now()
    assert connect(server, position_token=BEGINNING).updates(2) == [0, 1]
    assert server.first_update_at == began
    clock.advance(1)
    assert connect(server, position_token=BEGINNING).updates(2) == [0, 1]
    assert server.first_update_at == began


def test_latest_is_the_default(serve, connect, clock):
    """Without a position a client gets only what is released from now on."""
    server = serve([0, 1, 10, 11], speed=1)
    event = server.feed.subscribe()
    clock.advance(1)
    while server.feed.count < 2:
        assert event.wait(10)
        event.clear()
    client, explicit = connect(server), connect(server, position_token="LATEST")
    clock.advance(10)
    assert client.updates(2) == explicit.updates(2) == [2, 3]


@pytest.mark.parametrize("gzip", [True, False])
def test_every_line_is_flushed(serve, clock, gzip):
    """A line can be decoded as soon as it is released, without another one pushing it out; seen on the raw socket."""
    server = serve([0, 10], speed=1, start=False)
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        compression = "gzip" if gzip else "none"
        client.sendall(
            f"GET /v2/targets/stream?compression={compression} HTTP/1.1\r\nHost: x\r\n"
            "Authorization: Bearer secret-of-the-tests\r\n\r\n".encode()
        )
        stream = client.makefile("rb")
        while stream.readline().strip():
            pass
        inflate = zlib.decompressobj(31).decompress if gzip else bytes

        def chunk():
            length = int(stream.readline(), 16)
            data = stream.read(length)
            assert stream.readline() == b"\r\n"
            return inflate(data)

        assert json.loads(chunk())["status"]["code"] == 100
        server.feed.start()
        assert chunk().endswith(b'"n": 0}}\n')
        clock.advance(10)
        assert chunk().endswith(b'"n": 1}}\n')


def test_tokens_come_each_interval(serve, connect, clock):
    """The first token comes one interval after the connection, then one each interval, though nothing is released."""
    client = connect(serve([], token_interval=15))
    clock.advance(14.9)
    clock.advance(0.1)
    first = client.until("position_token")
    clock.advance(15)
    second = client.until("position_token")
    assert len([m for m in first + second if "position_token" in m]) == 2
    assert not _numbers(first + second)


def test_no_token_before_its_time(serve, connect, clock):
    """Just before the interval has passed there is no token: a keep-alive due earlier comes without one."""
    client = connect(serve([], token_interval=15, keep_alive=14))
    clock.advance(14.5)
    assert client.message()["status"]["code"] == 101
    clock.advance(0.5)
    assert "position_token" in client.message()


def test_a_token_stands_right_after_its_lines(serve, connect, clock):
    """A client that goes on from a token gets what followed it: nothing twice, nothing left out."""
    server = serve([0, 1, 2, 30, 31], speed=1)
    client = connect(server, position_token=BEGINNING)
    clock.advance(2)
    assert client.updates(3) == [0, 1, 2]
    clock.advance(13)
    token = client.until("position_token")[-1]["position_token"]
    assert server.position(token) == 3
    clock.advance(16)
    assert client.updates(2) == connect(server, position_token=token).updates(2) == [3, 4]


def test_tokens_while_catching_up(serve, connect):
    """A client far behind gets tokens on the way without time passing, each right after the lines it covers."""
    server = serve(range(5000), token_lines=1000)
    client = connect(server, position_token=BEGINNING)
    seen, covered = 0, []
    while seen < 5000:
        message = client.message()
        if "target" in message:
            seen += 1
        else:
            covered.append((seen, server.position(message["position_token"])))
    assert len(covered) >= 3
    assert all(sent == position for sent, position in covered)
    assert all(b - a <= 1256 for (a, _), (b, _) in zip([(0, 0), *covered], covered, strict=False))


def test_tokens_pass_what_the_filter_holds_back(serve, connect, clock):
    """When nothing passes the filter tokens still come, and stand behind what was held back."""
    server = serve(range(10), token_interval=15)
    client = connect(server, position_token=BEGINNING, callsign="NOBODY")
    clock.advance(15)
    messages = client.until("position_token")
    assert not _numbers(messages)
    assert server.position(messages[-1]["position_token"]) == 10


def test_keep_alives(serve, connect, clock):
    """A status comes every 15 s, with simulated time in it."""
    client = connect(serve([], token_interval=1000))
    for second in (15, 30):
        clock.advance(15)
        status = client.message()["status"]
        assert status["level"] == "INFO"
        assert status["timestamp"] == f"2024-03-04T23:24:{second}.000Z"


def test_tokens_expire(serve, connect, clock, ask):
    """A token is taken until its lifetime of simulated time is over, and refused after that."""
    server = serve([0], speed=3600, token_interval=1, longest_lag=math.inf)
    client = connect(server)
    clock.advance(1)
    token = client.until("position_token")[-1]["position_token"]
    clock.advance(6)
    connect(server, position_token=token)
    clock.advance(0.01)
    answer = ask(server, f"?position_token={token}")
    assert answer.status_code == 400
    assert answer.json()["error"]["parameter"] == "position_token"
    assert "21636 s old" in answer.json()["error"]["got"]


def test_tokens_outlive_the_server(serve, connect, clock, ask):
    """Another server of the same content takes the token; one of other content refuses it."""
    first = serve(range(5), token_interval=1)
    client = connect(first, position_token=BEGINNING)
    clock.advance(1)
    token = client.until("position_token")[-1]["position_token"]
    again = serve(range(8))
    assert connect(again, position_token=token).updates(3) == [5, 6, 7]
    other = serve(range(8), identity="other content")
    assert ask(other, f"?position_token={token}").status_code == 400
    with pytest.raises(TokenError):
        other.position(token)


def test_batch_mode_sends_its_span_and_ends(serve, connect):
    """Batch mode goes by ingestion time, start in and end out, ends the response cleanly and sends no token."""
    fields = {2: {"timestamp": "2024-03-04T20:00:00Z"}}
    server = serve([0, 1, 2, 3, 3600], fields=fields)
    client = connect(server, start="2024-03-04T23:24:01Z", end="2024-03-04T23:24:03Z")
    messages = client.rest()
    assert _numbers(messages) == [1, 2]
    assert len(messages) == 2


def test_batch_mode_waits_for_its_end(serve, connect, clock):
    """An end that is still to come is waited for: the response ends when its span is whole."""
    server = serve([0, 5, 10, 30], speed=1)
    client = connect(server, start="2024-03-04T23:24:00Z", end="2024-03-04T23:24:20Z", compression="none")
    assert client.updates(1) == [0]
    clock.advance(5)
    assert client.updates(1) == [1]
    clock.advance(5)
    assert _numbers(client.rest()) == [2]


def test_batch_mode_in_many_chunks(serve, connect):
    """A span of thousands of lines comes whole, filtered as asked."""
    server = serve(range(3000))
    parameters = {"start": "2024-03-04T23:24:00Z", "end": "2024-03-05T00:24:00Z", "icao_address": "000001"}
    assert _numbers(connect(server, **parameters).rest()) == list(range(1, 3000, 5))


def test_a_connection_serves_again_after_a_batch(serve):
    """After a batch the connection takes the next request, since the response's end was plain."""
    server = serve([0, 10])
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    used = set()
    for _ in range(2):
        span = "start=2024-03-04T23:24:00Z&end=2024-03-04T23:24:01Z&compression=none"
        connection.request("GET", f"/v2/targets/stream?{span}", headers={"Authorization": "Bearer secret-of-the-tests"})
        used.add(connection.sock.getsockname())
        assert connection.getresponse().read().count(b'"target"') == 1
    connection.close()
    assert len(used) == 1


def test_filters_reach_the_stream(serve, connect):
    """A filter in the query decides what is sent; the rules themselves have tests of their own."""
    fields = {n: {"latitude": float(n), "longitude": 0.0} for n in range(10)}
    server = serve(range(10), fields=fields)
    assert connect(server, position_token=BEGINNING, latitude_between="3,6").updates(3) == [3, 4, 5]


def test_max_age_goes_by_simulated_time(serve, connect):
    """An update's age is simulated now, the newest line's time, minus its timestamp."""
    server = serve([0, 50, 99, 100])
    assert connect(server, position_token=BEGINNING, max_age=50).updates(3) == [1, 2, 3]


def test_many_clients_at_once(serve, connect):
    """Each client has its own stream, filter and compression, and all are counted."""
    server = serve(range(500))
    clients = [connect(server, position_token=BEGINNING, compression=c) for c in ("gzip", "none") * 10]
    assert all(client.updates(500) == list(range(500)) for client in clients)
    assert server.connections == 20


def test_replays_the_real_recording(recording, clock):
    """All 5,680 real updates arrive, byte for byte."""
    import gzip

    import requests

    from local.simulator.feed import Feed
    from local.simulator.recording import Recording
    from local.simulator.server import TrackingStreamServer

    feed = Feed(Recording(recording), speed=math.inf, clock=clock)
    feed.start()
    with TrackingStreamServer(feed, token="t", token_interval=15, clock=clock) as server:
        response = requests.get(
            server.url,
            params={"position_token": BEGINNING},
            headers={"Authorization": "Bearer t"},
            stream=True,
            timeout=10,
        )
        received = []
        for line in response.iter_lines(chunk_size=None):
            if line.startswith(b'{"target"'):
                received.append(line)
            if len(received) == 5680:
                break
        response.close()
    assert received == gzip.decompress(recording.read_bytes()).splitlines()
