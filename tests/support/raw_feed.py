"""A Tracking Stream on bare sockets: numbered lines, a token after every few, and any of them a place to go on from."""

from __future__ import annotations

import re
import socket
import threading
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable

_POLL_SECONDS = 0.01


class RawFeed:
    """Sends the lines that `line(number)` gives, up to `limit`, with a token after every `every` of them.

    Token `t<n>` lies before line n. A connection that has sent all stays open, and goes on when `limit` is raised. Any
    token is taken to go on from unless `refuses(token)`; the last word of a refused one is a 400. `asked` are the
    positions and ranges asked for. A range of ingestion times is answered with `in_range(start, end)`.
    """

    def __init__(self, line: Callable[[int], bytes], *, every: int = 10, limit: int = 0) -> None:
        self.limit = limit
        self.asked: list[str] = []
        self.sent = 0
        self.refuses: Callable[[str], bool] = lambda _token: False
        self.in_range: Callable[[str, str], list[bytes]] = lambda _start, _end: []
        self._line = line
        self._every = every
        self._stopping = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(_POLL_SECONDS)
        self._threads: list[threading.Thread] = []
        self._accepting = threading.Thread(target=self._accept)

    @property
    def url(self) -> str:
        """The endpoint."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}/v2/targets/stream"

    def __enter__(self) -> Self:
        self._accepting.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._accepting.join()
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                continue
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                self._answer(connection)
            except OSError:
                return  # the client has gone

    def _answer(self, connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            if not (part := connection.recv(65536)):
                return  # the client has gone, without a word
            head += part
        target = head.split(b" ")[1].decode().replace("%3A", ":")
        if batch := re.search(r"start=([^&]*)&end=([^&]*)", target):
            self.asked.append(f"{batch[1]}/{batch[2]}")
            body = b"".join(line + b"\n" for line in self.in_range(batch[1], batch[2]))
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            return
        found = re.search(r"position_token=([^&]*)", target)
        position = found[1] if found else "LATEST"
        self.asked.append(position)
        if self.refuses(position):
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            return
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        at = 0 if position == "BEGINNING" else self.limit if position == "LATEST" else int(position[1:])
        if position == "LATEST":
            self._chunk(connection, b'{"position_token":"t%d"}\n' % at)
        while not self._stopping.is_set():
            if at >= self.limit:
                self._stopping.wait(_POLL_SECONDS)
                continue
            until = min(self.limit, (at // self._every + 1) * self._every)
            lines = b"".join(self._line(number) + b"\n" for number in range(at, until))
            at = self.sent = until
            if at % self._every == 0:
                lines += b'{"position_token":"t%d"}\n' % at
            self._chunk(connection, lines)

    @staticmethod
    def _chunk(connection: socket.socket, data: bytes) -> None:
        connection.sendall(b"%x\r\n%b\r\n" % (len(data), data))
