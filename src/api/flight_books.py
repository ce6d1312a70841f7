"""Reads the days' flights in the layout of `common.flight_book`; directories are cached while unchanged."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from common import flight_book

if TYPE_CHECKING:
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


@dataclass(frozen=True, slots=True)
class _Kept:
    tag: str
    directory: Directory
    beginning: bytes


class Book:
    """One day's flights."""

    def __init__(self, source: Ranges, key: str, kept: _Kept) -> None:
        self._source = source
        self._key = key
        self._kept = kept

    @property
    def directory(self) -> Directory:
        """What is in it."""
        return self._kept.directory

    def lines(self, block: Block) -> list[bytes]:
        """Return the flights of a block; none if the day was made again since, which the next request will notice.

        Raises
        ------
        common.flight_book.BookError
            It is damaged.
        """
        end = block.offset + block.size
        if end <= len(self._kept.beginning):
            return flight_book.read_block(self._kept.beginning[block.offset : end])
        got = self._source.part(self._key, block.offset, block.size, wanted=self._kept.tag)
        if got is None:
            raise ReplacedError
        return flight_book.read_block(got[1])


class ReplacedError(Exception):
    """The day was made again while it was read: ask once more."""


class Books:
    """Opens days."""

    def __init__(self, source: Ranges) -> None:
        self._source = source
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    def open(self, day: str) -> Book | None:
        """Return a day's flights as they are now, None if there are none; the day as `YYYY-MM-DD`.

        Raises
        ------
        common.flight_book.BookError
            The object is something else.
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
                return Book(self._source, key, kept)
            end = flight_book.directory_end(beginning)
            if end > len(beginning):
                rest = self._source.part(key, len(beginning), end - len(beginning), wanted=tag)
                if rest is None:
                    continue
                beginning += rest[1]
            kept = self._kept[key] = _Kept(tag, flight_book.read_directory(beginning), beginning)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
            return Book(self._source, key, kept)
        raise ReplacedError
