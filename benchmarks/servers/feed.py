"""Serves a body made ahead: `/end` closes it after the last line, `/hold` goes on with position tokens."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.inputs import bodies
from benchmarks.servers.http import serve

if TYPE_CHECKING:
    import socket

    from benchmarks.servers.http import Request

TAIL_SECONDS = 0.1
"""Between the tokens after the last line."""


def main() -> None:
    """Serve the body in the file that the first argument names; the second says whether it is gzip."""
    body = bodies.read(Path(sys.argv[1]))
    encoding = "Content-Encoding: gzip\r\n" if sys.argv[2] == "gzip" else ""
    head = f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n{encoding}\r\n".encode()

    def handle(request: Request, connection: socket.socket) -> None:
        connection.sendall(head)
        for frame in body.frames:
            connection.sendall(frame)
        if request.path.startswith("/end"):
            connection.sendall(body.end)
            return
        for frame in body.tail:
            time.sleep(TAIL_SECONDS)
            connection.sendall(frame)

    serve(handle)


if __name__ == "__main__":
    main()
