"""Request and response of an HTTP API, as Lambda passes them (payload format 2.0)."""

from __future__ import annotations

import base64
import gzip
import hashlib
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

from api import problems

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "/api"
"""The paths begin with it: CloudFront tells the API from the page by it."""

_MOST_PARAMETERS = 40
_WORTH_PACKING = 4_096
"""Bytes from which on a body is sent compressed."""


@dataclass(frozen=True, slots=True)
class Request:
    """One GET: its path without `PREFIX`, percent-decoded, and its query as name and value pairs.

    API Gateway sends the function nothing but GET and HEAD, and of an answer to HEAD the headers alone to the client.
    """

    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    """Names in lower case, as API Gateway gives them."""

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> Request:
        """Read an event.

        Raises
        ------
        ProblemError
            The query has more parameters than any answer takes.
        """
        try:
            query = parse_qsl(
                event.get("rawQueryString") or "", keep_blank_values=True, max_num_fields=_MOST_PARAMETERS
            )
        except ValueError:
            raise problems.wrong_parameter("query", "many", f"at most {_MOST_PARAMETERS} parameters") from None
        path = unquote(event.get("rawPath") or "/").removeprefix(PREFIX)
        return cls(path or "/", tuple(query), event.get("headers") or {})


@dataclass(frozen=True, slots=True)
class Response:
    """A response, before it is encoded."""

    status: HTTPStatus
    content_type: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)

    def payload(self, request: Request) -> dict[str, Any]:
        """Return it as Lambda hands it to API Gateway: tagged, 304 if the client has it, compressed if it may be."""
        headers = {"Content-Type": self.content_type, "Vary": "Accept, Accept-Encoding", **self.headers}
        body = self.body
        if self.status is HTTPStatus.OK:
            headers["ETag"] = tag = f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
            headers.setdefault("Cache-Control", "private, max-age=1")
            if _has(tag, request.headers.get("if-none-match", "")):
                del headers["Content-Type"]
                return {"statusCode": int(HTTPStatus.NOT_MODIFIED), "headers": headers, "body": ""}
        if len(body) >= _WORTH_PACKING and _takes_gzip(request.headers.get("accept-encoding", "")):
            headers["Content-Encoding"] = "gzip"
            packed = base64.b64encode(gzip.compress(body, 1, mtime=0)).decode()
            return {"statusCode": int(self.status), "headers": headers, "body": packed, "isBase64Encoded": True}
        return {"statusCode": int(self.status), "headers": headers, "body": body.decode()}


def _has(tag: str, header: str) -> bool:
    """Whether the client names this tag, weakly compared as a GET's are (RFC 9110, section 13.1.2)."""
    known = {one.strip().removeprefix("W/") for one in header.split(",")}
    return tag.removeprefix("W/") in known or "*" in known


def _takes_gzip(header: str) -> bool:
    """Whether the client takes gzip, as RFC 9110 has the header; a quality of 0 is a no."""
    takes = {}
    for one in header.lower().split(","):
        coding, _, parameters = one.partition(";")
        takes[coding.strip()] = parameters.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return takes.get("gzip", takes.get("*", False))
