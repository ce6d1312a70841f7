"""With `LogLevel=DEBUG`, log lines about single updates: the same ones in every function, few of each.

An update is named by a digest of its bytes, which are the same wherever it is read, and sampled by a checksum of them:
nothing has to travel with it, and a function that shows one update in n shows all that a function showing one in 2n
does. So an update shown by one function is shown by the others too, if they are as busy, and `update_id` joins their
lines.

A line has neither the update's text nor a position token.
"""

from __future__ import annotations

import logging
import zlib
from hashlib import blake2b
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from common.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

LINES_A_SECOND: Final = 1.0
"""Of one process, in the long run: some 40 MB of log a day."""

LINES_AT_ONCE: Final = 10

_CHECKSUMS: Final = 2**32
_MOST_HALVINGS: Final = 24
_LONGEST_TEXT: Final = 40


class Log(Protocol):
    """The part of a logger that is used here."""

    @property
    def log_level(self) -> int:
        """The lowest level that is logged."""

    def debug(self, msg: object, *, extra: dict[str, Any]) -> None:
        """Write a line with fields."""


class _Named(msgspec.Struct, gc=False):
    icao_address: Any = None
    timestamp: Any = None
    ingestion_time: Any = None


_decode = msgspec.json.Decoder(_Named).decode


def update_id(data: bytes) -> str:
    """Return what names an update in the logs of all functions: 16 hexadecimal digits, by its bytes as received."""
    return blake2b(data.rstrip(), digest_size=8).hexdigest()


class UpdateLog:
    """Shows updates, and what was decided about them. One for a process; from any thread."""

    def __init__(self, log: Log, clock: Callable[[], float]) -> None:
        """`clock` gives seconds that only grow."""
        self._log = log
        self._clock = clock
        self._lock = Lock()
        self._halvings = 0
        self._left = float(LINES_AT_ONCE)
        self._counted_at = clock()

    def pick(self, updates: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the few updates of a batch that are to be logged.

        If more come than may be shown, half as many are sampled from then on; if there is room, twice as many.
        """
        with self._lock:
            self._count_time()
            if self._left == LINES_AT_ONCE and self._halvings:
                self._halvings -= 1
        for data in updates:
            if zlib.crc32(data.rstrip()) < _CHECKSUMS >> self._halvings and self._take():
                yield data

    def show(self, data: bytes, decision: str, **fields: Any) -> None:
        """Write one line about an update that was picked."""
        try:
            named = _decode(data)
        except (ValueError, RecursionError):
            named = _Named()
        texts = {name: _text(value) for name, value in msgspec.structs.asdict(named).items()}
        self._log.debug("update", extra={"update_id": update_id(data), "decision": decision, "update": texts, **fields})

    def decide(self, data: bytes, decision: str, **fields: Any) -> None:
        """Write one line about an update that something was decided about, whichever it is, as far as there is room."""
        with self._lock:
            self._count_time()
        if self._take():
            self.show(data, decision, **fields)

    def _count_time(self) -> None:
        now = self._clock()
        self._left = min(float(LINES_AT_ONCE), self._left + LINES_A_SECOND * (now - self._counted_at))
        self._counted_at = now

    def _take(self) -> bool:
        with self._lock:
            if self._left >= 1:
                self._left -= 1
                return True
            self._halvings = min(_MOST_HALVINGS, self._halvings + 1)
            return False


def _text(value: Any) -> str | None:
    return None if value is None else printable(str(value), _LONGEST_TEXT)


def at_debug(log: Log, clock: Callable[[], float]) -> UpdateLog | None:
    """Return what shows updates where the level is DEBUG; None, which costs nothing, where it is another."""
    return UpdateLog(log, clock) if log.log_level <= logging.DEBUG else None
