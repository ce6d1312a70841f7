"""A recording as a source: lines as they were received, released at the pace of their ingestion times."""

from __future__ import annotations

import gzip
import hashlib
import io
import zlib
from typing import TYPE_CHECKING, BinaryIO, cast

import msgspec

from local.simulator import times

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_GZIP_MAGIC = b"\x1f\x8b"
_TRUNCATED = "truncated"  # what msgspec says of JSON that ends too early
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_OTHER_KINDS = {
    b"PK\x03\x04": "a zip archive",
    b"\xfd7zXZ": "an xz file",
    b"\x28\xb5\x2f\xfd": "a zstd file",
    b"BZh": "a bzip2 file",
    b"PAR1": "a Parquet file",
    b"\xff\xfe": "a text in UTF-16",
    b"\xfe\xff": "a text in UTF-16",
    b"[": "a JSON array",
}
"""What a file may begin with that holds updates, too, but not as lines."""
_LONGEST_MAGIC = max(map(len, _OTHER_KINDS))
_EXPECTED = 'expected {"target": {...}} with an ingestion_time'


class RecordingError(Exception):
    """A recording is absent, cannot be read, or holds a line that is not one."""


class _Target(msgspec.Struct):
    ingestion_time: str


class _Message(msgspec.Struct):
    target: _Target | None = None
    position_token: str | None = None
    status: dict[str, object] | None = None


class Recording:
    """A file of one `{"target": {...}}` a line, plain or gzip (told by its content).

    A saved stream may be replayed too: its position tokens and status messages are passed over, as are blank lines. So
    is what was cut at the end; `notes` has a sentence for it. The file may be a pipe.
    The lines are held in memory, sorted by ingestion time where the file is not; their bytes stay as they are.

    Raises
    ------
    RecordingError
        The file is absent or unreadable, or a line is malformed; the message names the file and the line.
    """

    kind = "replay"
    endless = False

    def __init__(self, path: Path) -> None:
        self._updates, self.notes = _read(path)
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


def _read(path: Path) -> tuple[list[tuple[float, bytes]], list[str]]:
    """Return the updates of a file with their ingestion times, in its order, and what is to be said of it."""
    updates: list[tuple[float, bytes]] = []
    notes: list[str] = []
    number, line, whole = 0, b"", True
    try:
        with path.open("rb") as file, _opened(file, path) as lines:
            for number, raw in enumerate(lines, start=1):
                line, whole = raw.rstrip(b"\r\n"), raw.endswith(b"\n")
                if number == 1:
                    line = line.removeprefix(_BYTE_ORDER_MARK)
                if line.strip() and (update := _parse(line, f"{path}, line {number}")):
                    updates.append(update)
    except RecordingError as error:
        if whole or not updates or _TRUNCATED not in str(error.__cause__):
            raise
        # A last line without its end was cut where the recording was.
        notes.append(f"{path}: line {number} is cut, and left out: {_excerpt(line)}")
    except (OSError, EOFError, zlib.error) as error:
        where = f"{path}, after line {number}" if number else f"{path}"
        text = f"{where}: cannot be read: {error}; expected a file of lines, plain or gzip"
        if not updates:
            raise RecordingError(text) from error
        notes.append(f"{where}: the rest cannot be read, and is left out: {error}")
    return updates, notes


def _opened(file: BinaryIO, path: Path) -> BinaryIO:
    """Return the lines of an open file, decompressed; a pipe cannot be looked at twice, and is read whole."""
    head = file.read(_LONGEST_MAGIC)
    for magic, kind in _OTHER_KINDS.items():
        if head.startswith(magic):
            raise RecordingError(f"{path}: {kind}; expected lines, plain or gzip: {_EXPECTED}")
    if file.seekable():
        file.seek(0)
        whole: BinaryIO = file
    else:
        whole = io.BytesIO(head + file.read())
    return cast("BinaryIO", gzip.GzipFile(fileobj=whole)) if head.startswith(_GZIP_MAGIC) else whole


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
    except (ValueError, OverflowError) as error:
        raise RecordingError(
            f"{where}: ingestion_time: got {message.target.ingestion_time!r}; expected an ISO 8601 time"
        ) from error


def _excerpt(line: bytes) -> str:
    shown = 60
    return repr(line[:shown].decode(errors="replace")) + ("..." if len(line) > shown else "")
