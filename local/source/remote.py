"""A Tracking Stream that somebody else serves: the provider, the simulator or the feeder in a process of its own.

A run that reads one knows what arrived, and not what was sent: what it can hold against each other begins in Kinesis.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from local.audit.envelope import StoredRecord

_URL = re.compile(r"(https://[^\s/?#@]+|http://(127\.0\.0\.1|localhost)(:\d{1,5})?)(/[^\s?#]*)?")
"""What the template's parameter StreamUrl takes."""


@dataclass(frozen=True, slots=True)
class StreamAddress:
    """Where the stream is, and the API token that it asks for."""

    url: str
    token: str = field(repr=False)
    kind = "stream"


class RemoteStream:
    """Such a stream for as long as a run reads it; `finished` when `duration` seconds are over, if there is an end."""

    def __init__(self, address: StreamAddress, duration: float | None) -> None:
        self.source = address
        self.finished = threading.Event()
        self.failure: Exception | None = None
        self._timer = None if duration is None else threading.Timer(duration, self.finished.set)

    def start(self) -> None:
        """The run's time begins."""
        if self._timer is not None:
            self._timer.daemon = True
            self._timer.start()

    def stop(self) -> None:
        """The run's time is over."""
        if self._timer is not None:
            self._timer.cancel()
        self.finished.set()


def lines_of(stored: Iterable[StoredRecord]) -> list[bytes]:
    """Return the updates that are in Kinesis as the lines of a stream that sent just these."""
    return [b'{"target":' + one.data.strip() + b"}" for one in stored]


def checked_url(url: str) -> str:
    """Return the address of a stream.

    Raises
    ------
    ValueError
        It is none, or the token would travel in the clear.
    """
    if _URL.fullmatch(url):
        return url
    raise ValueError(
        f"got {url!r}; expected https://..., or http:// with 127.0.0.1 or localhost, since the API token travels with "
        "the request; no query and no credentials"
    )


def checked_token(text: str) -> str:
    """Return an API token without the blanks around it.

    Raises
    ------
    ValueError
        It is none; the message does not show what it is.
    """
    token = text.strip()
    if not (token and token.isascii() and token.isprintable() and " " not in token):
        raise ValueError("holds no token; expected it alone, without blanks and quotes")
    return token


def read_token(path: Path) -> str:
    """Return the API token that a file holds.

    Raises
    ------
    ValueError
        The file cannot be read, or holds anything else.
    """
    try:
        return checked_token(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"cannot be read ({error}); expected the API token alone") from None
