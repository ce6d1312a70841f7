"""Bytes of the response in, complete lines out: as soon as they are complete, in bounded memory."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_LINE_BYTES = 4 * 1024 * 1024
"""Longer lines are cut here: four times the largest record Kinesis takes, five thousand times the usual line."""

_MAX_INFLATED_BYTES = 1024 * 1024
"""What one step of decompression gives at most, so that a hostile block cannot fill the memory."""

_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_WINDOW = 31  # zlib's way of saying: the gzip format, with its largest window


class CorruptStreamError(Exception):
    """The body is no valid gzip: the connection is of no more use."""


@dataclass(frozen=True, slots=True)
class OversizedLine:
    """A line longer than `MAX_LINE_BYTES`: its beginning, and how long the whole was in bytes."""

    beginning: bytes
    length: int


class Inflater:
    """Turns a body into plain bytes; gzip is recognised by its first two bytes, whatever the headers say.

    The API flushes a gzip body as it goes, so every chunk gives what it holds without waiting for more.
    """

    def __init__(self) -> None:
        self._head = b""
        self._gzip: zlib._Decompress | None = None
        self._is_plain = False

    @property
    def is_complete(self) -> bool:
        """Whether the body may end here: it is plain, or its gzip member has been closed."""
        return not self._head and (self._gzip is None or self._gzip.eof)

    @property
    def is_gzip(self) -> bool:
        """Whether the body is compressed, as far as it has come."""
        return self._gzip is not None

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Yield the plain bytes of `chunk`, in pieces of bounded size.

        Raises
        ------
        CorruptStreamError
            The chunk does not continue a valid gzip stream.
        """
        if self._is_plain:
            yield chunk
            return
        if self._gzip is None:
            self._head += chunk
            if len(self._head) < len(_GZIP_MAGIC) and _GZIP_MAGIC.startswith(self._head):
                return  # either is possible yet
            chunk, self._head = self._head, b""
            if not chunk.startswith(_GZIP_MAGIC):
                self._is_plain = True
                yield chunk
                return
            self._gzip = zlib.decompressobj(_GZIP_WINDOW)
        yield from self._inflate(chunk)

    def _inflate(self, chunk: bytes) -> Iterator[bytes]:
        assert self._gzip is not None
        has_more = bool(chunk)
        while has_more:
            if self._gzip.eof:  # gzip allows several members, one after the other
                self._gzip = zlib.decompressobj(_GZIP_WINDOW)
            try:
                plain = self._gzip.decompress(chunk, _MAX_INFLATED_BYTES)
            except zlib.error as error:
                raise CorruptStreamError(f"the gzip body is damaged: {error}") from error
            chunk = self._gzip.unused_data or self._gzip.unconsumed_tail
            # A step that gave all it may can have eaten its input and still hold output back.
            has_more = bool(chunk) or (len(plain) == _MAX_INFLATED_BYTES and not self._gzip.eof)
            if plain:
                yield plain


class LineDecoder:
    """Cuts plain bytes into lines; keeps an incomplete line until the rest of it comes."""

    def __init__(self, max_line_bytes: int = MAX_LINE_BYTES) -> None:
        self._max_line_bytes = max_line_bytes
        self._kept = bytearray()  # no list of parts: parts of one byte each would take fifty times their size
        self._length = 0  # of the incomplete line, its dropped bytes included

    @property
    def incomplete_bytes(self) -> int:
        """Length in bytes of the line that is not complete yet."""
        return self._length

    def feed(self, data: bytes) -> list[bytes | OversizedLine]:
        """Return the lines that `data` completes, without their line ends; blank lines are left out."""
        *complete, rest = data.split(b"\n")
        lines: list[bytes | OversizedLine] = []
        if complete:
            if self._length:
                self._keep(complete[0])
                lines.append(self._take())
                del complete[0]
            lines.extend(complete)
        if rest:
            self._keep(rest)
        limit = self._max_line_bytes
        return [
            line if isinstance(line, OversizedLine) or len(line) <= limit else OversizedLine(line[:limit], len(line))
            for line in lines
            if isinstance(line, OversizedLine) or (line and not line.isspace())
        ]

    def finish(self) -> list[bytes | OversizedLine]:
        """Return the last line of a body that has come whole and does not end with a line end."""
        return self.feed(b"\n")

    def _keep(self, part: bytes) -> None:
        self._length += len(part)
        self._kept += part[: self._max_line_bytes - len(self._kept)]

    def _take(self) -> bytes | OversizedLine:
        line, length = bytes(self._kept), self._length
        self._kept, self._length = bytearray(), 0
        return line if length == len(line) else OversizedLine(line, length)
