"""A chunked response body (RFC 9112, section 7.1): as much of it at once as has arrived.

urllib3 yields one HTTP chunk at a time. A server that flushes every line sends a chunk for each, and a client that is a
little behind has dozens of them in its buffer; taking them together costs a third, since they are then inflated and cut
into lines together. Nothing is waited for: what has arrived is yielded at once, even half a chunk.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import BufferedIOBase

_READ_BYTES = 96 * 1024
"""Few reads, of a size for which the allocator uses the same memory again (under 128 KiB: glibc, mallopt(3))."""

_LONGEST_LINE = 4096
"""Of a chunk's size with its extensions, or of a trailer field."""

_LONGEST_TRAILER = 16
"""Trailer fields: the API sends none, and a trailer without end would be read without a line ever coming."""

_END = b"\r\n"

_BETWEEN_CHUNKS = re.compile(rb"\r\n([1-9a-fA-F][0-9a-fA-F]{0,14})\r\n").match
"""A chunk's end and the next one's size, as nearly all are: one step where `_line` takes two, at half the cost."""


class ChunkedBodyError(Exception):
    """The framing is broken, or the connection ended before the body did."""


class ChunkedBody:
    """Iterates over the content of a body that is read from `source`, whose headers have been read."""

    def __init__(self, source: BufferedIOBase) -> None:
        self._source = source
        self._unread = b""  # framing that is not complete yet
        self._left = 0  # content bytes of the current chunk that are still to come
        self._in_chunk = False
        self._in_trailer = False
        self._trailer_fields = 0
        self._is_done = False
        self._error: ChunkedBodyError | None = None

    def __iter__(self) -> Iterator[bytes]:
        """Yield the content of each read, if only nothing of framing alone; ends after the last chunk and the trailer.

        Raises
        ------
        ChunkedBodyError
            The framing is broken, or the connection ended early.
        OSError
            The connection failed, or nothing came in time.
        """
        while not self._is_done:
            data = self._source.read1(_READ_BYTES)
            if not data:
                raise ChunkedBodyError("the connection ended within the body")
            yield self._take(data)
            if self._error is not None:  # after what came whole before the damage
                raise self._error

    def _take(self, data: bytes) -> bytes:
        """Return the content in what has arrived, and remember where it stops."""
        data = self._unread + data
        parts: list[bytes] = []
        try:
            self._unread = data[self._walk(data, parts) :]
        except ChunkedBodyError as error:
            self._error = error
        return b"".join(parts)

    def _walk(self, data: bytes, parts: list[bytes]) -> int:
        """Collect the content of whole and partial chunks; return where the framing that is not complete begins."""
        at = 0
        while not self._is_done:
            if self._left:
                part = data[at : at + self._left]
                parts.append(part)
                at += len(part)
                self._left -= len(part)
                if self._left:
                    break
                if (between := _BETWEEN_CHUNKS(data, at)) is not None:
                    self._left, at = int(between[1], 16), between.end()
                    continue
            line_end = data.find(_END, at)
            if line_end < 0:
                if len(data) - at > _LONGEST_LINE:
                    raise ChunkedBodyError("a chunk's size is longer than any size is")
                break
            self._line(data[at:line_end])
            at = line_end + len(_END)
        return at

    def _line(self, line: bytes) -> None:
        """Act on a line of the framing: the end of a chunk, the size of the next one, or the trailer."""
        if self._in_trailer:
            self._is_done = not line
            self._trailer_fields += 1
            if self._trailer_fields > _LONGEST_TRAILER:
                raise ChunkedBodyError(f"a trailer of more than {_LONGEST_TRAILER} fields")
        elif self._in_chunk:
            if line:
                raise ChunkedBodyError("a chunk is longer than its size says")
            self._in_chunk = False
        else:
            size = line.partition(b";")[0].strip()
            if not size.isalnum() or len(size) > len("7fffffffffffffff"):
                raise ChunkedBodyError(f"expected a chunk's size, got {line[:40]!r}")
            try:
                self._left = int(size, 16)
            except ValueError:
                raise ChunkedBodyError(f"expected a chunk's size, got {line[:40]!r}") from None
            self._in_chunk, self._in_trailer = self._left > 0, self._left == 0
