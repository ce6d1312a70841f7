"""The stream client against real HTTP on loopback: what it sends, what it hands on, and how it reports what broke."""

from __future__ import annotations

import gzip
import os
import socket
import threading
import tracemalloc
import zlib
from contextlib import closing
from datetime import UTC, datetime
from urllib.parse import quote_plus

import pytest

from common.clock import SystemClock
from consumer.checkpoint.position import TimeRange
from consumer.deadline import Deadline
from consumer.errors import RequestRefusedError, UnauthorizedError
from consumer.stream.client import Batch, FromToken, StreamClient, TokenRefusedError
from consumer.stream.connection import StreamInterruptedError
from consumer.timing import LONGEST_RETRY_SECONDS
from tests.support.conditions import wait_until
from tests.support.scripted_stream import ScriptedStream

TOKEN = "s3cr3t-api-token-0123456789abcdef"
LATEST = FromToken("LATEST")


@pytest.fixture
def connect():
    """A function that makes a client for a server; all of them are closed after the test."""
    clients = []

    def make(url, filters=None, compression="gzip", **options):
        clients.append(StreamClient(url, TOKEN, filters or {}, compression, **options))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


def lines_of(batches):
    """The lines of all blocks, without their line ends."""
    return [line for blocks in batches for block in blocks for line in block.split(b"\n")[:-1]]


def read(client, wanted=LATEST, **options):
    """Return every line up to the end of the response."""
    with closing(client.open(wanted, **options)) as connection:
        return lines_of(connection.blocks())


def one_line(exchange):
    """Answer with one line."""
    exchange.begin()
    exchange.send(b'{"a":1}\n')
    exchange.end()


def test_the_api_token_goes_into_the_bearer_header(connect):
    """The server must get the API token as a bearer token, and nowhere else in the request."""
    with ScriptedStream(one_line) as server:
        read(connect(server.url))
    [request] = server.requests
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert TOKEN not in str(request.parameters)


def test_a_netrc_entry_does_not_replace_the_bearer_header(connect, tmp_path, monkeypatch):
    """A .netrc entry for the stream's host must not take the place of the API token."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with ScriptedStream(one_line) as server:
        read(connect(server.url))
    assert server.requests[0].headers["authorization"] == f"Bearer {TOKEN}"


def test_the_parameters_are_sent_as_set(connect):
    """The server must get the filters, the compression and the position just as they were set, and no others."""
    filters = {"icao_address": "040172,780B39", "latitude_between": "-33.5,34", "longitude_between": "170,-170"}
    with ScriptedStream(one_line) as server:
        read(connect(server.url, filters, "none"), FromToken("a+b/c=&d"))
    assert server.requests[0].parameters == filters | {"compression": "none", "position_token": "a+b/c=&d"}
    assert server.requests[0].path == "/v2/targets/stream"


def test_batch_mode_asks_for_a_time_range(connect):
    """Batch mode must send start and end in UTC, and no position token."""
    wanted = Batch(TimeRange(datetime(2024, 3, 4, 12, tzinfo=UTC), datetime(2024, 3, 4, 13, 0, 0, 1000, tzinfo=UTC)))
    with ScriptedStream(one_line) as server:
        read(connect(server.url), wanted)
    assert server.requests[0].parameters == {
        "compression": "gzip",
        "start": "2024-03-04T12:00:00.000Z",
        "end": "2024-03-04T13:00:00.001Z",
    }


@pytest.mark.parametrize("framing", ["chunked", "close"])
@pytest.mark.parametrize("compression", ["gzip", "none"])
def test_each_line_is_handed_on_before_the_next_is_sent(connect, compression, framing):
    """A complete line must be handed on at once: the server sends the next one only after it was acted on."""
    acted_on = threading.Semaphore(0)
    count = 5

    def lock_step(exchange):
        exchange.begin(gzip=compression == "gzip", framing=framing)
        for number in range(count):
            exchange.send(b'{"n":%d}\n' % number)
            assert acted_on.acquire(timeout=10)
        exchange.end()

    with ScriptedStream(lock_step) as server:
        client, seen = connect(server.url, compression=compression), []
        with closing(client.open(LATEST, deadline=Deadline(SystemClock(), 10))) as connection:
            for blocks in connection.blocks():
                seen.extend(lines_of([blocks]))
                acted_on.release()
    assert seen == [b'{"n":%d}' % number for number in range(count)]


def test_a_body_with_a_length_is_read_without_delay(connect):
    """A response with a Content-Length must be handed on as it comes, not when it is whole."""
    acted_on = threading.Event()
    first, second = b'{"n":1}\n', b'{"n":2}\n'

    def in_two_parts(exchange):
        exchange.begin(framing="length", length=len(first + second))
        exchange.send(first)
        assert acted_on.wait(10)
        exchange.send(second)

    with (
        ScriptedStream(in_two_parts) as server,
        closing(connect(server.url, compression="none").open(LATEST)) as connection,
    ):
        blocks = connection.blocks()
        assert next(blocks) == [first]
        acted_on.set()
        assert next(blocks) == [second]
        assert list(blocks) == []


def test_bytes_are_counted_as_sent(connect):
    """The count of bytes must be that of the compressed body, as it went over the network."""
    body = gzip.compress(b'{"a":1}\n' * 1000)

    def compressed(exchange):
        exchange.begin(framing="length", length=len(body))
        exchange.raw(body)

    with ScriptedStream(compressed) as server, closing(connect(server.url).open(LATEST)) as connection:
        assert len(lines_of(connection.blocks())) == 1000
        assert connection.bytes_received == len(body)


def test_an_invalid_api_token_is_an_error_of_its_own(connect):
    """401 must raise UnauthorizedError with what the server says and what to do."""
    with (
        ScriptedStream(lambda exchange: exchange.refuse(401, b'{"message":"Unauthorized"}')) as server,
        pytest.raises(UnauthorizedError, match=r"401.*Unauthorized.*put a valid one into the secret"),
    ):
        connect(server.url).open(LATEST)


@pytest.mark.parametrize("wanted", [LATEST, FromToken("BEGINNING"), Batch(TimeRange(*[datetime.now(UTC)] * 2))])
@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_refused_request_quotes_the_server(connect, status, wanted):
    """A 4xx that no retry mends must raise RequestRefusedError with the status and the server's own words."""
    with (
        ScriptedStream(lambda exchange: exchange.refuse(status, b'{"message":"no such airline"}')) as server,
        pytest.raises(RequestRefusedError, match=rf"{status}.*no such airline") as caught,
    ):
        connect(server.url).open(wanted)
    assert not isinstance(caught.value, TokenRefusedError)


@pytest.mark.parametrize("status", [400, 403, 404, 410])
def test_a_refused_position_token_has_an_error_of_its_own(connect, status):
    """A 4xx to a token that the server gave earlier must raise TokenRefusedError: the gap can be fetched."""
    with (
        ScriptedStream(lambda exchange: exchange.refuse(status, b"token expired")) as server,
        pytest.raises(TokenRefusedError, match="token expired"),
    ):
        connect(server.url).open(FromToken("given-earlier"))


@pytest.mark.parametrize("wanted", [LATEST, FromToken("given-earlier")])
@pytest.mark.parametrize("status", [408, 422, 429, 500, 502, 503, 504])
def test_a_passing_refusal_is_an_interruption(connect, status, wanted):
    """An answer that asks to try again must be an interruption, with the wait the server asks for."""
    with (
        ScriptedStream(lambda exchange: exchange.refuse(status, b"busy", Retry_After="7")) as server,
        pytest.raises(StreamInterruptedError, match=rf"{status}.*busy") as caught,
    ):
        connect(server.url).open(wanted)
    assert caught.value.retry_after == 7


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("3600", 3600),
        ("1.5", 1.5),
        (" 2 ", 2),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_RETRY_SECONDS),
        ("Fri, 99 Dec 9999 99:99:99 +9999", 0),
        ("soon", 0),
        ("-1", 0),
        ("1e309", 0),
        ("", 0),
        ("9" * 10, LONGEST_RETRY_SECONDS),
        ("9" * 400, LONGEST_RETRY_SECONDS),
    ],
)
def test_a_strange_retry_after_is_bounded(connect, header, seconds):
    """Seconds, fractions of them and a date are all taken; what is not one of these asks for no wait."""
    with (
        ScriptedStream(lambda exchange: exchange.refuse(503, Retry_After=header)) as server,
        pytest.raises(StreamInterruptedError) as caught,
    ):
        connect(server.url).open(LATEST)
    assert caught.value.retry_after == seconds


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(connect, status):
    """A redirect must be refused, and the other host must never see a request, let alone the API token."""
    with ScriptedStream(one_line) as other:
        redirect = ScriptedStream(lambda exchange: exchange.refuse(status, Location=other.url))
        with redirect as server, pytest.raises(RequestRefusedError, match="Redirects are not followed"):
            connect(server.url).open(LATEST)
    assert other.requests == []


def test_of_an_errors_body_no_more_is_inflated_than_is_shown(connect):
    """A body of 8 KiB that inflates to 8 MiB takes the memory of its excerpt, however it was compressed."""
    bomb = gzip.compress(b"because" + bytes(8 * 1024 * 1024))
    with ScriptedStream(lambda exchange: exchange.refuse(503, bomb, Content_Encoding="gzip")) as server:
        client = connect(server.url)
        tracemalloc.start()
        try:
            with pytest.raises(StreamInterruptedError, match="because"):
                client.open(LATEST)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 1024 * 1024


def test_an_errors_body_that_comes_in_parts_is_inflated_as_one(connect):
    """What a later part of a gzip body says is shown as text, though more than one read lies between the two."""
    compressor = zlib.compressobj(wbits=31)
    first, second = (compressor.compress(part) + compressor.flush(zlib.Z_SYNC_FLUSH) for part in (b"no such", b" line"))
    nothing = b"\x00\x00\x00\xff\xff"  # an empty block
    with (
        ScriptedStream(lambda exchange: exchange.refuse(403, first + nothing * 40_000 + second)) as server,
        pytest.raises(RequestRefusedError, match="no such line"),
    ):
        connect(server.url).open(LATEST)


PADDING = 300 - len(TOKEN) // 2
ECHOES = {
    "in the body": lambda exchange: exchange.refuse(403, f"bad {TOKEN} token".encode()),
    "in the status line": lambda exchange: exchange.refuse(403, b"", reason=f"bad {TOKEN}"),
    "of a redirect": lambda exchange: exchange.refuse(302, Location=f"http://127.0.0.1:1/?token={TOKEN}"),
    "across the excerpt's end": lambda exchange: exchange.refuse(403, b"x" * PADDING + TOKEN.encode() + b"y" * 999),
    "at every place": lambda exchange: exchange.refuse(429, TOKEN.encode() * 100),
    "cut off": lambda exchange: exchange.refuse(401, (TOKEN[:10] + TOKEN * 9 + TOKEN[:-1]).encode() + b"z" * 400),
}


@pytest.mark.parametrize("echo", ECHOES.values(), ids=ECHOES)
def test_the_api_token_never_gets_into_an_error(connect, echo):
    """No error text may hold the API token or a good part of it, even where the server repeats it."""
    with ScriptedStream(echo) as server, pytest.raises(Exception, match=r"\d{3}") as caught:
        connect(server.url).open(LATEST)
    texts = "".join(str(error) for error in _chain(caught.value))
    assert not any(TOKEN[start : start + 12] in texts for start in range(len(TOKEN) - 12)), texts


def test_the_api_token_in_a_broken_chunk_is_not_shown(connect):
    """A chunk whose length is nonsense must be reported without the API token that may be in it."""

    def nonsense(exchange):
        exchange.begin()
        exchange.raw(TOKEN.encode() + b"\r\n")

    with ScriptedStream(nonsense) as server, pytest.raises(StreamInterruptedError, match=r"\*\*\*") as caught:
        read(connect(server.url))
    assert TOKEN not in "".join(str(error) for error in _chain(caught.value) if not error.__suppress_context__)
    assert caught.value.__suppress_context__


POSITION = "eyJzaGFyZCI6MCwib2Zmc2V0IjoxMjM0NX0+/=="
QUOTED = quote_plus(POSITION)


def quoted_in_a_chunk(exchange):
    """The stream, of which a chunk's size is the position token."""
    exchange.begin()
    exchange.raw(POSITION.encode() + b"\r\n")


QUOTES = {
    "of a refusal": lambda exchange: exchange.refuse(400, f"unknown position_token {POSITION}".encode()),
    "of a refusal, cut off": lambda exchange: exchange.refuse(410, f"{'x' * 280} {POSITION[:15]}".encode()),
    "of a passing error": lambda exchange: exchange.refuse(503, f"/stream?position_token={QUOTED}".encode()),
    "in the status line": lambda exchange: exchange.refuse(404, reason=f"Unknown {POSITION}"),
    "of an echo": lambda exchange: exchange.raw(f"GET /stream?position_token={QUOTED} HTTP/1.1\r\n\r\n".encode()),
    "in a chunk": quoted_in_a_chunk,
}


@pytest.mark.parametrize("quotes", QUOTES.values(), ids=QUOTES)
def test_the_position_token_that_was_asked_for_gets_into_no_error(connect, quotes):
    """A server that refuses a position token may quote it; who reads the log could read on from there."""
    with (
        ScriptedStream(quotes) as server,
        pytest.raises((TokenRefusedError, StreamInterruptedError), match=r"\*\*\*") as caught,
    ):
        read(connect(server.url), FromToken(POSITION))
    assert POSITION[:9] not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_the_position_token_that_was_asked_for_is_known_to_who_logs_a_status(connect):
    """The client's redactor, by which the server's words are cleaned, knows it from then on."""
    with ScriptedStream(one_line) as server:
        client = connect(server.url)
        read(client, FromToken(POSITION))
        read(client, LATEST)
    assert client.redactor.clean(f"{POSITION} is about to expire; LATEST is not", 300) == (
        "*** is about to expire; LATEST is not"
    )


def _chain(error):
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def test_a_refused_connection_is_an_interruption(connect):
    """A server that is down must be an interruption: it is tried again."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(StreamInterruptedError, match="no connection"):
        connect(f"http://127.0.0.1:{port}/").open(LATEST)


def broken_in_a_line(exchange):
    """Two lines, then a reset within the third."""
    exchange.begin()
    exchange.send(b'{"n":1}\n{"n":2}\n{"n":')
    exchange.reset()


def broken_in_a_chunk(exchange):
    """Two lines, then a reset within a chunk."""
    exchange.begin()
    exchange.send(b'{"n":1}\n{"n":2}\n')
    exchange.raw(b'ff\r\n{"n":3}')
    exchange.reset()


def broken_in_a_gzip_block(exchange):
    """Two lines, then a reset within a block."""
    exchange.begin(gzip=True)
    exchange.send(b'{"n":1}\n{"n":2}\n')
    block = exchange.compressed(os.urandom(50).hex().encode() + b"\n")
    exchange.raw(exchange.framed(block[: len(block) // 2]))
    exchange.reset()


def cut_between_lines(exchange):
    """Two lines, then the end without the last chunk."""
    exchange.begin()
    exchange.send(b'{"n":1}\n{"n":2}\n')


def cut_in_a_gzip_body(exchange):
    """Two lines, then the last chunk in the middle of the gzip body."""
    exchange.begin(gzip=True)
    exchange.send(b'{"n":1}\n{"n":2}\n')
    exchange.raw(b"0\r\n\r\n")


def short_of_its_length(exchange):
    """Two lines, and less than was announced."""
    exchange.begin(framing="length", length=100)
    exchange.send(b'{"n":1}\n{"n":2}\n')


def cut_in_a_line_that_the_end_would_close(exchange):
    """Two lines and a part, then the end, which is all that ends this body."""
    exchange.begin(framing="close")
    exchange.send(b'{"n":1}\n{"n":2}\n{"n":')


def damaged_gzip(exchange):
    """Two lines, then bytes that are no gzip; had they come together, all would be read again."""
    exchange.begin(gzip=True)
    exchange.send(b'{"n":1}\n{"n":2}\n')
    exchange.wait_until_read()
    exchange.raw(exchange.framed(b"\xff" * 200))
    exchange.stay()


@pytest.mark.parametrize(
    "breaks",
    [
        broken_in_a_line,
        broken_in_a_chunk,
        broken_in_a_gzip_block,
        cut_between_lines,
        cut_in_a_gzip_body,
        short_of_its_length,
        cut_in_a_line_that_the_end_would_close,
        damaged_gzip,
    ],
)
def test_what_breaks_gives_its_whole_lines_and_then_an_interruption(connect, breaks):
    """However a response breaks, the lines that came whole must be handed on, and no part of a line must be."""
    seen, read_all = [], threading.Event()

    def script(exchange):
        original = exchange.reset
        exchange.reset = lambda: (read_all.wait(10), original())
        exchange.wait_until_read = lambda: read_all.wait(10)
        breaks(exchange)

    def take(connection):
        for blocks in connection.blocks():
            seen.extend(lines_of([blocks]))
            if len(seen) == 2:
                read_all.set()

    with (
        ScriptedStream(script) as server,
        closing(connect(server.url).open(LATEST)) as connection,
        pytest.raises(StreamInterruptedError),
    ):
        take(connection)
    assert seen == [b'{"n":1}', b'{"n":2}']


@pytest.mark.parametrize("compression", ["gzip", "none"])
def test_a_last_line_without_a_line_end_is_a_line_where_the_body_is_whole(connect, compression):
    """Line ends stand between lines: a response that ends cleanly must give its last line, or a gap never closes."""

    def without_last_line_end(exchange):
        exchange.begin(gzip=compression == "gzip")
        exchange.send(b'{"n":1}\n{"n":2}')
        exchange.end()

    with ScriptedStream(without_last_line_end) as server:
        assert read(connect(server.url, compression=compression)) == [b'{"n":1}', b'{"n":2}']


def test_a_silent_server_is_given_up(connect):
    """A connection on which nothing comes for longer than the longest silence must be given up."""

    def silent(exchange):
        exchange.begin()
        exchange.send(b'{"n":1}\n')
        exchange.stay()

    with ScriptedStream(silent) as server, pytest.raises(StreamInterruptedError, match="timed out"):
        read(connect(server.url, silence_seconds=0.1))


def test_a_server_that_never_answers_is_given_up(connect):
    """Waiting for an answer must end within the time that is left to the run."""
    with (
        ScriptedStream(lambda exchange: exchange.stay()) as server,
        pytest.raises(StreamInterruptedError, match="timed out"),
    ):
        connect(server.url).open(LATEST, deadline=Deadline(SystemClock(), 0.1))


def test_a_blocked_read_can_be_aborted(connect):
    """A reader that waits for a silent server must be freed when another thread aborts the client."""
    outcome = []

    def silent(exchange):
        exchange.begin()
        exchange.send(b'{"n":1}\n')
        exchange.stay()

    def read_on(connection, first):
        first.set()
        try:
            for _ in connection.blocks():
                first.set()
        except StreamInterruptedError as error:
            outcome.append(error)

    with (
        ScriptedStream(silent) as server,
        closing(connect(server.url)) as client,
        closing(client.open(LATEST)) as connection,
    ):
        first = threading.Event()
        reader = threading.Thread(target=read_on, args=(connection, first))
        reader.start()
        assert first.wait(10)
        client.abort()
        reader.join(10)
        assert len(outcome) == 1


@pytest.mark.parametrize("when", ["the server has gone", "the response has ended", "it is closed"])
def test_aborting_what_ends_by_itself_is_no_error(connect, when):
    """An abort that comes at the same moment as the end of the response must do nothing."""
    with ScriptedStream(broken_in_a_line if when == "the server has gone" else one_line) as server:
        client = connect(server.url)
        connection = client.open(LATEST)
        if when == "the server has gone":
            with pytest.raises(StreamInterruptedError):
                list(connection.blocks())
        elif when == "the response has ended":
            assert lines_of(connection.blocks()) == [b'{"a":1}']
        else:
            connection.close()
        client.abort()
        connection.close()


def test_closing_disconnects_at_once(connect):
    """Closing a connection must end it for the server, without reading what is still to come."""
    gone = threading.Event()

    def endless(exchange):
        exchange.begin()
        exchange.send(b'{"n":1}\n')
        exchange.stay()
        gone.set()

    with ScriptedStream(endless) as server:
        connection = connect(server.url).open(LATEST)
        assert next(connection.blocks()) == [b'{"n":1}\n']
        connection.close()
        wait_until(gone.is_set)
