"""Nothing that waits for the server outlasts the run: in no phase of a connection, however the server draws it out."""

from __future__ import annotations

import socket
import threading
from contextlib import closing

import pytest

from common.clock import SystemClock
from consumer.deadline import Deadline
from consumer.errors import RequestRefusedError
from consumer.stream.client import FromToken, StreamClient
from consumer.stream.connection import StreamInterruptedError
from tests.support.raw_server import RawServer

TOKEN = "s3cr3t-api-token-0123456789abcdef"
LATEST = FromToken("LATEST")
HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def dripping_head(peer):
    """A head that never ends, a byte at a time."""
    peer.read_head()
    peer.connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
    peer.drip(b"x")


def interim_without_end(peer):
    """100 Continue, again and again, so slowly that no count of them ends it."""
    peer.read_head()
    peer.drip(b"HTTP/1.1 100 Continue\r\n\r\n")


def no_answer(peer):
    """Nothing."""
    peer.read_head()
    peer.stay()


def no_reading(peer):
    """Not even the request is read."""
    peer.stay()


def dripping_handshake(peer):
    """The head of a TLS record that announces more than ever comes."""
    peer.connection.recv(65536)
    peer.connection.sendall(b"\x16\x03\x03\x40\x00")
    peer.drip(b"\x02")


def dripping_tunnel(peer):
    """A proxy that never agrees."""
    peer.read_head()
    peer.drip(b"HTTP/1.1 200 Connection established\r\nX: " + b"x" * 9999)


PHASES = {
    "a head in drops": ("http", dripping_head),
    "interim answers without end": ("http", interim_without_end),
    "no answer": ("http", no_answer),
    "a request that is not read": ("http", no_reading),
    "a handshake in drops": ("https", dripping_handshake),
    "no handshake": ("https", no_reading),
}


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch):
    """The machine's proxies are no part of a test."""
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def client_of(server, scheme="http", **options):
    """A client of a server."""
    return StreamClient(f"{scheme}://127.0.0.1:{server.port}/", TOKEN, {}, "none", **options)


@pytest.mark.timeout(60)
@pytest.mark.parametrize(("scheme", "serve"), PHASES.values(), ids=PHASES)
def test_no_phase_outlasts_the_deadline(scheme, serve):
    """The wait ends by the run's deadline, though bytes keep coming; else this test would never end."""
    with RawServer(serve) as server, closing(client_of(server, scheme)) as client:
        deadline = Deadline(SystemClock(), 0.4)
        with pytest.raises(StreamInterruptedError, match="timed out"):
            client.open(LATEST, deadline=deadline)
        assert deadline.is_over


@pytest.mark.timeout(60)
@pytest.mark.parametrize(("scheme", "serve"), PHASES.values(), ids=PHASES)
def test_every_phase_can_be_ended_from_another_thread(scheme, serve):
    """SIGTERM, a lost lease: whoever waits is woken wherever it is."""
    begun, ended = threading.Event(), threading.Event()

    def noted(peer):
        begun.set()
        serve(peer)

    with RawServer(noted) as server, closing(client_of(server, scheme)) as client:

        def abort():
            begun.wait(30)
            while not ended.wait(0.01):
                client.abort()

        thread = threading.Thread(target=abort)
        thread.start()
        with pytest.raises(StreamInterruptedError, match="no connection"):
            client.open(LATEST, deadline=Deadline(SystemClock(), 3600))
        ended.set()
        thread.join()


@pytest.mark.timeout(60)
def test_a_tunnel_that_never_opens_ends_by_the_deadline(monkeypatch):
    """A proxy's answer is waited for no longer than a server's."""
    with RawServer(dripping_tunnel) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        client = StreamClient("https://stream.invalid/", TOKEN, {}, "none")
        with closing(client), pytest.raises(StreamInterruptedError, match="timed out"):
            client.open(LATEST, deadline=Deadline(SystemClock(), 0.4))


@pytest.mark.timeout(60)
def test_a_name_that_is_not_resolved_in_time_is_given_up(monkeypatch):
    """The resolver has time-outs of its own; they are not the run's."""
    asked = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: asked.wait(30))
    client = StreamClient("http://127.0.0.1:9/", TOKEN, {}, "none")
    with closing(client), pytest.raises(StreamInterruptedError, match="timed out"):
        client.open(LATEST, deadline=Deadline(SystemClock(), 0.3))
    asked.set()


@pytest.mark.timeout(60)
def test_a_connection_that_nobody_accepts_is_given_up():
    """A full queue of connections answers nothing at all."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = []
        for _ in range(4):  # the queue takes one or two
            one = socket.socket()
            one.settimeout(0)
            one.connect_ex(listener.getsockname())
            waiting.append(one)
        client = StreamClient(f"http://127.0.0.1:{listener.getsockname()[1]}/", TOKEN, {}, "none")
        with closing(client), pytest.raises(StreamInterruptedError, match="timed out"):
            client.open(LATEST, deadline=Deadline(SystemClock(), 0.3))
        for one in waiting:
            one.close()


@pytest.mark.timeout(60)
@pytest.mark.parametrize("serve", ["drops", "silence"])
def test_an_errors_body_is_not_waited_for(serve):
    """What an error says beside its status is for people: shown as far as it has come, and never waited for."""

    def answer(peer):
        peer.read_head()
        peer.connection.sendall(b"HTTP/1.1 403 No\r\nContent-Length: 100000\r\n\r\nbecause")
        if serve == "drops":
            peer.drip(b".")
        peer.stay()

    with (
        RawServer(answer) as server,
        closing(client_of(server)) as client,
        pytest.raises(RequestRefusedError, match="because"),
    ):
        client.open(LATEST, deadline=Deadline(SystemClock(), 0.5))


@pytest.mark.timeout(60)
def test_a_body_in_drops_can_be_left():
    """Bytes that keep coming are no reason to go on reading when time is up."""

    def answer(peer):
        peer.read_head()
        peer.connection.sendall(HEAD + b"fffff\r\n")
        peer.drip(b"x")

    with RawServer(answer) as server, closing(client_of(server)) as client:
        connection = client.open(LATEST, deadline=Deadline(SystemClock(), 0.5))
        with closing(connection), pytest.raises(StreamInterruptedError, match="timed out"):
            list(connection.blocks())


@pytest.mark.timeout(60)
def test_framing_in_drops_lets_who_reads_look_up():
    """A chunk's extension or a trailer that comes in drops must not keep a stale connection from being given up."""

    def answer(peer):
        peer.read_head()
        peer.connection.sendall(HEAD + b'8\r\n{"a":1}\n\r\n1;')
        peer.drip(b"x")

    with RawServer(answer) as server, closing(client_of(server)) as client:
        connection = client.open(LATEST, deadline=Deadline(SystemClock(), 30))
        with closing(connection):
            blocks = connection.blocks()
            assert next(blocks) == [b'{"a":1}\n']
            assert [next(blocks) for _ in range(3)] == [[]] * 3


def answered(*parts, wanted=LATEST):
    """What comes of an answer of these bytes."""

    def serve(peer):
        peer.read_head()
        for part in parts:
            peer.connection.sendall(part)

    with (
        RawServer(serve) as server,
        closing(client_of(server)) as client,
        closing(client.open(wanted, deadline=Deadline(SystemClock(), 30))) as connection,
    ):
        return b"".join(block for blocks in connection.blocks() for block in blocks)


BODY = b'8\r\n{"a":1}\n\r\n0\r\n\r\n'


@pytest.mark.parametrize(
    "interim", [b"", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n"]
)
def test_interim_answers_are_passed_over(interim):
    """1xx announces an answer; the one that follows counts."""
    assert answered(interim * 3 + HEAD + BODY) == b'{"a":1}\n'


@pytest.mark.parametrize("status", [201, 202, 203, 204, 205, 206, 226])
def test_another_success_is_no_redirect(status):
    """What is neither the stream nor a redirect is asked for again."""
    with pytest.raises(StreamInterruptedError, match=rf"answered {status} .*Expected 200") as caught:
        answered(b"HTTP/1.1 %d Odd\r\nContent-Length: 0\r\n\r\n" % status)
    assert "Redirects" not in str(caught.value)


@pytest.mark.parametrize("status", [408, 422, 425, 429, 500, 503])
def test_what_passes_is_tried_again(status):
    """Too early is as passing as too many."""
    with pytest.raises(StreamInterruptedError, match=str(status)):
        answered(b"HTTP/1.1 %d Odd\r\nContent-Length: 0\r\n\r\n" % status, wanted=FromToken("stored"))


def test_a_page_is_not_the_stream():
    """A portal's or a proxy's page with status 200 is an interruption, and none of its lines a rejected one."""
    with pytest.raises(StreamInterruptedError, match="Expected 200 and the stream"):
        answered(b"HTTP/1.1 200 OK\r\nContent-Type: Text/HTML; charset=x\r\nContent-Length: 6\r\n\r\n<html>")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n folded: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 " + b"x" * 100_000,
        b"HTTP/1.1 100 Continue\r\n\r\n" * 1000,
        HEAD[:-2],
    ],
)
def test_what_is_not_http_is_an_interruption(answer):
    """Whatever is at the other end, the run goes on, in bounded memory."""
    with pytest.raises(StreamInterruptedError, match="no connection"):
        answered(answer)


def test_nothing_is_kept_of_earlier_answers():
    """Cookies are not taken: the head of a request is as large after a hundred answers as after none."""
    heads = []

    def serve(peer):
        heads.append(peer.read_head())
        peer.connection.sendall(
            b"HTTP/1.1 503 Busy\r\nSet-Cookie: a%d=%b\r\nContent-Length: 0\r\n\r\n" % (len(heads), b"x" * 3000)
        )

    with RawServer(serve) as server, closing(client_of(server)) as client:
        for _ in range(20):
            with pytest.raises(StreamInterruptedError):
                client.open(LATEST, deadline=Deadline(SystemClock(), 30))
    assert set(heads) == {heads[0]}
    assert b"cookie" not in heads[0].lower()
    assert len(heads[0]) < 1000


@pytest.mark.parametrize(
    "proxy", ["http://h:99999", "http://[::1:3128", "http://:3128", "h:99999", "https://h:1", "socks5://hunter2@h:1"]
)
@pytest.mark.parametrize(("scheme", "name"), [("https", "HTTPS_PROXY"), ("http", "HTTP_PROXY"), ("https", "ALL_PROXY")])
def test_a_proxy_that_is_none_is_named(monkeypatch, scheme, name, proxy):
    """Which variable is wrong, and what it takes; not what it holds, which may be credentials."""
    monkeypatch.setenv(name, proxy)
    client = StreamClient(f"{scheme}://stream.invalid/", TOKEN, {}, "none")
    with closing(client), pytest.raises(StreamInterruptedError) as failure:
        client.open(LATEST, deadline=Deadline(SystemClock(), 30))
    assert str(failure.value) == f"no connection: {name}: expected http://host:port, or nothing"


def test_a_proxy_is_used_where_the_environment_names_one(monkeypatch):
    """A VPC may let traffic out through a proxy alone; NO_PROXY leaves a server out."""
    seen = []

    def serve(peer):
        seen.append(peer.read_head())
        peer.connection.sendall(HEAD + BODY)

    with RawServer(serve) as proxy, RawServer(serve) as server:
        monkeypatch.setenv("http_proxy", f"http://user:p%40ss@127.0.0.1:{proxy.port}")
        for host in ("stream.invalid", "127.0.0.1"):
            monkeypatch.setenv("no_proxy", "127.0.0.1")
            client = StreamClient(f"http://{host}:{server.port}/x", TOKEN, {}, "none")
            with closing(client), closing(client.open(LATEST, deadline=Deadline(SystemClock(), 30))):
                pass
        assert (proxy.accepted, server.accepted) == (1, 1)
    assert seen[0].startswith(b"GET http://stream.invalid:%d/x?" % server.port)
    assert b"Proxy-Authorization: Basic dXNlcjpwQHNz" in seen[0]
    assert seen[1].startswith(b"GET /x?")
    assert b"Proxy" not in seen[1]
