"""Removes the API token, in any encoding, from what the server sends before it goes into logs, errors and S3.

From logs and errors it removes the newest position token, too.
"""

from __future__ import annotations

import base64
import io
import re
import string
from binascii import a2b_qp
from bisect import bisect_right
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
"""Characters of a line that are looked at together: undoing an escape takes some 300 bytes."""

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

_HEXADECIMAL = re.compile(rb"(?:\\u00|\\x|%(?:25)*)(?=[0-9A-Fa-f]{2})")
_FOLDS = rb"\r", rb"\n"
_BETWEEN = b"\\ \t\r\n"
"""What `_ESCAPED` takes out between characters, wherever it is."""

_DECIMAL = 2
"""The group of a number that is not hexadecimal."""

_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_STARS = "***"


class _Places:
    """Where the characters of a plain form were in the text: stretch by stretch, each up to the end of an escape."""

    __slots__ = ("_begins", "_ends", "_starts")

    def __init__(self) -> None:
        self._starts: list[int] = []  # of the stretches, in the plain form
        self._begins: list[int] = []  # the same in the text
        self._ends: list[int] = []

    def add(self, start: int, begins: int, ends: int) -> None:
        """Note a stretch: as many characters as in the text, or one less than an escape has been undone at its end."""
        self._starts.append(start)
        self._begins.append(begins)
        self._ends.append(ends)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return from where to where in the text the characters from `start` to `end` were, at least one."""
        first, last = bisect_right(self._starts, start) - 1, bisect_right(self._starts, end - 1) - 1
        begins = self._begins[first] + start - self._starts[first]
        is_last_of_stretch = last + 1 < len(self._starts) and self._starts[last + 1] == end
        return begins, self._ends[last] if is_last_of_stretch else self._begins[last] + end - self._starts[last]


type _Plain = tuple[str, _Places | None]
"""A plain form of a text, and where its characters were in that; None is the same place."""


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
        self._words = None
        if self._size == _FRAGMENT and token.isascii():
            self._words = frozenset(_words(one.encode())[0] for one in self._fragments)
        self._is_plain = not any(character in _BETWEEN.decode() for character in token)
        self._stride = min([_STRIDE, *(room for stem in stems if (room := len(stem) - self._size + 1) > 0)])
        self._position = ""
        self._of_position: tuple[str, Redactor] | None = None

    def hide(self, position: str) -> None:
        """Take this position token, and no longer the one before, out of what is cleaned; lines may hold it.

        A token of a few characters stays: they may be in any text.
        """
        self._position = position

    def clean(self, text: str, most: int) -> str:
        """Return a text for logs and errors: one line of at most so many characters, without the tokens."""
        text, position = self.redact(text[:_LONGEST_TEXT]), self._position
        if len(position) >= _FRAGMENT:
            if self._of_position is None or self._of_position[0] != position:
                self._of_position = position, Redactor(position)  # seldom: most positions are in no text
            text = self._of_position[1].redact(text)
        return printable(text, most)

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
            part = text[window : window + _WINDOW + _OVERLAP]
            if not self._may_be_in(part, form):
                continue
            plain, places = form(part)
            last = len(plain) - size + 1
            if not any(plain[at : at + size] in fragments for at in range(0, last, self._stride)):
                continue
            starts = [at for at in range(last) if plain[at : at + size] in fragments]
            for start, end in _joined((at, at + size) for at in starts):
                begins, ends = (start, end) if places is None else places.span(start, end)
                yield window + begins, window + ends

    def _may_be_in(self, text: str, form: Callable[[str], _Plain]) -> bool:
        """Return whether the plain form may hold eleven characters of the token: a no is certain, at C's speed.

        Each character of a long line would cost half a microsecond otherwise.
        """
        if self._words is None:
            return True
        data = text.encode("latin-1", "replace")
        if form is _unescaped:
            if b"&#" in data or not self._is_plain:
                return True
            data = _sketch(data)
        data = data.lower()
        return not all(self._words.isdisjoint(_words(data[at:])) for at in range(0, _FRAGMENT, self._stride))


def _words(data: bytes) -> list[int]:
    """Return the bytes eight at a time, as numbers; what is left over is left out."""
    return memoryview(data)[: len(data) // _FRAGMENT * _FRAGMENT].cast("Q").tolist()


def _sketch(data: bytes) -> bytes:
    """Return the bytes with escapes undone, entities excepted, and without whatever may stand between characters.

    Quoted-printable is one more way to write hexadecimal, for which there is a decoder in C.
    """
    quoted = _HEXADECIMAL.sub(b"=", data.replace(b"=", b"=3d"))
    for fold in _FOLDS:
        quoted = quoted.replace(fold, b" ")  # not with nothing: what stood around it could be one, too
    return a2b_qp(quoted).translate(None, _BETWEEN)


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
    pieces: list[str] = []
    places = _Places()
    size = at = 0
    for escape in _ESCAPED.finditer(text):
        begins, ends = escape.span()
        piece = text[at:begins]
        if escape.lastindex is None:  # it only stands before or between characters
            ends_at = begins
        else:
            piece += chr(int(escape[escape.lastindex], 10 if escape.lastindex == _DECIMAL else 16))
            ends_at = ends
        if piece:
            pieces.append(piece)
            places.add(size, at, ends_at)
            size += len(piece)
        at = ends
    pieces.append(text[at:])
    places.add(size, at, len(text))
    return "".join(pieces).translate(_LOWER), places
