"""The faults of the Tracking Stream, as values: what kinds there are, and at which line one happens."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from http import HTTPStatus


class UpstreamKind(StrEnum):
    """What happens; those that end a connection end it by a TCP shutdown, without the body's proper end."""

    DISCONNECT = "disconnect"
    """Between two lines."""
    CUT_LINE = "cut_line"
    """In the middle of a line."""
    CUT_GZIP = "cut_gzip"
    """In the middle of a compressed block."""
    CORRUPT_GZIP = "corrupt_gzip"
    """A damaged compressed block, then the end."""
    NOT_LISTENING = "not_listening"
    """The connection ends, and for a while new ones are refused by TCP."""
    STALL = "stall"
    """Nothing is sent for a while, and the connection stays open."""
    KEEP_ALIVES = "keep_alives"
    """Nothing but keep-alives for a while."""
    SAME_TOKEN = "same_token"  # noqa: S105 -- a position token is no secret
    """Updates go on, but the token stays the same until the connection ends."""
    TRICKLE = "trickle"
    """A few bytes at a time for a while."""
    REPEATS = "repeats"
    """The connection ends, and the next one sends updates twice, and those of different aircraft in another order."""
    STATUS = "status"
    """The connection ends, and the next requests are refused with a status."""
    TOKEN_REFUSED = "token_refused"  # noqa: S105 -- the same
    """The connection ends, and the next token is refused as too old."""
    CLOCK_JUMP = "clock_jump"
    """The simulated clock jumps: hours ahead, so that tokens outlive their lifetime, or a moment back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamFault:
    """One fault, at line `at` of all that are sent.

    `seconds` is how long it lasts, of `CLOCK_JUMP` how far it jumps; `status` and `count` are for `STATUS`.
    """

    kind: UpstreamKind
    at: int
    seconds: float = 0.0
    status: HTTPStatus | None = None
    count: int = 1

    @property
    def name(self) -> str:
        """What it is counted under."""
        return f"status_{self.status.value}" if self.status else self.kind.value
