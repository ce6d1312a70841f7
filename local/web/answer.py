"""What a request to the web server is answered with, before it is HTTP."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from http import HTTPStatus


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers and body; the server adds `Content-Length` and the headers that every answer has."""

    status: HTTPStatus
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


def plain(status: HTTPStatus, text: str) -> Answer:
    """Return an answer in words."""
    return Answer(status, {"Content-Type": "text/plain; charset=utf-8"}, text.encode() + b"\n")
