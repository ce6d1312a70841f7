"""Validates API tokens: one rule for storing, reading and sending them."""

from __future__ import annotations

_NEVER_IN_A_TOKEN = frozenset(' "{}')
"""RFC 6750 allows none of them in a bearer token; whoever stored JSON learns it here rather than from a 401."""

LONGEST = 4096
"""Characters: it goes into the head of a request, of which servers take some 8 KiB."""


class MalformedTokenError(ValueError):
    """It is not a token; the message says why and what was expected, and does not show it."""


def checked(text: str) -> str:
    """Return a token without the white space around it.

    Raises
    ------
    MalformedTokenError
        It is empty, is too long, or holds what a bearer token cannot hold.
    """
    token = text.strip()
    if not token:
        raise MalformedTokenError("is empty; expected the bare token")
    if not (token.isascii() and token.isprintable()) or set(token) & _NEVER_IN_A_TOKEN:
        raise MalformedTokenError(
            "holds spaces, line ends, JSON or characters that no HTTP header takes; expected the bare token as plain "
            "text"
        )
    if len(token) > LONGEST:
        raise MalformedTokenError(f"holds {len(token)} characters; expected a token of at most {LONGEST}")
    return token
