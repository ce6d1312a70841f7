"""HTTP/1.1 for the Tracking Stream: connections, requests, refusals; what is streamed is the server's business."""

from __future__ import annotations

import logging
import socket
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from local.loopback import LoopbackServer
from local.simulator.query import QueryError, StreamQuery, parse
from local.simulator.stream import SlowReaderError

if TYPE_CHECKING:
    from local.simulator.update_log import UpdateLog

PATH = "/v2/targets/stream"

_LONGEST_DRAIN = 65536
"""Bytes of a refused request's body that are read before the answer."""

_MOST_DIGITS = 12

_logger = logging.getLogger(__name__)


class StreamSource(Protocol):
    """What a connection asks of the Tracking Stream's server."""

    feed: UpdateLog
    send_timeout: float

    def is_authorized(self, header: str | None) -> bool:
        """Return whether the request's `Authorization` header bears the API token."""

    def refuse(self, query: str) -> HTTPStatus | None:
        """Return the status to refuse this request with, or None to serve it."""

    def first_position(self, query: StreamQuery) -> int:
        """Return where the stream begins, as an index into the feed."""

    def check_kept(self, start: float) -> None:
        """Refuse a batch that begins before what is kept, by a `QueryError`."""

    def serve(self, connection: socket.socket, query: StreamQuery, position: int) -> None:
        """Stream until the client is gone or the batch has ended."""


class HttpServer(LoopbackServer):
    """Hands each connection's requests to a Tracking Stream server."""

    def __init__(self, address: tuple[str, int], stream_server: StreamSource) -> None:
        self.stream_server = stream_server
        super().__init__(address, _Handler)

    def listen_again(self) -> None:
        """Listen on the same port with a new socket, after the old one was closed."""
        self.socket = socket.socket(self.address_family, self.socket_type)
        self.server_bind()
        self.server_activate()


def _target(text: str) -> tuple[str, str]:
    """Return a request target's path and query string, whatever is in them (RFC 9112, 3.2)."""
    if not text.startswith("/") and "://" in text:  # the absolute form, as a proxy's client sends it
        text = "/" + text.partition("://")[2].partition("/")[2]
    path, _, query = text.partition("?")
    return path, query


class _Handler(BaseHTTPRequestHandler):
    """One connection: reads requests, refuses what is wrong, and hands the rest to the server."""

    server: HttpServer
    protocol_version = "HTTP/1.1"
    server_version = "tracking-stream-simulator"
    sys_version = ""
    disable_nagle_algorithm = True

    def setup(self) -> None:
        """Bound every wait for the client, whether it should read or write."""
        super().setup()
        self.connection.settimeout(self.server.stream_server.send_timeout)

    def handle(self) -> None:
        """Serve requests until the connection ends; a client that goes away is no error."""
        try:
            super().handle()
        except OSError as error:
            _logger.debug("a client is gone: %s", error)

    def do_GET(self) -> None:
        """Answer with a stream, or say why not."""
        server = self.server.stream_server
        path, query_string = _target(self.path)
        if path != PATH:
            self._refuse(HTTPStatus.NOT_FOUND, f"{path}: no such resource; expected {PATH}")
        elif self.request_version != self.protocol_version:
            message = f"got {self.request_version}; expected {self.protocol_version}: the stream is sent in chunks"
            self._refuse(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, message)
        elif not server.is_authorized(self.headers.get("Authorization")):
            message = "the API token is missing or not valid; expected the header Authorization: Bearer <token>"
            self._refuse(HTTPStatus.UNAUTHORIZED, message, headers={"WWW-Authenticate": "Bearer"})
        elif (status := server.refuse(query_string)) is not None:
            self._refuse(status, "refused on purpose")
        else:
            try:
                query = parse(query_string, server.feed.now())
                if query.batch:
                    server.check_kept(query.batch[0])
                position = 0 if query.batch else server.first_position(query)
            except QueryError as error:
                details = {"parameter": error.parameter, "got": error.got, "takes": error.takes}
                self._refuse(HTTPStatus.BAD_REQUEST, str(error), details)
            else:
                self._stream(query, position)

    def _stream(self, query: StreamQuery, position: int) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "application/x-ndjson")
        self.send_header("Transfer-Encoding", "chunked")
        if query.gzip:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        try:
            self.server.stream_server.serve(self.connection, query, position)
        except SlowReaderError as error:
            _logger.warning("a client is disconnected: %s", error)
        except TimeoutError:
            _logger.warning("a client is disconnected: it read nothing for %g s", self.connection.gettimeout())
        else:
            # A body that nobody read would be taken for the next request.
            if query.batch and "Content-Length" not in self.headers and "Transfer-Encoding" not in self.headers:
                return
        self.close_connection = True

    def _not_allowed(self) -> None:
        # Closing with data unread would reset the connection before the client reads the answer.
        self.rfile.read(min(self._announced(), _LONGEST_DRAIN))
        if _target(self.path)[0] == PATH:
            message = f"{self.command}: not allowed; expected GET"
            self._refuse(HTTPStatus.METHOD_NOT_ALLOWED, message, headers={"Allow": "GET"})
        else:
            self._refuse(HTTPStatus.NOT_FOUND, f"{self.path}: no such resource; expected {PATH}")

    def _announced(self) -> int:
        """Return how many bytes of body a request announces; 0 if that is no number, as without a body."""
        length = self.headers.get("Content-Length", "0").strip()
        is_number = length.isascii() and length.isdigit()
        return int(length[:_MOST_DIGITS]) if is_number else 0

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _not_allowed  # noqa: N815 -- http.server's names

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """Answer a request that could not be read; in JSON, as all refusals."""
        self._refuse(HTTPStatus(code), message or HTTPStatus(code).phrase)

    def _refuse(
        self,
        status: HTTPStatus,
        message: str,
        details: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        """Answer with an error, and close: a body that came with the request is not read."""
        body = msgspec.json.encode({"error": {"code": status.value, "message": message, **(details or {})}}) + b"\n"
        self.send_response(status)
        for name, value in {
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            "Connection": "close",
            **(headers or {}),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- http.server's signature
        """Keep the access log quiet: it is there for whoever turns debugging on."""
        _logger.debug(format, *args)
