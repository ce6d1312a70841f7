"""A Tracking Stream on bare sockets: a script of items, which every request reads from its own position on."""

from __future__ import annotations

import itertools
import json
import re
import threading
import time
import zlib
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from tests.adversary.wire import Close, Connection, GoneError, Instead, Reply, Rulebook, Server, misbehave

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `ingested` (epoch seconds) makes it part of batch mode; `again` is sent from the second time on."""

    content: bytes
    ingested: float | None = None
    again: bytes | None = None


@dataclass(frozen=True, slots=True)
class Token:
    """A position token; the stream goes on behind it when it comes back. `tail` is the end of its text."""

    tail: str = ""


@dataclass(frozen=True, slots=True)
class Flood:
    """The same content many times, without a token: `content` is sent as it is, line ends and all."""

    content: bytes
    times: int


@dataclass(frozen=True, slots=True)
class Pause:
    """Silence."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Gate:
    """What follows does not exist before the run of this number; until then the stream idles with tokens."""

    run: int


@dataclass(frozen=True, slots=True)
class Break:
    """The connection breaks here, `times` times: `reset`, `end` (an orderly end), `garbage` (no gzip) or `chunk`."""

    how: str = "reset"
    times: int = 1


_IS_OURS = re.compile(r"tok-(\d+)-\d+")
"""How tokens begin that were ever sent; what follows is a `tail`. Others are refused."""

_PASSING = frozenset({408, 422, 425, 429, *range(500, 600)})
"""Of these a Retry-After is kept to."""

_LONGEST_WAIT = 3600
"""Seconds for which docs/design.md has one kept to."""

type Item = Line | Token | Flood | Pause | Gate | Break


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: what for, what with, and how large its head was."""

    operation: str
    token: str | None
    head_bytes: int
    at: float


@dataclass(slots=True)
class Feed:
    """The server. `idle` is the pause between the tokens it sends when there is nothing else; None is silence."""

    script: Sequence[Item]
    api_token: str
    idle: float | None = 0.2
    framing: str = "chunked"
    headers: tuple[tuple[str, str], ...] = ()
    rules: Rulebook = field(default_factory=Rulebook)
    run: int = 0
    asked: list[Asked] = field(default_factory=list)
    refused_until: list[tuple[float, float]] = field(default_factory=list)
    """When an answer asked for a wait, and until when (by the monotonic clock)."""
    issued: set[str] = field(default_factory=set)
    """Every token that was sent."""
    _server: Server = field(init=False)
    _counter: itertools.count[int] = field(default_factory=itertools.count)
    _sent: Counter[int] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._server = Server(self._serve)

    @property
    def url(self) -> str:
        """The address for STREAM_URL."""
        return f"http://127.0.0.1:{self._server.port}/v2/targets/stream"

    def close(self) -> None:
        """Stop serving."""
        self._server.close()

    def open_end(self) -> int:
        """Return the index of the script's first item that does not exist yet."""
        return next(
            (index for index, item in enumerate(self.script) if isinstance(item, Gate) and item.run > self.run),
            len(self.script),
        )

    def _serve(self, connection: Connection) -> None:
        request = connection.request()
        if request is None:
            return
        query = {
            name: values[0] for name, values in parse_qs(urlsplit(request.target).query, keep_blank_values=True).items()
        }
        token = query.get("position_token")
        operation = "feed.batch" if "start" in query else f"feed.{_kind(token)}"
        self.asked.append(Asked(operation, token, request.head_bytes, time.monotonic()))
        manners = self.rules.manners(operation)
        self._note_wait(manners)
        if manners is not None:
            misbehave(connection, manners)
        elif request.headers.get("authorization") != f"Bearer {self.api_token}":
            misbehave(connection, Instead(Reply(401, b'{"message":"Unauthorized"}')))
        elif operation == "feed.stored" and not _IS_OURS.match(token or ""):
            misbehave(connection, Instead(Reply(400, b'{"message":"Invalid position token"}')))
        elif operation == "feed.batch" and _epoch(query["start"]) > time.time():
            misbehave(connection, Instead(Reply(400, b'{"message":"start: later than now"}')))
        gzipped = query.get("compression", "gzip") == "gzip"
        body = _Body(connection, gzipped=gzipped, framing=self.framing, headers=self.headers)
        if operation == "feed.batch":
            self._send_batch(body, _epoch(query["start"]), _epoch(query["end"]) if "end" in query else time.time())
        else:
            self._stream(body, self._position(operation, token))

    def _note_wait(self, manners: object) -> None:
        """Note until when an answer asks not to be asked again, from the moment it is sent at the earliest."""
        if isinstance(manners, Instead):
            for name, value in manners.reply.headers:
                if name == "Retry-After" and value.isascii() and value.isdigit() and manners.reply.status in _PASSING:
                    self.refused_until.append((time.monotonic(), time.monotonic() + min(int(value), _LONGEST_WAIT)))

    def _position(self, operation: str, token: str | None) -> int:
        if operation == "feed.latest":
            return self.open_end()
        known = _IS_OURS.match(token or "")
        return int(known[1]) if known else 0

    def _send_batch(self, body: _Body, start: float, end: float) -> None:
        for item in self.script[: self.open_end()]:
            if isinstance(item, Line) and item.ingested is not None and start <= item.ingested < end:
                body.add(item.content + b"\n")
        body.end()

    def _stream(self, body: _Body, position: int) -> None:
        body.add(b'{"status":{"timestamp":"2024-03-04T23:24:00Z","level":"INFO","message":"welcome","code":100}}\n')
        index = position
        while True:
            end = self.open_end()
            while index < end:
                self._play(body, index)
                index += 1
            body.flush()
            if self.idle is None:
                body.connection.wait(0.1)
            else:
                body.connection.wait(self.idle)
                self._token(body, index)

    def _play(self, body: _Body, index: int) -> None:
        match self.script[index]:
            case Line(content=content, again=again):
                with self._lock:
                    self._sent[index] += 1
                    first = self._sent[index] == 1
                body.add((content if first or again is None else again) + b"\n")
            case Token(tail=tail):
                self._token(body, index + 1, tail)
            case Flood(content=content, times=times):
                for _ in range(times):
                    body.add(content)
            case Pause(seconds=seconds):
                body.flush()
                body.connection.wait(seconds)
            case Break(how=how, times=times):
                with self._lock:
                    self._sent[index] += 1
                    due = self._sent[index] <= times
                if due:
                    body.break_off(how)

    def _token(self, body: _Body, index: int, tail: str = "") -> None:
        token = f"tok-{index}-{next(self._counter)}{tail}"
        self.issued.add(token)
        body.add(json.dumps({"position_token": token}).encode() + b"\n")
        body.flush()


def _kind(token: str | None) -> str:
    return {None: "latest", "LATEST": "latest", "BEGINNING": "beginning"}.get(token, "stored")


def _epoch(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


class _Body:
    """The response's body, gzipped if asked, collected until it is flushed or large.

    `framing` is `chunked`, `tiny` (chunks of a few bytes), `extended` (chunks with extensions, sizes in capitals and
    with zeros), `close` (no framing: the body ends with the connection), `members` (each flush a gzip member of its
    own) or `silent` (nothing says that it is gzip).
    """

    def __init__(
        self, connection: Connection, *, gzipped: bool, framing: str, headers: tuple[tuple[str, str], ...]
    ) -> None:
        self.connection = connection
        self._framing = framing
        self._gzip = zlib.compressobj(1, zlib.DEFLATED, 31) if gzipped else None
        self._collected: list[bytes] = []
        self._size = 0
        lines = ["HTTP/1.1 200 OK", "Content-Type: application/x-ndjson"]
        lines += [f"{name}: {value}" for name, value in headers]
        lines += ["Transfer-Encoding: chunked"] if framing != "close" else ["Connection: close"]
        lines += ["Content-Encoding: gzip"] if gzipped and framing != "silent" else []
        connection.send("\r\n".join(lines).encode() + b"\r\n\r\n")

    def add(self, content: bytes) -> None:
        """Add to what is sent with the next flush."""
        self._collected.append(content)
        self._size += len(content)
        if self._size > 1 << 16:
            self.flush()

    def flush(self) -> None:
        """Send what was added."""
        content = b"".join(self._collected)
        self._collected, self._size = [], 0
        if content and self._gzip is not None:
            ending = zlib.Z_FINISH if self._framing == "members" else zlib.Z_SYNC_FLUSH
            content = self._gzip.compress(content) + self._gzip.flush(ending)
            if ending == zlib.Z_FINISH:
                self._gzip = zlib.compressobj(1, zlib.DEFLATED, 31)
        self._chunk(content)

    def end(self) -> None:
        """End the response in order, and the connection."""
        self.flush()
        if self._gzip is not None:
            self._chunk(self._gzip.flush())
        if self._framing != "close":
            self.connection.send(b"0\r\n\r\n")
        raise GoneError

    def break_off(self, how: str) -> None:
        """End the response as no response should end."""
        self.flush()
        match how:
            case "end":
                self.end()
            case "garbage":
                self._chunk(b"\x00\xff\x13garbage that is no deflate block \x00\x01\x02" * 40)
                self.connection.wait(0.2)
            case "chunk":
                self.connection.send(b"zz-no-size\r\nwhatever\r\n")
                self.connection.wait(0.2)
        misbehave(self.connection, Close())

    def _chunk(self, content: bytes) -> None:
        step = 7 if self._framing == "tiny" else len(content)
        for start in range(0, len(content), step or 1):
            part = content[start : start + step]
            size = f"00{len(part):X};name=value" if self._framing == "extended" else f"{len(part):x}"
            frame = b"" if self._framing == "close" else size.encode() + b"\r\n"
            self.connection.send(frame + part + (b"\r\n" if frame else b""))
