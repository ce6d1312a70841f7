"""A file as messages of the stream: a recording of the Tracking Stream, or a raw object or hour of the archive."""

from __future__ import annotations

import gzip
import io
import zlib
from typing import TYPE_CHECKING, BinaryIO, cast

import msgspec

from local.audit import envelope
from local.simulator import recorded_hour, times
from local.simulator.recorded import Recorded, RecordingError

if TYPE_CHECKING:
    from pathlib import Path

_GZIP_MAGIC = b"\x1f\x8b"
_PARQUET_MAGIC = b"PAR1"
_ENVELOPE = b'{"v":'
_TRUNCATED = "truncated"  # what msgspec says of JSON that ends too early
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_OTHER_KINDS = {
    b"PK\x03\x04": "a zip archive",
    b"\xfd7zXZ": "an xz file",
    b"\x28\xb5\x2f\xfd": "a zstd file",
    b"BZh": "a bzip2 file",
    b"\xff\xfe": "a text in UTF-16",
    b"\xfe\xff": "a text in UTF-16",
    b"[": "a JSON array",
}
"""What a file may begin with that holds updates, too, but not as lines."""
_LONGEST_MAGIC = max(map(len, _OTHER_KINDS))
EXPECTED = 'expected {"target": {...}} with an ingestion_time'
_EXPECTED_FILE = f"expected a file of lines, plain or gzip, or an hour of the archive in Parquet: {EXPECTED}"


class _Target(msgspec.Struct):
    ingestion_time: str


class _Message(msgspec.Struct):
    """A message of the stream, or an update as it is in Kinesis and in a raw object: without `target` around it."""

    target: _Target | None = None
    position_token: str | None = None
    status: dict[str, object] | None = None
    icao_address: object = None
    timestamp: object = None
    ingestion_time: object = None


def read(path: Path) -> Recorded:
    """Return what a file holds; what it is, its content tells.

    A saved stream's position tokens and status messages are skipped, as are blank lines. What was cut at the end of
    a recording is left out, with a note; a raw object and an hour of the archive have to be whole. An update of these
    that has no ingestion time is sent at its `timestamp`. The file may be a pipe, but for an hour of the archive.

    Raises
    ------
    RecordingError
        The file is absent, unreadable or damaged, or a line is malformed.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_LONGEST_MAGIC)
            if not head.startswith(_PARQUET_MAGIC):
                return _lines(file, head, path)
            if file.seekable():
                return recorded_hour.read(path)
    except OSError as error:
        raise RecordingError(f"{path}: cannot be read: {error}; {_EXPECTED_FILE}") from error
    raise RecordingError(f"{path}: a Parquet file from a pipe; expected its own path")


def _lines(file: BinaryIO, head: bytes, path: Path) -> Recorded:
    recorded = Recorded()
    number, line, whole = 0, b"", True
    try:
        with _opened(file, head, path) as lines:
            for number, raw in enumerate(lines, start=1):
                line, whole = raw.rstrip(b"\r\n"), raw.endswith(b"\n")
                if number == 1:
                    line = line.removeprefix(_BYTE_ORDER_MARK)
                if line.strip():
                    _take(line, f"{path}, line {number}", recorded)
    except RecordingError as error:
        if whole or not recorded.received or _TRUNCATED not in str(error.__cause__):
            raise
        # A last line without its end was cut where the recording was.
        recorded.notes.append(f"{path}: line {number} is cut, and left out: {_excerpt(line)}")
    except (OSError, EOFError, zlib.error) as error:
        where = f"{path}, after line {number}" if number else f"{path}"
        if not recorded.received:
            raise RecordingError(f"{where}: cannot be read: {error}; {_EXPECTED_FILE}") from error
        recorded.notes.append(f"{where}: the rest cannot be read, and is left out: {error}")
    return recorded


def _opened(file: BinaryIO, head: bytes, path: Path) -> BinaryIO:
    """Return the lines of an open file, decompressed; a pipe cannot be looked at twice, and is read whole."""
    for magic, kind in _OTHER_KINDS.items():
        if head.startswith(magic):
            raise RecordingError(f"{path}: {kind}; expected lines, plain or gzip, or Parquet: {EXPECTED}")
    if file.seekable():
        file.seek(0)
        whole: BinaryIO = file
    else:
        whole = io.BytesIO(head + file.read())
    return cast("BinaryIO", gzip.GzipFile(fileobj=whole)) if head.startswith(_GZIP_MAGIC) else whole


def _take(line: bytes, where: str, recorded: Recorded) -> None:
    """Add what a line holds: an update, an envelope's updates, or nothing for another message of the stream."""
    if line.startswith(_ENVELOPE):
        updates = envelope.updates(line, None)
        if updates == [line]:
            raise RecordingError(f"{where}: a damaged envelope: {_excerpt(line)}")
        recorded.archived += [_archived(update, _decoded(update, where), where) for update in updates or ()]
        return
    message = _decoded(line, where)
    if message.target is not None:
        recorded.received.append((_moment(message.target.ingestion_time, "ingestion_time", where), line))
    elif message.icao_address is not None:
        recorded.archived.append(_archived(line, message, where))
    elif message.position_token is None and message.status is None:
        raise RecordingError(f"{where}: not a message of the stream; {EXPECTED}, got {_excerpt(line)}")


def _decoded(line: bytes, where: str) -> _Message:
    try:
        line.decode()  # msgspec does not look into the strings it skips
        return msgspec.json.decode(line, type=_Message)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RecordingError(f"{where}: {error}; {EXPECTED}, got {_excerpt(line)}") from error


def _archived(update: bytes, message: _Message, where: str) -> tuple[float, bytes]:
    name = "timestamp" if message.ingestion_time is None else "ingestion_time"
    return _moment(getattr(message, name), name, where), b'{"target":' + update + b"}"


def _moment(text: object, name: str, where: str) -> float:
    try:
        return times.parse(text) if isinstance(text, str) else times.parse("")
    except (ValueError, OverflowError) as error:
        raise RecordingError(f"{where}: {name}: got {text!r}; expected an ISO 8601 time") from error


def _excerpt(line: bytes) -> str:
    shown = 60
    return repr(line[:shown].decode(errors="replace")) + ("..." if len(line) > shown else "")
