"""HTTP on bare sockets: a server that can answer as badly as any server ever did."""

from __future__ import annotations

import random
import select
import socket
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_LIMIT = 16 << 20
"""Bytes of one request that are read at most."""


class GoneError(Exception):
    """The other side has closed its connection, or the server is closing."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came: header names in lower case, the head's size in bytes."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    head_bytes: int


class Connection:
    """One accepted connection; every wait ends when the client goes or the server closes."""

    def __init__(self, connected: socket.socket, closing: threading.Event) -> None:
        self._socket = connected
        self._closing = closing
        self._buffer = b""
        self._deaf = False

    def send(self, *parts: bytes) -> None:
        """Send all of the parts.

        Raises
        ------
        GoneError
            The client is gone, or the server closes.
        """
        for part in parts:
            view = memoryview(part)
            while view:
                if self._closing.is_set():
                    raise GoneError
                try:
                    view = view[self._socket.send(view[:65536]) :]
                except TimeoutError:
                    continue
                except OSError as error:
                    raise GoneError from error

    def wait(self, seconds: float) -> None:
        """Stay silent for so long.

        Raises
        ------
        GoneError
            The client hung up meanwhile, or the server closes.
        """
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if self._closing.is_set() or self._hung_up(min(left, 0.05)):
                raise GoneError

    def drip(self, content: bytes, every: float) -> None:
        """Send byte by byte, one each `every` seconds."""
        for index in range(len(content)):
            self.send(content[index : index + 1])
            self.wait(every)

    def cut(self) -> None:
        """Close with a reset, as a crashed server does."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        self._socket.close()

    def request(self) -> Request | None:
        """Read the next request; None when the client has closed between two."""
        while b"\r\n\r\n" not in self._buffer:
            if not self._receive():
                return None
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ", 2)
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if headers.get("expect", "").lower() == "100-continue":
            self.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        return Request(method, target, headers, self._body(headers), len(head))

    def _body(self, headers: dict[str, str]) -> bytes:
        if "chunked" in headers.get("transfer-encoding", ""):
            parts = []
            while size := int(self._line().split(b";")[0], 16):
                parts.append(self._exactly(size))
                self._line()
            while self._line():
                pass
            body = b"".join(parts)
        else:
            body = self._exactly(int(headers.get("content-length", "0")))
        return _unchunked(body) if "aws-chunked" in headers.get("content-encoding", "") else body

    def _line(self) -> bytes:
        while b"\r\n" not in self._buffer:
            if not self._receive():
                raise GoneError
        line, _, self._buffer = self._buffer.partition(b"\r\n")
        return line

    def _exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            if not self._receive():
                raise GoneError
        content, self._buffer = self._buffer[:size], self._buffer[size:]
        return content

    def _receive(self) -> bool:
        if len(self._buffer) > _LIMIT:
            raise GoneError
        while not self._closing.is_set():
            if select.select([self._socket], [], [], 0.05)[0]:
                try:
                    received = self._socket.recv(1 << 20)
                except OSError:
                    return False
                self._buffer += received
                return bool(received)
        return False

    def _hung_up(self, seconds: float) -> bool:
        if self._deaf or not select.select([self._socket], [], [], seconds)[0]:
            if self._deaf:
                time.sleep(seconds)
            return False
        try:
            if not self._socket.recv(1, socket.MSG_PEEK):
                return True
        except OSError:
            return True
        self._deaf = True  # something waits to be read: the client's next request, which may stay there
        return False


def _unchunked(body: bytes) -> bytes:
    """Take the SDK's own chunks (`aws-chunked`) off."""
    parts: list[bytes] = []
    rest = body
    while True:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size.split(b";")[0], 16)
        if not length:
            return b"".join(parts)
        parts.append(rest[:length])
        rest = rest[length + 2 :]


class Server:
    """Listens on a free loopback port, with a thread for each connection."""

    def __init__(self, serve: Callable[[Connection], None]) -> None:
        self._serve = serve
        self._closing = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listening.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self.faults: list[str] = []
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def close(self) -> None:
        """Stop listening, let every connection go, and wait for their threads."""
        self._closing.set()
        self._accepting.join()
        self._listening.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        self._listening.settimeout(0.05)
        while not self._closing.is_set():
            try:
                connected, _ = self._listening.accept()
            except TimeoutError:
                continue
            connected.settimeout(0.2)
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            thread = threading.Thread(target=self._run, args=[connected], daemon=True)
            self._threads.append(thread)
            thread.start()

    def _run(self, connected: socket.socket) -> None:
        try:
            self._serve(Connection(connected, self._closing))
        except GoneError:
            pass
        except Exception as error:
            self.faults.append(f"{type(error).__name__}: {error}")
            raise
        finally:
            connected.close()


class BlackHole:
    """A port that never completes a connection: its queue is full, and nobody takes any from it."""

    def __init__(self) -> None:
        self._listening = socket.socket()
        self._listening.bind(("127.0.0.1", 0))
        self._listening.listen(0)
        self.port: int = self._listening.getsockname()[1]
        self._fillers = [socket.socket() for _ in range(3)]
        for filler in self._fillers:
            filler.settimeout(0)
            filler.connect_ex(("127.0.0.1", self.port))

    def close(self) -> None:
        """Free the port."""
        for each in (*self._fillers, self._listening):
            each.close()


# ------------------------------------------------------------------------------------------------- bad manners


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer; `length` may lie about the body (None: what it is, -1: no such header, read until the end)."""

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    reason: str = "Whatever"
    length: int | None = None

    def head(self) -> bytes:
        """Return the bytes before the body."""
        length = len(self.body) if self.length is None else self.length
        lines = [f"HTTP/1.1 {self.status} {self.reason}", *(f"{name}: {value}" for name, value in self.headers)]
        if length >= 0:
            lines.append(f"Content-Length: {length}")
        return "\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Hang:
    """Take the request, and never say a word."""


@dataclass(frozen=True, slots=True)
class Close:
    """Close instead of an answer; `executed` says whether the request was carried out first (a lost answer)."""

    executed: bool = False


@dataclass(frozen=True, slots=True)
class Delay:
    """Answer as asked, but so many seconds later; the request is carried out first if `executed`."""

    seconds: float
    executed: bool = False


@dataclass(frozen=True, slots=True)
class DripHead:
    """Send a healthy head, a byte each `every` seconds."""

    every: float = 0.3


@dataclass(frozen=True, slots=True)
class DripBody:
    """Send the reply's head at once and its body byte by byte, over and over."""

    reply: Reply
    every: float = 0.3


@dataclass(frozen=True, slots=True)
class Interim:
    """Send interim answers (1xx) without end."""

    status: int = 100
    every: float = 0.05


@dataclass(frozen=True, slots=True)
class Instead:
    """Send the reply instead of what was asked for; the request is carried out first if `executed`."""

    reply: Reply
    executed: bool = False


type Manners = Hang | Close | Delay | DripHead | DripBody | Interim | Instead


def misbehave(connection: Connection, manners: Manners) -> None:
    """Answer one request badly. Only `Delay` returns to have the true answer sent; all others end the connection.

    Raises
    ------
    GoneError
        The connection is over.
    """
    match manners:
        case Delay(seconds=seconds):
            connection.wait(seconds)
            return
        case Close():
            connection.cut()
        case Hang():
            connection.wait(3600)
        case DripHead(every=every):
            connection.drip(b"HTTP/1.1 200 OK\r\n" + b"X-Filler: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n" * 90, every)
        case DripBody(reply=reply, every=every):
            connection.send(reply.head())
            while True:
                connection.drip(reply.body, every)
        case Interim(status=status, every=every):
            while True:
                connection.send(f"HTTP/1.1 {status} Wait\r\n\r\n".encode())
                connection.wait(every)
        case Instead(reply=reply):
            connection.send(reply.head(), reply.body)
    raise GoneError


@dataclass(frozen=True, slots=True)
class Rule:
    """Which of a run's calls of one operation are treated how: those numbered from `first`, `count` of them.

    `chance` treats a share of them, drawn by the call's number alone, so that it is the same each time.
    """

    operation: str
    manners: object
    first: int = 0
    count: int = 1 << 30
    chance: float = 1.0

    def applies(self, operation: str, number: int) -> bool:
        """Say whether the operation's call of that number in this run is meant."""
        return (
            (
                operation == self.operation
                or (self.operation.endswith("*") and operation.startswith(self.operation[:-1]))
            )
            and self.first <= number < self.first + self.count
            and random.Random(f"{self.operation}/{number}").random() < self.chance
        )


class Rulebook:
    """The rules of the run that is under way, and the number of each operation's calls in it."""

    def __init__(self) -> None:
        self._rules: tuple[Rule, ...] = ()
        self._lock = threading.Lock()
        self.calls: dict[str, int] = {}

    def begin(self, rules: Iterable[Rule]) -> None:
        """Begin to count again, under these rules."""
        with self._lock:
            self._rules = tuple(rules)
            self.calls = {}

    def manners(self, operation: str) -> object | None:
        """Count one call, and return how it is to be treated; None is well."""
        with self._lock:
            number = self.calls.get(operation, 0)
            self.calls[operation] = number + 1
            return next((rule.manners for rule in self._rules if rule.applies(operation, number)), None)
