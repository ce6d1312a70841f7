"""Makes untrusted text safe for errors, logs and terminals: one line, bounded length, no control characters."""

from __future__ import annotations

import re

_SAID_CHARACTERS = 500

_UNPRINTABLE = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # control characters: escape sequences begin with them, and lines end with them
    "\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # invisible, or turning text around
    "\ud800-\udfff"  # halves of surrogate pairs, which no output takes
    "\U000e0000-\U000e007f"  # tags
    "]+"
)


def printable(text: str, most: int) -> str:
    """Return at most `most` characters of the text, with a question mark for what is not a visible character.

    Several in a row become one question mark, and there is none at either end.
    """
    cleaned = _UNPRINTABLE.sub(lambda match: " " if match[0].isspace() else "?", text).strip()
    return cleaned if len(cleaned) <= most else f"{cleaned[: most - 1]}…"


def said(what: object) -> str:
    """Return what another side says in an error or a text: one line of at most 500 characters."""
    return printable(str(what), _SAID_CHARACTERS)
