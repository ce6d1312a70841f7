"""Reads BaseStation lines from a receiver's TCP port."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

from feeds import sbs
from feeds.receiver import LOOK_SECONDS, RECONNECTING, Connection

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from consumer.backoff import Backoff
    from feeds.malformed import Malformed
    from feeds.observation import Observation

_CONNECT_SECONDS = 5.0
_SILENT_SECONDS = 180.0
"""Without a byte for so long the connection is made again: readsb sends an empty line each minute of silence."""

_AT_ONCE = 65536


class SbsReceiver:
    """One receiver; `now` gives seconds since the epoch, `tell` gets what is to be known of the connection."""

    def __init__(
        self,
        address: tuple[str, int],
        malformed: Malformed,
        *,
        now: Callable[[], float],
        tell: Callable[[str], None],
        backoff: Backoff = RECONNECTING,
    ) -> None:
        self._address = address
        self._malformed = malformed
        self._now = now
        self._connection = Connection(f"receiver {address[0]}:{address[1]}", tell, backoff)
        self._socket: socket.socket | None = None
        self._rest = b""
        self._passing_over = False  # the end of a line too long to be kept
        self._heard_at = 0.0

    def read(self, stop: threading.Event) -> list[Observation]:
        """Return what was heard: at once if there is something, after a moment if there is nothing."""
        if self._socket is None and not (self._connection.wait(stop) and self._connect()):
            return []
        try:
            data = self._received()
        except OSError as error:
            self._lose(f"connection lost: {error.strerror or error}")
            return []
        if data is None:
            return []
        at = self._now()
        if self._passing_over:
            _, ended, data = data.partition(b"\n")
            self._passing_over = not ended
        *lines, self._rest = (self._rest + data).split(b"\n")
        observations = [heard.arrived(at) for heard in map(self._parse, lines) if heard is not None]
        if len(self._rest) > sbs.LONGEST_LINE:
            self._note("longer than any line", self._rest)
            self._rest, self._passing_over = b"", True
        if observations:
            self._connection.works("hearing aircraft")
        return observations

    def close(self) -> None:
        """Hang up."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _connect(self) -> bool:
        try:
            self._socket = socket.create_connection(self._address, _CONNECT_SECONDS)
        except OSError as error:
            self._connection.failed(f"cannot be reached: {error.strerror or error}")
            return False
        self._socket.settimeout(LOOK_SECONDS)
        self._rest, self._passing_over, self._heard_at = b"", False, time.monotonic()
        return True

    def _received(self) -> bytes | None:
        """Return what has come; None if nothing has yet."""
        assert self._socket is not None
        try:
            data = self._socket.recv(_AT_ONCE)
        except TimeoutError:
            if time.monotonic() - self._heard_at > _SILENT_SECONDS:
                raise OSError(f"silent for {_SILENT_SECONDS:g} s") from None
            return None
        if not data:
            raise OSError("ended by the receiver")
        self._heard_at = time.monotonic()
        return data

    def _lose(self, reason: str) -> None:
        self.close()
        if self._rest.strip():
            self._note("cut by the end of the connection", self._rest)
        self._rest = b""
        self._connection.failed(reason)

    def _parse(self, line: bytes) -> sbs.Heard | None:
        line = line.strip()
        if not line:  # a heartbeat
            return None
        try:
            return sbs.parse(line)
        except sbs.MalformedLineError as error:
            self._note(str(error), line)
            return None

    def _note(self, reason: str, text: bytes) -> None:
        self._malformed.note(reason, text)
