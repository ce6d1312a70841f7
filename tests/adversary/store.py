"""A stub of the buckets that the functions read and write: conditions, ranges, metadata, all that `live/` ever held."""

from __future__ import annotations

import hashlib
import re
import threading
import time
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import TYPE_CHECKING

from tests.adversary.wire import Reply

if TYPE_CHECKING:
    from tests.adversary.ledger import Ledger
    from tests.adversary.wire import Request

LIVE = "live/"


@dataclass(frozen=True, slots=True)
class Written:
    """One write of an object."""

    key: str
    content: bytes


@dataclass(slots=True)
class Store:
    """Objects by their keys; the buckets' names are skipped, since no key is in two of them."""

    ledger: Ledger
    objects: dict[str, bytes] = field(default_factory=dict)
    writes: dict[str, int] = field(default_factory=dict)
    """How often each object was written."""
    live: list[Written] = field(default_factory=list)
    """Every write under `live/`, in order."""
    _metadata: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    _written: dict[str, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, key: str, content: bytes, age: float = 0.0) -> None:
        """Put an object there, whatever is there, as if so many seconds ago."""
        self.objects[key] = content
        self._metadata[key] = ()
        self._written[key] = formatdate(time.time() - age, usegmt=True)

    def carry_out(self, request: Request, key: str) -> Reply:
        """Answer a request for an object."""
        with self._lock:
            held = self.objects.get(key)
            if request.method in ("GET", "HEAD"):
                return self._get(request, key, held)
            if request.method != "PUT":
                return failure(405, "MethodNotAllowed", request.method)
            expected = request.headers.get("if-match")
            if expected is not None and (held is None or expected != etag(held)):
                code = ("NoSuchKey", 404) if held is None else ("PreconditionFailed", 412)
                return failure(code[1], code[0], "At least one of the preconditions you specified did not hold.")
            if request.headers.get("if-none-match") == "*" and held is not None:
                return failure(412, "PreconditionFailed", "At least one of the preconditions did not hold.")
            self.put(key, request.body)
            self._metadata[key] = tuple(one for one in request.headers.items() if one[0].startswith("x-amz-meta-"))
            self.writes[key] = self.writes.get(key, 0) + 1
            if key.startswith(LIVE):
                self.live.append(Written(key, request.body))
            self.ledger.wrote(key, request.body)
            return Reply(200, b"", (("ETag", etag(request.body)),), "OK")

    def _get(self, request: Request, key: str, held: bytes | None) -> Reply:
        if held is None:
            return failure(404, "NoSuchKey", "The specified key does not exist.")
        headers = (
            ("ETag", etag(held)),
            ("Content-Type", "application/json"),
            ("Last-Modified", self._written[key]),
            ("Date", formatdate(usegmt=True)),
            *self._metadata[key],
        )
        if request.headers.get("if-none-match") == etag(held):
            return Reply(304, b"", headers, "Not Modified")
        wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", request.headers.get("range", ""))
        if wanted is None:
            return Reply(200, held, headers, "OK")
        first, last = int(wanted[1]), min(int(wanted[2]), len(held) - 1)
        ranged = ("Content-Range", f"bytes {first}-{last}/{len(held)}")
        return Reply(206, held[first : last + 1], (*headers, ranged), "Partial Content")


def etag(content: bytes) -> str:
    """Return an object's tag."""
    return f'"{hashlib.md5(content).hexdigest()}"'


def failure(status: int, code: str, message: str) -> Reply:
    """Return an error as S3 writes it."""
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Reply(status, body.encode(), (("Content-Type", "application/xml"),), "Failed")


def operation(method: str, key: str) -> str:
    """Return what rules call a request: the folder, and of a live object also what it is (`s3.put.live.closed`)."""
    folder, _, rest = key.partition("/")
    name = f"s3.{method.lower()}.{folder}"
    if folder != "live":
        return name
    what = "closed" if "/closed/" in rest else rest.rpartition("/")[2].removesuffix("-identity").removesuffix(".json")
    return f"{name}.{what}" + ("-identity" if rest.endswith("-identity") else "")
