"""Removes the API token, in any encoding, from what the server sends before it goes into logs, errors and S3.

From logs and errors it removes the position token that was asked for last, too.
"""

from __future__ import annotations

import base64
import io
import re
import string
from typing import TYPE_CHECKING

from common.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_FRAGMENT = 8
"""Characters of the token in a row that are taken for it; fewer may be chance."""

_STRIDE = 4
"""How far apart it is looked for: no fragment of 11 characters is missed, nor the whole of a shorter token."""

_LONGEST_TEXT = 4096
"""Characters of a text that are looked at, before it is cut to the length asked for."""

_WINDOW = 64 * 1024
"""Characters of a line that are looked at together: undoing their escapes takes some 150 bytes for each."""

_OVERLAP = 4096
"""Characters that two such windows share, so that each part of the token lies within one, however it is escaped."""

_ESCAPED = re.compile(
    r"""(?:\\+u00|\\+x|%(?:25)*)([0-9A-Fa-f]{2})         # \u0041, \x41, %41, %2541
      | &\#(?:0{0,6}([0-9]{1,3})|[xX]0{0,6}([0-9A-Fa-f]{1,2}));  # &#65;, &#x41;
      | \\+(?=[/"'\\])                                   # \/
      | (?<![ \t])[ \t]*(?:(?:\r?\n|\\+[rn])[ \t]*)+     # where lines were folded
    """,
    re.VERBOSE,
)

_DECIMAL = 2
"""The group of a number that is not hexadecimal."""

_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_STARS = "***"

type _Plain = tuple[str, list[tuple[int, int]] | None]
"""A plain form of a text, and from where to where each of its characters was in that; None is the same place."""


class Redactor:
    """Knows one token by its spellings: in any case, percent-encoded, escaped, in base64, in hexadecimal."""

    def __init__(self, token: str) -> None:
        raw = token.encode()
        stems = [token, raw.decode("latin-1"), raw.hex()]
        for before in range(3):  # base64 looks different by where the token begins in what was encoded
            encoded = base64.b64encode(bytes(before) + raw).decode().rstrip("=")
            known = encoded[(before * 8 + 5) // 6 : (before + len(raw)) * 8 // 6]
            stems += [known, known.translate(str.maketrans("+/", "-_"))]
        self._size = min(_FRAGMENT, max(1, len(token)))
        self._fragments = frozenset(
            stem[start : start + self._size].translate(_LOWER)
            for stem in stems
            for start in range(len(stem) - self._size + 1)
        )
        self._stride = min([_STRIDE, *(room for stem in stems if (room := len(stem) - self._size + 1) > 0)])
        self._hidden: Redactor | None = None

    def hide(self, position: str) -> None:
        """Take this position token, and no longer the one before, out of what is cleaned; lines may hold it."""
        self._hidden = Redactor(position)

    def clean(self, text: str, most: int) -> str:
        """Return a text for logs and errors: one line of at most so many characters, without the tokens."""
        text = self.redact(text[:_LONGEST_TEXT])
        return printable(text if self._hidden is None else self._hidden.redact(text), most)

    def line(self, line: bytes) -> bytes:
        """Return a line as it may be kept, without the API token; any bytes."""
        if len(line) < self._size:
            return line
        text = line.decode("latin-1")
        redacted = self.redact(text)
        return line if redacted is text else redacted.encode("latin-1")

    def redact(self, text: str) -> str:
        """Return the text without the API token; the same text where it is not in it."""
        return self._without(self._without(text, _as_it_is), _unescaped)

    def _without(self, text: str, form: Callable[[str], _Plain]) -> str:
        """Return the text without the token, which is looked for in the plain form of it."""
        out, kept = io.StringIO(), 0
        for begins, ends in _joined(self._found(text, form)):
            out.write(text[kept:begins])
            out.write(_STARS)
            kept = ends
        out.write(text[kept:])
        return out.getvalue() if kept else text

    def _found(self, text: str, form: Callable[[str], _Plain]) -> Iterator[tuple[int, int]]:
        """Yield from where to where the token is, or a part of it; what lies in two windows comes twice."""
        size, fragments = self._size, self._fragments
        for window in range(0, max(1, len(text) - _OVERLAP), _WINDOW):
            plain, places = form(text[window : window + _WINDOW + _OVERLAP])
            last = len(plain) - size + 1
            if not any(plain[at : at + size] in fragments for at in range(0, last, self._stride)):
                continue
            starts = [at for at in range(last) if plain[at : at + size] in fragments]
            for start, end in _joined((at, at + size) for at in starts):
                begins, ends = (start, end) if places is None else (places[start][0], places[end - 1][1])
                yield window + begins, window + ends


def _joined(spans: Iterator[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield the spans in their order, those that overlap or touch as one."""
    begins, ends = next(spans, (0, 0))
    for start, end in spans:
        if start > ends:
            yield begins, ends
            begins = start
        ends = max(ends, end)
    if ends:
        yield begins, ends


def _as_it_is(text: str) -> _Plain:
    """Return the text in lower case."""
    return text.translate(_LOWER), None


def _unescaped(text: str) -> _Plain:
    """Return the text with escapes undone, in lower case; nothing of a text that holds none."""
    if _ESCAPED.search(text) is None:
        return "", None
    characters: list[str] = []
    places: list[tuple[int, int]] = []
    at = 0
    for escape in _ESCAPED.finditer(text):
        characters += text[at : escape.start()]
        places += [(place, place + 1) for place in range(at, escape.start())]
        at = escape.end()
        if escape.lastindex is not None:  # else it only stands before or between characters
            characters.append(chr(int(escape[escape.lastindex], 10 if escape.lastindex == _DECIMAL else 16)))
            places.append(escape.span())
    characters += text[at:]
    places += [(place, place + 1) for place in range(at, len(text))]
    return "".join(characters).translate(_LOWER), places
