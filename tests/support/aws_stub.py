"""An HTTP server on loopback that answers every POST with the bytes it is given: AWS on a bad day."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING

from tests.support.http_server import LoopbackServer

if TYPE_CHECKING:
    from collections.abc import Callable


class AwsStub(LoopbackServer):
    """Answers request n with what `answer(n, body)` gives: a status and a body; n counts from 0."""

    def __init__(self, answer: Callable[[int, bytes], tuple[int, bytes]]) -> None:
        self.bodies: list[bytes] = []
        self._lock = threading.Lock()
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with stub._lock:
                    number = len(stub.bodies)
                    stub.bodies.append(body)
                status, content = answer(number, body)
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(Handler, name="aws-stub")
