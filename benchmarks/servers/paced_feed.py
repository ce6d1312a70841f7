"""Serves lines at a steady rate, each flushed when it is due: the live stream, for as long as it is read.

Arguments: a file of lines, updates a second, seconds. After that only position tokens come. The lines are used over
and over, each time with other flight ids, so that no two are the same; their times stay, or the stream would seem
to jump. `/sent` answers when each line was sent, by the machine's monotonic clock.
"""

from __future__ import annotations

import json
import sys
import time
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.inputs import bodies
from benchmarks.servers.http import answer, serve

if TYPE_CHECKING:
    import socket

    from benchmarks.servers.http import Request

TICK_SECONDS = 0.002
"""Lines due within this time go out in one write; at 50 a second that is each by itself."""

TOKEN_SECONDS = 15.0
"""The API sends a position token at least that often."""

TAIL_SECONDS = 0.1
_GZIP_FORMAT = 31
_FLIGHT = b'"flight_id":"'


class PacedFeed:
    """The lines, the rate, and what was sent so far."""

    def __init__(self, lines: list[bytes], rate: float, seconds: float) -> None:
        self._lines = lines
        self._rate = rate
        self._total = int(rate * seconds)
        self._sent: list[float] = []

    def handle(self, request: Request, connection: socket.socket) -> None:
        """Answer one request."""
        if request.path.startswith("/sent"):
            connection.sendall(answer(json.dumps(self._sent).encode()))
            return
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n")
        compressor = zlib.compressobj(1, zlib.DEFLATED, _GZIP_FORMAT)

        def send(data: bytes) -> None:
            connection.sendall(bodies.frame(compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH)))

        begun = time.monotonic()
        next_token = begun + TOKEN_SECONDS
        number, tokens = 0, 0
        while number < self._total:
            now = time.monotonic()
            due = min(self._total, int((now - begun) * self._rate))
            if due > number:
                data = b"".join(self._line(place) for place in range(number, due))
                now = time.monotonic()
                send(data)
                self._sent += [now] * (due - number)
                number = due
            if now >= next_token:
                tokens, next_token = tokens + 1, next_token + TOKEN_SECONDS
                send(bodies.token(f"token-{tokens}"))
            time.sleep(TICK_SECONDS)
        while True:
            tokens += 1
            send(bodies.token(f"token-{tokens}"))
            time.sleep(TAIL_SECONDS)

    def _line(self, place: int) -> bytes:
        turn, place = divmod(place, len(self._lines))
        line = self._lines[place]
        return (line.replace(_FLIGHT, _FLIGHT + b"%d-" % turn) if turn else line) + b"\n"


def main() -> None:
    """Serve what the arguments name."""
    path, rate, seconds = sys.argv[1:]
    feed = PacedFeed(Path(path).read_bytes().split(b"\n"), float(rate), float(seconds))
    serve(feed.handle)


if __name__ == "__main__":
    main()
