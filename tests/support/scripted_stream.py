"""A Tracking Stream that misbehaves as scripted: every connection is answered by the next line of a script."""

from __future__ import annotations

import socket
import struct
import threading
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

_GZIP_FORMAT = 31
_SEND_SECONDS = 10.0
_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asked: the path, its query parameters, and the headers by lower-case name."""

    path: str
    parameters: dict[str, str]
    headers: dict[str, str]


class Exchange:
    """One connection, seen from the server: what was asked, and ways to answer it well or badly."""

    def __init__(self, connection: socket.socket, request: Request, stopping: threading.Event) -> None:
        self.request = request
        self._connection = connection
        self._stopping = stopping
        self._compressor: zlib._Compress | None = None
        self._is_chunked = False

    def begin(self, *, gzip: bool = False, framing: str = "chunked", length: int = 0) -> None:
        """Answer 200; `framing` is `chunked`, `length` (a Content-Length) or `close` (the body ends with it)."""
        headers = {"Content-Type": "application/x-ndjson"}
        if gzip:
            headers["Content-Encoding"] = "gzip"
            self._compressor = zlib.compressobj(wbits=_GZIP_FORMAT)
        if framing == "chunked":
            headers["Transfer-Encoding"] = "chunked"
            self._is_chunked = True
        elif framing == "length":
            headers["Content-Length"] = str(length)
        else:
            headers["Connection"] = "close"
        self.head(200, "OK", headers)

    def head(self, status: int, reason: str, headers: dict[str, str]) -> None:
        """Send a status line and headers."""
        lines = [f"HTTP/1.1 {status} {reason}", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        self.raw("\r\n".join(lines).encode())

    def refuse(self, status: int, body: bytes = b"", *, reason: str = "Refused", **headers: str) -> None:
        """Answer with an error; `Retry_After="3"` sets the header Retry-After."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.head(status, reason, {"Content-Length": str(len(body)), "Connection": "close"} | named)
        self.raw(body)

    def send(self, data: bytes) -> None:
        """Send a part of the body so that a reader can act on it at once."""
        self.raw(self.framed(self.compressed(data)))

    def compressed(self, data: bytes) -> bytes:
        """Return a part of the body compressed and flushed, where the response is."""
        if self._compressor is None:
            return data
        return self._compressor.compress(data) + self._compressor.flush(zlib.Z_SYNC_FLUSH)

    def framed(self, data: bytes) -> bytes:
        """Return bytes of the body as they go over the wire."""
        return b"%x\r\n%b\r\n" % (len(data), data) if self._is_chunked and data else data

    def end(self) -> None:
        """End the body cleanly."""
        if self._compressor:
            self.raw(self.framed(self._compressor.flush()))
        if self._is_chunked:
            self.raw(b"0\r\n\r\n")

    def raw(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._connection.settimeout(_SEND_SECONDS)  # a reader may be slow, or held up by back pressure
        self._connection.sendall(data)
        self._connection.settimeout(_POLL_SECONDS)

    def reset(self) -> None:
        """Break the connection off: the client gets what was sent, and then a TCP reset."""
        # The client must have read everything before, or the reset would overtake it.
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._connection.close()

    def stay(self) -> None:
        """Say nothing more until the client has gone."""
        while not self._stopping.is_set():
            try:
                if not self._connection.recv(1):
                    return
            except TimeoutError:
                continue


class ScriptedStream:
    """An HTTP server on loopback; connection n runs script n, and the last script runs for all that follow."""

    def __init__(self, *scripts: Callable[[Exchange], object]) -> None:
        self.requests: list[Request] = []
        self.changed = threading.Condition()
        self._scripts = scripts
        self._stopping = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self._acceptor = threading.Thread(target=self._accept, name="scripted-stream")

    @property
    def url(self) -> str:
        """The stream's address."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}/v2/targets/stream"

    def __enter__(self) -> Self:
        self._acceptor.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join()
        self._listener.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,), name="scripted-connection")
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(_POLL_SECONDS)
            try:
                request = self._read_request(connection)
                if request is None:
                    return
                with self.changed:
                    script = self._scripts[min(len(self.requests), len(self._scripts) - 1)]
                    self.requests.append(request)
                    self.changed.notify_all()
                script(Exchange(connection, request, self._stopping))
            except (ConnectionError, BrokenPipeError):
                pass  # the client has gone, as it may

    def _read_request(self, connection: socket.socket) -> Request | None:
        data = b""
        while b"\r\n\r\n" not in data:
            try:
                part = connection.recv(65536)
            except TimeoutError:
                if self._stopping.is_set():
                    return None
                continue
            if not part:
                return None
            data += part
        first, *lines = data.decode("latin-1").split("\r\n\r\n")[0].split("\r\n")
        target = urlsplit(first.split(" ")[1])
        headers = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines)}
        return Request(target.path, dict(parse_qsl(target.query, keep_blank_values=True)), headers)
