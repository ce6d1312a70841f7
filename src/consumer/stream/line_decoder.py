"""Bytes of the response in, whole lines out: as soon as they are complete, in bounded memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from isal import isal_zlib  # zlib's interface at half its cost: inflating is a third of the work of reading

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_LINE_BYTES = 4 * 1024 * 1024
"""Longer lines are cut here: four times the largest record Kinesis takes, five thousand times the usual line."""

_MAX_INFLATED_BYTES = 64 * 1024
"""What one step of decompression gives at most, so that a hostile block cannot fill the memory.

Small enough, too, for the allocator to use the same memory again: blocks over 128 KiB it takes from the system and
gives back (glibc, mallopt(3), M_MMAP_THRESHOLD). At 1 MiB, the page faults of that were a third of the work of reading.
"""

_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_HEAD, _DEFLATED, _RESERVED_FLAGS = 4, 8, 0xE0  # RFC 1952: magic, method, flags
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

    The API flushes a gzip body as it writes, so every chunk yields its content without waiting for more.
    """

    def __init__(self) -> None:
        self._head = b""  # the first bytes of a member, until there are enough to judge it by
        self._gzip: isal_zlib.Decompress | None = None
        self._members = 0
        self._is_plain = False

    @property
    def is_gzip(self) -> bool:
        """Whether the body is gzip, and so says itself where it ends."""
        return self._gzip is not None or self._members > 0

    @property
    def is_complete(self) -> bool:
        """Whether the body may end here: it is plain, or its last gzip member has been closed."""
        return self._gzip is None and not self._head

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Yield the plain bytes of `chunk`, in pieces of bounded size.

        Raises
        ------
        CorruptStreamError
            The chunk does not continue a valid gzip stream.
        """
        is_held_back = False
        while chunk or is_held_back:
            if self._gzip is None and not self._is_plain:
                chunk = self._begin_member(chunk)
            if self._gzip is None:
                if chunk:
                    yield chunk
                return
            try:
                plain = self._gzip.decompress(chunk, _MAX_INFLATED_BYTES)
            except isal_zlib.error as error:  # type: ignore[misc]  # its stub calls the class an instance
                raise CorruptStreamError(f"the gzip body is damaged: {error}") from error
            if plain:
                yield plain
            if self._gzip.eof:  # gzip allows several members, one after the other
                chunk, is_held_back = self._gzip.unused_data, False
                self._gzip = None
                self._members += 1
            else:  # a step that gave all it may can have eaten its input and still hold output back
                chunk, is_held_back = self._gzip.unconsumed_tail, len(plain) == _MAX_INFLATED_BYTES

    def _begin_member(self, chunk: bytes) -> bytes:
        """Look at the first bytes of a body or of a further member; return what is to be read of it."""
        head = self._head + chunk
        if len(head) < _GZIP_HEAD and _GZIP_MAGIC.startswith(head[: len(_GZIP_MAGIC)]):
            self._head = head  # either is possible yet
            return b""
        self._head = b""
        if not head.startswith(_GZIP_MAGIC):
            if self._members:
                raise CorruptStreamError("the gzip body is damaged: what follows a member is not another member")
            self._is_plain = True
        elif head[2] != _DEFLATED or head[3] & _RESERVED_FLAGS:  # isal would wait for what such flags announce
            raise CorruptStreamError("the gzip body is damaged: its header is not one of gzip's")
        else:
            self._gzip = isal_zlib.decompressobj(_GZIP_WINDOW)
        return head


class LineDecoder:
    """Cuts plain bytes at line ends; keeps an incomplete line until the rest of it comes.

    It yields blocks: one or more whole lines, each with its line end. A list of lines would cost a third of all the
    work of reading, since CPython's `split` looks at every byte and each line is one more copy.
    """

    def __init__(self, max_line_bytes: int = MAX_LINE_BYTES) -> None:
        self._max_line_bytes = max_line_bytes
        self._kept = bytearray()  # no list of parts: parts of one byte each would take fifty times their size
        self._length = 0  # of the incomplete line, its dropped bytes included

    @property
    def incomplete_bytes(self) -> int:
        """Length in bytes of the line that is not complete yet."""
        return self._length

    def feed(self, data: bytes) -> list[bytes | OversizedLine]:
        """Return the lines that `data` completes, in blocks; one too long is cut, and stands by itself."""
        if self._length + len(data) > self._max_line_bytes:
            return self._feed_by_line(data)
        end = data.rfind(b"\n") + 1
        if not end:
            self._keep(data)
            return []
        block = b"".join((self._take(), memoryview(data)[:end])) if self._length else data[:end]
        self._keep(data[end:])
        return [block]

    def finish(self) -> list[bytes | OversizedLine]:
        """Return the last line of a body that has come whole and does not end with a line end."""
        return self.feed(b"\n") if self._length else []

    def _feed_by_line(self, data: bytes) -> list[bytes | OversizedLine]:
        """Do what `feed` does where a line may be too long."""
        *complete, rest = data.split(b"\n")
        lines: list[bytes | OversizedLine] = []
        for part in complete:
            self._keep(part)
            length = self._length
            line = self._take()
            lines.append(line + b"\n" if length == len(line) else OversizedLine(line, length))
        self._keep(rest)
        return lines

    def _keep(self, part: bytes) -> None:
        self._length += len(part)
        self._kept += part[: self._max_line_bytes - len(self._kept)]

    def _take(self) -> bytes:
        line = bytes(self._kept)
        self._kept, self._length = bytearray(), 0
        return line
