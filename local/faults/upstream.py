"""What may go wrong with the Tracking Stream: connections that break, stall or lie, and requests that are refused.

Faults befall the stream at a line: the n-th that is sent, over all connections. So a schedule needs no clock, and each
fault comes, since the consumer does not rest before it has every line. Whatever is done keeps to what the API promises:
what lies before a position token was sent before it on this connection or lies before the token it began with.
"""

from __future__ import annotations

import random
import threading
import zlib
from collections import Counter, deque
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING, NoReturn

import msgspec

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable, Sequence

    from local.faults.jumping_clock import JumpingClock
    from local.simulator.body import Body
    from local.simulator.server import TrackingStreamServer

_TOKEN, _STATUS = b'{"position_token"', b'{"status"'
_TWICE_SHARE = 0.5
_KEEP_ALIVE = b'{"status":{"level":"INFO","message":"keep-alive","code":101}}\n'
_KEEP_ALIVE_SECONDS = 0.05
_TRICKLE_BYTES, _TRICKLE_SECONDS = 90, 0.002
_GZIP_FORMAT = 31


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


class UpstreamFaults:
    """Carries a list of faults out on one server; safe for several threads. Give its methods to the server."""

    def __init__(self, faults: Iterable[UpstreamFault], *, seed: int, clock: JumpingClock) -> None:
        self.injected: Counter[str] = Counter()
        self.server: TrackingStreamServer | None = None
        self.clock = clock
        self.stopping = threading.Event()
        self._seed = seed
        self._lock = threading.Lock()
        self._waiting = deque(sorted(faults, key=lambda fault: fault.at))
        self._sent = 0
        self._connections = 0
        self._refusals: deque[HTTPStatus] = deque()
        self._refuse_token = False
        self._repeat = False

    @property
    def done(self) -> bool:
        """Whether every fault has happened."""
        with self._lock:
            return not self._waiting and not self._refusals and not self._refuse_token

    def body(self, connection: socket.socket, *, gzip: bool) -> Body:
        """Make a body that fails as planned: a server's `body`."""
        with self._lock:
            self._connections += 1
            chance = random.Random(f"{self._seed}/{self._connections}")
            repeat, self._repeat = self._repeat, False
        return _FaultyBody(connection, self, chance, gzip=gzip, repeat=repeat)

    def refuse(self, query: str) -> HTTPStatus | None:
        """Say with which status a request is refused, if it is: a server's `refuse`."""
        with self._lock:
            if self._refusals:
                return self._refusals.popleft()
            if self._refuse_token and "position_token=" in query and not query.endswith(("BEGINNING", "LATEST")):
                self._refuse_token = False
                return HTTPStatus.BAD_REQUEST
        return None

    def take(self, lines: int) -> tuple[int, UpstreamFault | None]:
        """Note that so many lines are about to be sent; return after how many of them what befalls."""
        with self._lock:
            if not self._waiting or self._waiting[0].at > self._sent + lines:
                self._sent += lines
                return lines, None
            fault = self._waiting.popleft()
            before = max(0, fault.at - self._sent)
            self._sent += before
            self.injected[fault.name] += 1
            return before, fault

    def prepare(self, fault: UpstreamFault) -> None:
        """Prepare what the connections that follow will meet; the one at hand has been closed."""
        if fault.kind is UpstreamKind.NOT_LISTENING and self.server is not None:
            self.server.refuse_connections(fault.seconds)
        with self._lock:
            if fault.kind is UpstreamKind.STATUS and fault.status is not None:
                self._refusals.extend([fault.status] * fault.count)
            self._refuse_token |= fault.kind is UpstreamKind.TOKEN_REFUSED
            self._repeat |= fault.kind is UpstreamKind.REPEATS


class _FaultyBody:
    """A response's body; see `local.simulator.body.ChunkedBody`, which it is on a good day."""

    def __init__(
        self,
        connection: socket.socket,
        faults: UpstreamFaults,
        chance: random.Random,
        *,
        gzip: bool,
        repeat: bool,
    ) -> None:
        self._connection = connection
        self._faults = faults
        self._chance = chance
        self._compressor = zlib.compressobj(1, zlib.DEFLATED, _GZIP_FORMAT) if gzip else None
        self._repeat = repeat
        self._last_token: bytes | None = None
        self._same_token_for: float | None = None
        self._trickle_for = 0.0

    def write(self, data: bytes) -> None:
        """Send whole lines, as far as nothing befalls them."""
        lines = data.splitlines(keepends=True)
        if self._repeat:
            lines = self._repeated(lines)
        while True:
            targets = [place for place, line in enumerate(lines) if not line.startswith((_TOKEN, _STATUS))]
            before, fault = self._faults.take(len(targets))
            place = len(lines) if fault is None or before >= len(targets) else targets[before]
            self._send_lines(lines[:place])
            lines = lines[place:]
            if fault is None:
                return
            self._befall(fault, lines)

    def end(self) -> None:
        """End the response cleanly."""
        if self._compressor:
            self._chunk(self._compressor.flush())
        self._connection.sendall(b"0\r\n\r\n")

    def _send_lines(self, lines: Sequence[bytes]) -> None:
        kept = b"".join(self._with_old_token(line) if line.startswith(_TOKEN) else line for line in lines)
        if kept:
            self._chunk(self._compressed(kept))

    def _with_old_token(self, line: bytes) -> bytes:
        if self._same_token_for is None:
            self._last_token = line
            return line
        return self._last_token or b""

    def _befall(self, fault: UpstreamFault, rest: Sequence[bytes]) -> None:
        line = rest[0] if rest else _KEEP_ALIVE
        match fault.kind:
            case UpstreamKind.STALL:
                self._wait(fault.seconds)
            case UpstreamKind.KEEP_ALIVES:
                for _ in range(int(fault.seconds / _KEEP_ALIVE_SECONDS)):
                    self._chunk(self._compressed(_KEEP_ALIVE))
                    self._wait(_KEEP_ALIVE_SECONDS)
            case UpstreamKind.TRICKLE:
                self._trickle_for = fault.seconds
            case UpstreamKind.SAME_TOKEN:
                self._same_token_for = fault.seconds
                threading.Thread(target=self._end_later, args=(fault.seconds,), daemon=True).start()
            case UpstreamKind.CLOCK_JUMP:
                self._faults.clock.jump(fault.seconds)
            case UpstreamKind.CUT_LINE:
                self._chunk(self._compressed(line[: len(line) // 2]))
                self._disconnect(fault)
            case UpstreamKind.CUT_GZIP:
                block = self._compressed(line)
                self._connection.sendall(b"%x\r\n%b" % (len(block), block[: len(block) // 2]))
                self._disconnect(fault)
            case UpstreamKind.CORRUPT_GZIP:
                block = self._compressed(line) if self._compressor is None else self._chance.randbytes(64)
                self._chunk(block[: len(block) // 2])
                self._disconnect(fault)
            case _:
                self._disconnect(fault)

    def _disconnect(self, fault: UpstreamFault) -> NoReturn:
        self._shut_down()
        self._faults.prepare(fault)
        raise ConnectionAbortedError(f"the client is disconnected on purpose: {fault.name}")

    def _shut_down(self) -> None:
        self._connection.shutdown(2)

    def _end_later(self, seconds: float) -> None:
        self._wait(seconds)
        try:
            self._shut_down()
        except OSError:
            return  # it has ended by itself

    def _repeated(self, lines: list[bytes]) -> list[bytes]:
        """Return the lines, those before the first token shuffled (each aircraft in order) and some sent twice."""
        end = next((place for place, line in enumerate(lines) if line.startswith(_TOKEN)), None)
        self._repeat = end is None
        head, tail = lines[:end], [] if end is None else lines[end:]
        queues: dict[bytes, deque[bytes]] = {}
        for line in head:
            queues.setdefault(_aircraft(line), deque()).append(line)
        shuffled: list[bytes] = []
        while queues:
            key = self._chance.choice(list(queues))
            shuffled.append(queues[key].popleft())
            if not queues[key]:
                del queues[key]
        twice = [line for line in shuffled if self._chance.random() < _TWICE_SHARE and not line.startswith(_STATUS)]
        return shuffled + twice + tail

    def _compressed(self, data: bytes) -> bytes:
        if self._compressor is None:
            return data
        return self._compressor.compress(data) + self._compressor.flush(zlib.Z_SYNC_FLUSH)

    def _chunk(self, data: bytes) -> None:
        if not data:
            return
        framed = b"%x\r\n%b\r\n" % (len(data), data)
        while framed and self._trickle_for > 0:
            self._connection.sendall(framed[:_TRICKLE_BYTES])
            framed = framed[_TRICKLE_BYTES:]
            self._wait(_TRICKLE_SECONDS)
            self._trickle_for -= _TRICKLE_SECONDS
        self._connection.sendall(framed)

    def _wait(self, seconds: float) -> None:
        if self._faults.stopping.wait(seconds):
            raise ConnectionAbortedError("the server stops")


class _Target(msgspec.Struct):
    icao_address: str


class _Line(msgspec.Struct):
    target: _Target


def _aircraft(line: bytes) -> bytes:
    try:
        return msgspec.json.decode(line, type=_Line).target.icao_address.encode()
    except (msgspec.DecodeError, UnicodeDecodeError):
        return b""
