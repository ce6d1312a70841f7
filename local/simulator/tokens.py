"""Position tokens: a sealed place in the feed, so that a feed recognises its own."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass

import msgspec

_SEAL_BYTES = 9


class TokenError(Exception):
    """A position token was not given by this feed."""


@dataclass(frozen=True, slots=True)
class Position:
    """How many lines of the feed stand before a token, and the simulated time it was issued (epoch seconds)."""

    lines: int
    issued: float


class _Content(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    lines: int
    issued_ms: int
    seal: str


class TokenSealer:
    """Makes and reads tokens. Nothing is kept: a token outlives the simulator, for a feed of the same content.

    Parameters
    ----------
    identity
        What tells this feed's content apart from others'.
    """

    def __init__(self, identity: str) -> None:
        self._key = hashlib.blake2b(identity.encode(), digest_size=32).digest()

    def issue(self, position: Position) -> str:
        """Return the token for a position."""
        lines, issued_ms = position.lines, round(position.issued * 1000)
        content = msgspec.json.encode(_Content(lines, issued_ms, self._seal(lines, issued_ms)))
        return base64.urlsafe_b64encode(content).decode().rstrip("=")

    def open(self, token: str) -> Position:
        """Return the position of a token.

        Raises
        ------
        TokenError
            It is malformed, or was given for another feed.
        """
        try:
            padded = token.encode("ascii") + b"=" * (-len(token) % 4)
            content = msgspec.json.decode(base64.b64decode(padded, altchars=b"-_", validate=True), type=_Content)
        except (UnicodeError, binascii.Error, msgspec.DecodeError):
            raise TokenError("malformed") from None
        if content.lines < 0 or not hmac.compare_digest(
            content.seal.encode(), self._seal(content.lines, content.issued_ms).encode()
        ):
            raise TokenError("given by another feed (other traffic, seed or recording)")
        return Position(content.lines, content.issued_ms / 1000)

    def _seal(self, lines: int, issued_ms: int) -> str:
        text = f"{lines} {issued_ms}".encode()
        return hashlib.blake2b(text, key=self._key, digest_size=_SEAL_BYTES).hexdigest()
