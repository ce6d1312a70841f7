"""A response's body on the wire: chunks, compressed or not, each flushed as it is written."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

_GZIP_FORMAT = 31
"""zlib's `wbits` for a gzip header and the largest window."""

_FASTEST = 1
"""The simulator shares the machine with what it serves; level 1 takes a third of the default level's time."""


class Body(Protocol):
    """Where a response's messages are written. Every failure to write is an OSError and ends the connection."""

    def write(self, data: bytes) -> None:
        """Send whole lines; when this returns, a client that reads can decode them all."""

    def end(self) -> None:
        """End the response cleanly."""


class ChunkedBody:
    """HTTP/1.1 chunks (RFC 9112, 7.1), one a write; gzip ends each with a sync flush.

    Parameters
    ----------
    send
        Sends bytes to the client, all of them, or raises OSError.
    gzip
        Whether to compress.
    """

    def __init__(self, send: Callable[[bytes], object], *, gzip: bool) -> None:
        self._send = send
        self._compressor = zlib.compressobj(_FASTEST, zlib.DEFLATED, _GZIP_FORMAT) if gzip else None

    def write(self, data: bytes) -> None:
        """Send whole lines; when this returns, a client that reads can decode them all."""
        if self._compressor:
            data = self._compressor.compress(data) + self._compressor.flush(zlib.Z_SYNC_FLUSH)
        if data:  # an empty chunk would end the body
            self._send(b"%x\r\n%b\r\n" % (len(data), data))

    def end(self) -> None:
        """End the gzip stream and the chunks: the client sees a whole response, not a cut one."""
        if self._compressor:
            rest = self._compressor.flush()
            self._send(b"%x\r\n%b\r\n" % (len(rest), rest))
        self._send(b"0\r\n\r\n")


class BodyFactory(Protocol):
    """Makes the body of a response that is about to begin: what a test wraps to make a connection fail."""

    def __call__(self, connection: socket.socket, *, gzip: bool) -> Body:
        """Return a body that writes to a client's connection."""


def chunked(connection: socket.socket, *, gzip: bool) -> Body:
    """Return the body of a server that is well."""
    return ChunkedBody(connection.sendall, gzip=gzip)
