"""A recording as a source: lines as they were received, released at the pace of their ingestion times."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from typing import TYPE_CHECKING

import msgspec

from local.simulator import times

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_GZIP_MAGIC = b"\x1f\x8b"
_EXPECTED = 'expected {"target": {...}} with an ingestion_time'


class RecordingError(Exception):
    """A recording is absent, cannot be read, or holds a line that is none."""


class _Target(msgspec.Struct):
    ingestion_time: str


class _Message(msgspec.Struct):
    target: _Target | None = None
    position_token: str | None = None
    status: dict[str, object] | None = None


class Recording:
    """A file of one `{"target": {...}}` a line, plain or gzip (told by its content).

    A saved stream may be replayed too: its position tokens and status messages are passed over, as are blank lines.
    The lines are held in memory, sorted by ingestion time where the file is not; their bytes stay as they are.

    Raises
    ------
    RecordingError
        The file is absent or unreadable, or a line is malformed; the message names the file and the line.
    """

    kind = "replay"
    endless = False

    def __init__(self, path: Path) -> None:
        self._updates = _read(path)
        if not self._updates:
            raise RecordingError(f"{path}: holds no target update; {_EXPECTED} on each line")
        self._updates.sort(key=lambda update: update[0])
        self.start = self._updates[0][0]
        digest = hashlib.blake2b(digest_size=16)
        for _, line in self._updates:
            digest.update(line + b"\n")
        self.identity = f"replay {digest.hexdigest()}"

    def __len__(self) -> int:
        return len(self._updates)

    def updates(self) -> Iterator[tuple[float, bytes]]:
        """Yield ingestion times (seconds since the epoch, never falling) and lines, from the start."""
        yield from self._updates


def _read(path: Path) -> list[tuple[float, bytes]]:
    """Return the updates of a file with their ingestion times, in its order."""
    updates: list[tuple[float, bytes]] = []
    number = 0
    try:
        with path.open("rb") as probe:
            compressed = probe.read(2) == _GZIP_MAGIC
        with gzip.open(path) if compressed else path.open("rb") as lines:
            for number, raw in enumerate(lines, start=1):
                line = raw.rstrip(b"\r\n")
                if line.strip() and (update := _parse(line, f"{path}, line {number}")):
                    updates.append(update)
    except (OSError, EOFError, zlib.error) as error:
        where = f"{path}, after line {number}" if number else f"{path}"
        raise RecordingError(f"{where}: cannot be read: {error}; expected a file of lines, plain or gzip") from error
    return updates


def _parse(line: bytes, where: str) -> tuple[float, bytes] | None:
    """Return the ingestion time and the line, or None for a message that is no update."""
    try:
        line.decode()  # msgspec does not look into the strings it passes over
        message = msgspec.json.decode(line, type=_Message)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RecordingError(f"{where}: {error}; {_EXPECTED}, got {_excerpt(line)}") from error
    if message.target is None:
        if message.position_token is None and message.status is None:
            raise RecordingError(f"{where}: not a message of the stream; {_EXPECTED}, got {_excerpt(line)}")
        return None
    try:
        return times.parse(message.target.ingestion_time), line
    except ValueError as error:
        raise RecordingError(
            f"{where}: ingestion_time: got {message.target.ingestion_time!r}; expected an ISO 8601 time"
        ) from error


def _excerpt(line: bytes) -> str:
    shown = 60
    return repr(line[:shown].decode(errors="replace")) + ("..." if len(line) > shown else "")
