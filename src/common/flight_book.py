"""A day's flights in one S3 object of which a reader fetches a few kilobytes: the API's index of `archive/flights/`.

Layout: eight bytes (`FLT1`, and the directory's size as a little-endian number), the directory, and blocks. Directory
and blocks are gzip; a block is lines of JSON. Flights are in the order of their ids, which begin with the aircraft's
address, some dozens a block, with their tracks. After those comes a block for each airport, without tracks, of the
flights that left it or came to it. All offsets are from the object's beginning.
"""

from __future__ import annotations

import gzip
import io
import struct
import zlib
from array import array
from bisect import bisect_right
from itertools import batched
from typing import IO, TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

PREFIX: Final = "flights/"

BEGINNING: Final = 32 * 1024
"""Bytes that hold all of a small day, and the directory of most."""

_HEAD = struct.Struct("<4sI")
_MAGIC = b"FLT1"
_FLIGHTS_IN_BLOCK = 32
_MOST_DIRECTORY = 16 * 1024 * 1024
"""Bytes, as it lies there and inflated: a day of the whole world takes one."""

MOST_BLOCK: Final = 64 * 1024 * 1024
"""Bytes of a block, as it lies there and inflated: twice the longest flight that there is (`flights.objects`). Of the
others a block has some hundred kilobytes."""

_MOST_IN_BLOCK = 1 << 17
"""Flights: more than the whole world has in a day."""


class BookError(Exception):
    """The object is not a day's flights in this layout."""


class Block(msgspec.Struct, frozen=True, array_like=True):
    """Where a block is: bytes from the object's beginning, and the id of its first flight."""

    first_id: str
    offset: int
    size: int


class Directory(msgspec.Struct, frozen=True):
    """What is in a day's object: its blocks in the order of ids, those of airports by code."""

    flights: int
    blocks: list[Block]
    airports: dict[str, Block]

    def of_aircraft(self, address: str) -> list[Block]:
        """Return the blocks in which an aircraft's flights may be."""
        ids = [block.first_id for block in self.blocks]
        # Ids are the address, a hyphen and a time: `.` comes right after the hyphen.
        return self.blocks[max(0, bisect_right(ids, address + "-") - 1) : bisect_right(ids, address + ".")]

    def after(self, last_id: str) -> list[Block]:
        """Return the blocks in which flights with greater ids may be."""
        return self.blocks[max(0, bisect_right([block.first_id for block in self.blocks], last_id) - 1) :]


_decode_directory = msgspec.json.Decoder(Directory).decode
_encode = msgspec.json.Encoder(order="deterministic").encode


def key(day: str) -> str:
    """Return the key of a day's object; the day as `YYYY-MM-DD`."""
    return f"{PREFIX}date={day}/flights.book"


def directory_end(beginning: bytes) -> int:
    """Return how many bytes of an object there are up to the end of its directory.

    Raises
    ------
    BookError
        It does not begin as one.
    """
    if len(beginning) < _HEAD.size:
        raise BookError(f"{len(beginning)} bytes; expected {_HEAD.size} at the least")
    magic, size = _HEAD.unpack_from(beginning)
    if magic != _MAGIC or size > _MOST_DIRECTORY:
        raise BookError(f"begins with {magic!r} and a directory of {size} bytes; expected {_MAGIC!r}")
    return int(_HEAD.size + size)


def read_directory(beginning: bytes) -> Directory:
    """Return the directory of an object's first bytes, which have to reach to its end.

    Raises
    ------
    BookError
        They do not, or hold something else.
    """
    end = directory_end(beginning)
    try:
        return _decode_directory(_inflated(beginning[_HEAD.size : end], _MOST_DIRECTORY))
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise BookError(f"its directory cannot be read: {error}") from error


def read_block(data: bytes) -> list[bytes]:
    """Return the lines of a block.

    Raises
    ------
    BookError
        It is damaged.
    """
    if not data:
        raise BookError("a block is missing")
    try:
        inflated = _inflated(data, MOST_BLOCK)
    except (OSError, EOFError, zlib.error) as error:
        raise BookError(f"a block cannot be read: {error}") from error
    if (lines := inflated.count(b"\n")) > _MOST_IN_BLOCK:
        raise BookError(f"a block of {lines} lines; expected {_MOST_IN_BLOCK} at the most")
    return inflated.splitlines()


def _inflated(data: bytes, most: int) -> bytes:
    """Return what gzip holds; BookError for more than `most` bytes, of which no more are inflated."""
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as source:
        inflated = source.read(most + 1)
    if len(inflated) > most:
        raise BookError(f"more than {most} bytes when inflated")
    return inflated


class Writer:
    """Takes the flights of a day in the order of their ids, and writes them. The same flights give the same bytes.

    Held are some numbers for each flight.
    """

    def __init__(self, blocks: IO[bytes], summaries: IO[bytes]) -> None:
        """Both are empty files for what is under way, to be written and read."""
        self._file = blocks
        self._summaries = summaries
        self._waiting: list[bytes] = []
        self._first_id = ""
        self._blocks: list[Block] = []
        self._airports: dict[str, array[int]] = {}  # where the summaries of its flights begin, and their sizes
        self._flights = 0

    def add(self, flight_id: str, line: bytes, summary: bytes, airports: Iterable[str]) -> None:
        """Take one flight: its line, the same without the track, and the airports that it is to be found by."""
        if not self._waiting:
            self._first_id = flight_id
        self._waiting.append(line)
        self._flights += 1
        begin = self._summaries.tell()
        self._summaries.write(summary)
        for airport in airports:
            self._airports.setdefault(airport, array("q")).extend((begin, len(summary)))
        if len(self._waiting) == _FLIGHTS_IN_BLOCK:
            self._put()

    def finish(self, target: IO[bytes]) -> None:
        """Write the object."""
        self._put()
        airports = {code: self._block("", self._of_airport(where)) for code, where in sorted(self._airports.items())}
        # The offsets depend on the directory's size, and that on the offsets: it settles, as both only grow.
        size = 0
        while True:
            directory = self._directory(airports, _HEAD.size + size)
            if len(directory) <= size:
                break
            size = len(directory)
        target.write(_HEAD.pack(_MAGIC, size) + directory.ljust(size, b"\0"))
        self._file.seek(0)
        while chunk := self._file.read(1024 * 1024):
            target.write(chunk)

    def _directory(self, airports: dict[str, Block], begin: int) -> bytes:
        def moved(block: Block) -> Block:
            return Block(block.first_id, block.offset + begin, block.size)

        blocks = [moved(block) for block in self._blocks]
        by_code = {code: moved(block) for code, block in airports.items()}
        return gzip.compress(_encode(Directory(self._flights, blocks, by_code)), mtime=0)

    def _of_airport(self, where: array[int]) -> list[bytes]:
        lines = []
        for begin, size in batched(where, 2, strict=True):
            self._summaries.seek(begin)
            lines.append(self._summaries.read(size))
        return lines

    def _put(self) -> None:
        if self._waiting:
            self._blocks.append(self._block(self._first_id, self._waiting))
            self._waiting = []

    def _block(self, first_id: str, lines: list[bytes]) -> Block:
        data = gzip.compress(b"\n".join(lines), mtime=0)
        offset = self._file.tell()
        self._file.write(data)
        return Block(first_id, offset, len(data))
