"""Cursors: where the next page begins, as an opaque text.

A cursor belongs to its query: it holds a checksum of the other parameters, so that a cursor used with another query is
refused rather than answered with gaps. Where a question is about a time up to now, its pages are all about the now of
the first one.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlencode

import msgspec

from api import problems

if TYPE_CHECKING:
    from collections.abc import Iterable

NAME = "cursor"

type Moment = Annotated[int, msgspec.Meta(ge=0, lt=1 << 47)]
"""Milliseconds since the epoch, of years that have a date."""

_LONGEST = 2_048
_TAKES = "what `next` of an earlier page of the same question held"


def write(position: Any, path: str, query: Iterable[tuple[str, str]]) -> str:
    """Return the address of the page that begins after `position`, which is JSON."""
    others = [(name, value) for name, value in query if name != NAME]
    sealed = msgspec.json.encode([_question(path, others), position])
    cursor = base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()
    return f"/api{path}?{urlencode([*others, (NAME, cursor)])}"


def read[T](cursor: str | None, path: str, query: Iterable[tuple[str, str]], kind: type[T]) -> T | None:
    """Return the position of a cursor, None where there is no cursor.

    Raises
    ------
    ProblemError
        It was made for another question, or by somebody else.
    """
    if cursor is None:
        return None
    others = [(name, value) for name, value in query if name != NAME]
    try:
        sealed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        question, position = msgspec.json.decode(sealed, type=tuple[int, kind])  # type: ignore[valid-type]
    except (ValueError, binascii.Error, RecursionError):
        raise problems.wrong_parameter(NAME, cursor, _TAKES) from None
    if len(cursor) > _LONGEST or question != _question(path, others):
        raise problems.wrong_parameter(NAME, cursor, _TAKES)
    return position


def _question(path: str, others: list[tuple[str, str]]) -> int:
    return zlib.crc32(msgspec.json.encode([path, sorted(others)]))
