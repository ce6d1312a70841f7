"""Live objects in memory behind the local web server: with ETags, ranges, a record of requests, and failures."""

from __future__ import annotations

import hashlib
import re
import threading
from http import HTTPStatus
from typing import TYPE_CHECKING

from local.web.answer import Answer, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

_RANGE = re.compile(r"bytes=(\d+)-(\d+)")


class LiveSite:
    """What S3 and CloudFront make of `live/`: objects that are replaced, asked for by tag and range."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._objects: dict[str, bytes] = {}
        self.is_down = False
        self.requests: list[tuple[str, int]] = []
        """Path and status of every request."""

    def put(self, key: str, content: bytes) -> None:
        """Replace an object; keys begin with `live/`."""
        with self._lock:
            self._objects[key] = content

    def get(self, key: str) -> bytes:
        """Return an object."""
        with self._lock:
            return self._objects[key]

    def answer(self, path: str, headers: Mapping[str, str]) -> Answer:
        """Answer a GET of `path`, which begins with `/live/`."""
        found = self._answer(path, headers)
        self.requests.append((path, int(found.status)))
        return found

    def call(self, target: str, headers: Mapping[str, str], client: str) -> Answer:  # noqa: ARG002  # an API's interface
        """There is no API here."""
        return plain(HTTPStatus.NOT_FOUND, f"{target}: no API")

    def _answer(self, path: str, headers: Mapping[str, str]) -> Answer:
        if self.is_down:
            return plain(HTTPStatus.SERVICE_UNAVAILABLE, "down")
        with self._lock:
            content = self._objects.get(path.removeprefix("/"))
        if content is None:
            return plain(HTTPStatus.NOT_FOUND, "no such object")
        tag = f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'
        common = {"ETag": tag, "Cache-Control": "no-cache", "Accept-Ranges": "bytes"}
        if headers.get("If-None-Match") == tag:
            return Answer(HTTPStatus.NOT_MODIFIED, common)
        common["Content-Type"] = "application/json" if path.endswith(".json") else "application/octet-stream"
        wanted = _RANGE.fullmatch(headers.get("Range", ""))
        if wanted is None:
            return Answer(HTTPStatus.OK, common, content)
        start, end = int(wanted[1]), min(int(wanted[2]), len(content) - 1)
        if start > end:
            return plain(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, "out of range")
        common["Content-Range"] = f"bytes {start}-{end}/{len(content)}"
        return Answer(HTTPStatus.PARTIAL_CONTENT, common, content[start : end + 1])
