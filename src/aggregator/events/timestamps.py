"""RFC 3339 texts to milliseconds since 1970, many at a time: without a `datetime` each, which takes twice as long.

The feed's times are in UTC and have no decimals or three. The first 19 characters of such a text are the second, and a
batch has few different seconds: each is read once, by the decoder that reads all instants, and looked up from then on.
A time written in any other way is left to that decoder altogether.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from aggregator import instants
from common.normal_form import OUTERMOST_YEARS
from common.target_update import Instant

if TYPE_CHECKING:
    from collections.abc import Sequence

_SECOND = len("2024-03-04T23:24:00")
_FRACTIONS = {"Z": 0} | {f".{milliseconds:03}Z": milliseconds for milliseconds in range(1_000)}
"""What may follow the second."""

MOST_SECONDS = 10_000
"""Seconds that are kept; the bound keeps a feed of arbitrary times from filling the memory."""

_decode = msgspec.json.Decoder(Instant).decode
_encode = msgspec.json.Encoder().encode


class OtherwiseWrittenError(ValueError):
    """One of the texts is not an instant, or is not written as described above."""


class _Seconds(dict[str, int]):
    """The milliseconds of each second, by the text up to its decimals, read when it is first looked up."""

    def __missing__(self, text: str) -> int:
        if len(self) >= MOST_SECONDS:
            self.clear()
        instant = _decode(_encode(f"{text}Z"))
        if instant.year in OUTERMOST_YEARS:
            raise ValueError(text)
        self[text] = milliseconds = instants.offset(instants.EPOCH, instant) // 1_000
        return milliseconds


class _WholeSeconds(dict[str, int]):
    """The same by the whole text of an instant without decimals."""

    def __missing__(self, text: str) -> int:
        if text[_SECOND:] != "Z":
            raise KeyError(text)
        if len(self) >= MOST_SECONDS:
            self.clear()
        self[text] = milliseconds = _seconds[text[:_SECOND]]
        return milliseconds


_seconds, _whole_seconds = _Seconds(), _WholeSeconds()


def milliseconds(texts: Sequence[str | None]) -> list[int | None]:
    """Return the milliseconds of each text, None for None.

    Raises
    ------
    OtherwiseWrittenError
        One of the texts is not written that way.
    """
    second, fractions = _seconds, _FRACTIONS
    try:
        try:
            return [second[text[:_SECOND]] + fractions[text[_SECOND:]] for text in texts]  # type: ignore[index]
        except TypeError:  # for None there are no characters: to ask for it each time takes a third as long again
            return [None if text is None else second[text[:_SECOND]] + fractions[text[_SECOND:]] for text in texts]
    except (KeyError, ValueError):
        raise OtherwiseWrittenError from None


def whole_seconds(texts: Sequence[str]) -> Sequence[int]:
    """Return the same, in a quarter of the time where all are whole seconds.

    Raises
    ------
    OtherwiseWrittenError
        See `milliseconds`.
    """
    try:
        return list(map(_whole_seconds.__getitem__, texts))
    except KeyError:
        return milliseconds(texts)  # type: ignore[return-value]  # none is None
    except ValueError:
        raise OtherwiseWrittenError from None
