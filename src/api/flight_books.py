"""Reads the days' flights in the layout of `common.flight_book`; directories are cached while unchanged."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from common import flight_book
from common.flight_book import BookError

if TYPE_CHECKING:
    from collections.abc import Callable

    from common.flight_book import Block, Directory

_KEPT = 16
"""Days whose directories are kept."""

_TRIES = 3
"""An object may be replaced between two reads of it."""


class Ranges(Protocol):
    """What can read a part of an object."""

    def part(
        self, key: str, start: int, size: int, *, known: str | None = None, wanted: str | None = None
    ) -> tuple[str, bytes] | None:
        """Return the object's tag and so many bytes; None if it is not there, or has not the `wanted` tag.

        With the `known` tag there is no content.
        """


class DamagedDayError(Exception):
    """An object is not a day's flights, or not all of it is; `day` is which, the text says what is wrong with it."""

    def __init__(self, day: str, reason: object) -> None:
        super().__init__(f"{flight_book.key(day)}: {reason}")
        self.day = day


class ReplacedError(Exception):
    """The day was made again while it was read: ask once more."""


@dataclass(frozen=True, slots=True)
class _Kept:
    tag: str
    directory: Directory
    beginning: bytes


class Book:
    """One day's flights."""

    def __init__(self, source: Ranges, day: str, kept: _Kept) -> None:
        self._source = source
        self._day = day
        self._kept = kept
        self.inflated = 0
        """Bytes of the blocks that were read; of one that cannot be read as many as there may be."""

    @property
    def directory(self) -> Directory:
        """What is in it."""
        return self._kept.directory

    def flights[Flight](self, block: Block, decode: Callable[[bytes], Flight]) -> list[Flight]:
        """Return the flights of a block, each decoded from its line.

        Raises
        ------
        DamagedDayError
            It cannot be read.
        ReplacedError
            The day was made again since, which the next request will notice.
        """
        try:
            lines = flight_book.read_block(self._block(block))
            self.inflated += sum(map(len, lines))
            return [decode(line) for line in lines]
        except (BookError, ValueError, RecursionError) as error:
            self.inflated += flight_book.MOST_BLOCK
            raise DamagedDayError(self._day, error) from error

    def _block(self, block: Block) -> bytes:
        if block.offset < 0 or not 0 < block.size <= flight_book.MOST_BLOCK:
            raise BookError(f"a block of {block.size} bytes from byte {block.offset} on")
        end = block.offset + block.size
        if end <= len(self._kept.beginning):
            return self._kept.beginning[block.offset : end]
        got = self._source.part(flight_book.key(self._day), block.offset, block.size, wanted=self._kept.tag)
        if got is None:
            raise ReplacedError
        return got[1]


class Books:
    """Opens days."""

    def __init__(self, source: Ranges) -> None:
        self._source = source
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    def open(self, day: str) -> Book | None:
        """Return a day's flights as they are now, None if there are none; the day as `YYYY-MM-DD`.

        Raises
        ------
        DamagedDayError
            The object is something else.
        ReplacedError
            It was made again each time that it was read.
        """
        key = flight_book.key(day)
        for _ in range(_TRIES):
            kept = self._kept.get(key)
            got = self._source.part(key, 0, flight_book.BEGINNING, known=None if kept is None else kept.tag)
            if got is None:
                self._kept.pop(key, None)
                return None
            tag, beginning = got
            if kept is not None and tag == kept.tag:
                self._kept.move_to_end(key)
                return Book(self._source, day, kept)
            try:
                whole = self._to_directory_end(key, tag, beginning)
                if whole is None:
                    continue
                kept = self._kept[key] = _Kept(tag, flight_book.read_directory(whole), whole)
            except BookError as error:
                raise DamagedDayError(day, error) from error
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
            return Book(self._source, day, kept)
        raise ReplacedError

    def _to_directory_end(self, key: str, tag: str, beginning: bytes) -> bytes | None:
        """Return an object's beginning, its whole directory included; None if the object was replaced meanwhile."""
        end = flight_book.directory_end(beginning)
        if end <= len(beginning):
            return beginning
        rest = self._source.part(key, len(beginning), end - len(beginning), wanted=tag)
        return None if rest is None else beginning + rest[1]
