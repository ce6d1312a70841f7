"""As much of HTTP/1.1 as the benchmarks' servers need, with as little work as can be."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local.threads import ThreadWatch, report_error

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Request:
    """One request; header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


def answer(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    """Return a whole response."""
    head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""])
    return head.encode() + body


def serve(handle: Callable[[Request, socket.socket], None]) -> None:
    """Serve on a free loopback port, which is written to standard output as JSON, until standard input is closed.

    A thread that dies ends the process.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the harness's to act on
    listener = socket.create_server(("127.0.0.1", 0))
    with ThreadWatch(_end):
        threading.Thread(target=_accept, args=(listener, handle), name="accept", daemon=True).start()
        sys.stdout.write(json.dumps({"port": listener.getsockname()[1]}) + "\n")
        sys.stdout.flush()
        sys.stdin.read()


def _end(text: str) -> None:
    """End the process for a thread that died: what it served is missing from the figures."""
    sys.stderr.write(f"server: {text}\n")
    sys.stderr.flush()
    os._exit(1)


def _accept(listener: socket.socket, handle: Callable[[Request, socket.socket], None]) -> None:
    while True:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=_converse, args=(connection, handle), daemon=True).start()


def _converse(connection: socket.socket, handle: Callable[[Request, socket.socket], None]) -> None:
    with connection, connection.makefile("rb", buffering=256 * 1024) as stream:
        try:
            while first := stream.readline():
                method, path, _ = first.decode("latin-1").split(" ", 2)
                headers = {}
                while line := stream.readline().rstrip():
                    name, _, value = line.decode("latin-1").partition(":")
                    headers[name.lower()] = value.strip()
                if headers.get("expect") == "100-continue":
                    connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
                body = stream.read(int(headers.get("content-length", "0")))
                handle(Request(method, path, headers, body), connection)
        except OSError:
            return  # the client is gone
        except Exception:  # noqa: BLE001 - reported, and the end of the process
            report_error()  # while the client still waits: it must not think that all went well
