"""Faulty response bodies: cut, damaged, stalled, slow, repeated, or with a token that never advances."""

from __future__ import annotations

import threading
import zlib
from collections import deque
from typing import TYPE_CHECKING, NoReturn, Protocol

import msgspec

from local.faults.stream.fault import UpstreamKind

if TYPE_CHECKING:
    import random
    import socket
    from collections.abc import Sequence

    from local.faults.stream.fault import UpstreamFault
    from local.faults.stream.jumping_clock import JumpingClock

_TOKEN, _STATUS = b'{"position_token"', b'{"status"'
_TWICE_SHARE = 0.5
_KEEP_ALIVE = b'{"status":{"level":"INFO","message":"keep-alive","code":101}}\n'
_KEEP_ALIVE_SECONDS = 0.05
_TRICKLE_BYTES, _TRICKLE_SECONDS = 90, 0.002
_GZIP_FORMAT = 31


class Plan(Protocol):
    """What a body asks of who plans the faults of all connections."""

    clock: JumpingClock
    stopping: threading.Event

    def take(self, lines: int) -> tuple[int, UpstreamFault | None]:
        """Note that so many lines are about to be sent; return after how many of them which fault comes."""

    def prepare(self, fault: UpstreamFault) -> None:
        """Prepare what the connections that follow will meet."""


class FaultyBody:
    """A response's body; see `local.simulator.body.ChunkedBody`, which it is on a good day."""

    def __init__(
        self,
        connection: socket.socket,
        faults: Plan,
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
        """Send whole lines, as far as no fault applies to them."""
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
            self._apply(fault, lines)

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

    def _apply(self, fault: UpstreamFault, rest: Sequence[bytes]) -> None:
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
