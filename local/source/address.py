"""Where a Tracking Stream is, and the API token that it asks for."""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from common.api_token import checked

if TYPE_CHECKING:
    from pathlib import Path

_URL = re.compile(r"(https://[^\s/?#@]+|http://(127\.0\.0\.1|localhost)(:\d{1,5})?)(/[^\s?#]*)?")
"""What the template's parameter StreamUrl takes."""


@dataclass(frozen=True, slots=True)
class StreamAddress:
    """A stream's URL and token; the token is not shown."""

    url: str
    token: str = field(repr=False)


def checked_url(url: str) -> str:
    """Return the address of a stream.

    Raises
    ------
    ValueError
        It is not one, or the token would travel in the clear.
    """
    if _URL.fullmatch(url) and _has_host_and_port(url):
        return url
    raise ValueError(
        f"got {url!r}; expected https://..., or http:// with 127.0.0.1 or localhost, since the API token travels with "
        "the request; no query, no credentials, and a port from 1 to 65535 or none"
    )


def url_argument(text: str) -> str:
    """Return the address of a stream, as `checked_url`: a type for argparse, which shows the error's text."""
    try:
        return checked_url(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _has_host_and_port(url: str) -> bool:
    """Return whether there is a host of a name that DNS takes, and a port that TCP has or none."""
    try:
        parts = urlsplit(url)
        (parts.hostname or "").encode("idna")  # as sockets do: no part of a name may be empty, or too long
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def read_token(path: Path) -> str:
    """Return the API token that a file holds.

    Raises
    ------
    ValueError
        The file cannot be read, or holds anything else; the message does not show what.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"cannot be read ({error}); expected the API token alone") from None
    return checked(text)
