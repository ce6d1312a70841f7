"""A TCP server on loopback that runs a function for each connection: for what no HTTP server would say."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable


class Peer:
    """One connection, seen from the server."""

    def __init__(self, connection: socket.socket, stopping: threading.Event) -> None:
        self.connection = connection
        self._stopping = stopping

    def read_head(self) -> bytes:
        """Return the head of a request."""
        data = b""
        while b"\r\n\r\n" not in data:
            part = self.connection.recv(65536)
            if not part:
                raise ConnectionError
            data += part
        return data

    def drip(self, data: bytes, *, every: float = 0.02) -> None:
        """Send one byte after the other, and begin again at the end, until the other side has gone."""
        while not self._stopping.is_set():
            for byte in data:
                self.connection.sendall(bytes([byte]))
                if self._stopping.wait(every):
                    return

    def stay(self) -> None:
        """Say nothing until the other side has gone."""
        self.connection.settimeout(0.05)
        while not self._stopping.is_set():
            with suppress(TimeoutError):
                if not self.connection.recv(65536):
                    return


class RawServer:
    """Accepts connections and gives each to `serve`; counts them in `accepted`."""

    def __init__(self, serve: Callable[[Peer], object]) -> None:
        self.accepted = 0
        self.heads: list[bytes] = []
        self._serve = serve
        self._stopping = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, name="raw-server")]

    @property
    def url(self) -> str:
        """The server's address."""
        return f"http://127.0.0.1:{self.port}/v2/targets/stream"

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            thread = threading.Thread(target=self._run, args=(connection,), name="raw-connection")
            self._threads.append(thread)
            thread.start()

    def _run(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            self._serve(Peer(connection, self._stopping))
