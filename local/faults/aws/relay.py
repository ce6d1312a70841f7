"""HTTP/1.1 between clients and the local AWS: forwards requests, and answers or leaves a client without an answer."""

from __future__ import annotations

import http.client
import socket
import struct
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

from local.faults.aws.calls import Request
from local.faults.aws.errors import Answer
from local.faults.aws.plan import FaultKind
from local.loopback import LoopbackServer

if TYPE_CHECKING:
    from collections.abc import Callable

    type CarryOut = Callable[[Request, Upstream], Answer | FaultKind]

_HOP_BY_HOP = frozenset({"connection", "expect", "keep-alive", "transfer-encoding", "content-length"})
"""Headers that are about one connection (RFC 9110, 7.6.1), or that the length of what is passed on replaces."""

_ABORT = struct.pack("ii", 1, 0)
"""SO_LINGER of zero seconds: closing resets the connection (socket(7))."""

_SECONDS = 60.0
"""How long the local AWS may take to answer."""


class Upstream:
    """A connection to the local AWS, opened when it is needed and kept."""

    def __init__(self, host: str, port: int) -> None:
        self._connection = http.client.HTTPConnection(host, port, timeout=_SECONDS)

    def ask(self, request: Request) -> Answer:
        """Pass a request on and return the answer.

        Raises
        ------
        OSError, http.client.HTTPException
            There is no answer.
        """
        connection = self._connection
        connection.putrequest(request.method, request.target, skip_host=True, skip_accept_encoding=True)
        for name, value in request.headers.items():
            if name not in _HOP_BY_HOP:
                connection.putheader(name, value)
        if request.body or request.method in {"POST", "PUT"}:
            connection.putheader("content-length", str(len(request.body)))
        connection.endheaders(request.body or None)
        response = connection.getresponse()
        body = response.read()
        headers = tuple((name, value) for name, value in response.getheaders() if name.lower() not in _HOP_BY_HOP)
        if request.method == "HEAD" and (length := response.getheader("Content-Length")):
            headers += (("Content-Length", length),)
        return Answer(response.status, headers, body)

    def close(self) -> None:
        """Close it."""
        self._connection.close()


class Relay(LoopbackServer):
    """Serves on a free loopback port.

    Parameters
    ----------
    connect
        Makes a client connection's own connection to the local AWS.
    carry_out
        Gives the answer to a request, or the fault that leaves it without one.
    """

    def __init__(self, connect: Callable[[], Upstream], carry_out: CarryOut) -> None:
        self.connect = connect
        self.carry_out = carry_out
        self._reset: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), _Handler)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection, cleanly or by a reset."""
        with self._lock:
            reset = request in self._reset
            self._reset.discard(request)
        if reset:
            request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
            self.close_request(request)
        else:
            super().shutdown_request(request)

    def reset(self, request: socket.socket) -> None:
        """Have a connection reset rather than closed cleanly; its thread ends with it."""
        with self._lock:
            self._reset.add(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client, or a local AWS, that is gone: the other side sees its connection closed."""
        if not isinstance(sys.exception(), http.client.HTTPException):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """One connection of a client."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body must not wait for each other
    server: Relay

    def setup(self) -> None:
        super().setup()
        self._upstream = self.server.connect()

    def finish(self) -> None:
        self._upstream.close()
        super().finish()

    def _serve(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path, headers, self._body(headers))
        reply = self.server.carry_out(request, self._upstream)
        if isinstance(reply, Answer):
            self._answer(reply)
            return
        if reply is FaultKind.RESET:
            self.server.reset(self.connection)
        self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815 -- http.server's names

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- http.server's name
        """Say nothing for each request."""

    def _body(self, headers: dict[str, str]) -> bytes:
        """Return the request's body; `http.client.IncompleteRead` of a client that ended, or was killed, within it."""
        if headers.get("transfer-encoding", "").lower() != "chunked":
            return self._exactly(int(headers.get("content-length", "0")))
        parts = []
        while size := int(self._line().partition(b";")[0], 16):
            parts.append(self._exactly(size))
            self._line()
        while self._line().strip():
            pass  # trailers
        return b"".join(parts)

    def _line(self) -> bytes:
        line = self.rfile.readline()
        if not line.endswith(b"\n"):
            raise http.client.IncompleteRead(line)
        return line

    def _exactly(self, size: int) -> bytes:
        got = self.rfile.read(size)
        if len(got) < size:
            raise http.client.IncompleteRead(got, size - len(got))
        return got

    def _answer(self, reply: Answer) -> None:
        lines = [f"HTTP/1.1 {reply.status} {_reason(reply.status)}"]
        lines += [f"{name}: {value}" for name, value in reply.headers]
        bare = self.command == "HEAD"
        if not bare:
            lines.append(f"Content-Length: {len(reply.body)}")
        elif not any(name.lower() == "content-length" for name, _ in reply.headers):
            lines.append("Content-Length: 0")
        head = "\r\n".join((*lines, "", "")).encode("latin-1")
        self.wfile.write(head if bare else head + reply.body)


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
