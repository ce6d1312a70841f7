"""A loopback HTTP server that stops at once, whatever its connections do: base of the simulator and the relay."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any

from local.threads import report_error


class LoopbackServer(ThreadingHTTPServer):
    """A thread for each connection; keeps account of the connections, so that all of them can be closed."""

    daemon_threads = False  # so that server_close() joins them
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        super().__init__(address, handler)

    def server_bind(self) -> None:
        """Bind, without the name look-up that HTTPServer makes and that can hang where no name server answers."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.socket.getsockname()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Begin a connection's thread."""
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def close_request(self, request: Any) -> None:
        """Close a connection."""
        with self._lock:
            self._open.discard(request)
        super().close_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 -- socketserver's signature
        """Say nothing of a client that is gone; what else a connection's thread ends with fails the run."""
        if not isinstance(sys.exception(), OSError):
            report_error()

    def disconnect_all(self) -> None:
        """Shut every connection down, which ends whatever its thread waits for."""
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):  # the client is gone already
                    connection.shutdown(socket.SHUT_RDWR)
