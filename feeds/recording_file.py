"""A recording on disk: gzip that is whole up to each position token, and beside it where the stream was then.

What comes after a token is sent again by whoever resumes from it. So each token ends a member of the gzip file, and the
file's length at that moment is kept with it: going on from there cuts the file to that length, and nothing is in it
twice. Members one after the other are one gzip file to every reader.
"""

from __future__ import annotations

import contextlib
import fcntl
import gzip
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import msgspec

from feeds.errors import FeedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from io import FileIO
    from pathlib import Path

_MEMBER_BYTES: Final = 16 * 1024 * 1024
"""Of lines that wait in memory for a token; beyond it they are written, and cut off again if no token follows."""


class _Position(msgspec.Struct):
    position_token: str | None = None
    bytes: int = 0
    updates: int = 0
    begun: float | None = None  # seconds since the epoch; files of earlier versions have none


class RecordingFile:
    """The file at `path`, and `<path>.position` beside it.

    Parameters
    ----------
    rotate_bytes, rotate_seconds
        The file is rotated at the first token after it has so many bytes, or was begun so long ago: it gets its own
        name with the time at which it was begun, `updates-20240304T232400Z.ndjson.gz`. None: never.
    is_from_beginning
        Whether what comes before the first token comes again where that is missing, as from `BEGINNING`.
    now
        Seconds since the epoch.

    Raises
    ------
    FeedError
        The file is there without its position, is not the one that the position is of, is written by another recording,
        or cannot be written.
    """

    def __init__(
        self,
        path: Path,
        *,
        rotate_bytes: float | None,
        rotate_seconds: float | None,
        now: Callable[[], float],
        is_from_beginning: bool = False,
    ) -> None:
        self.path = path
        self.updates = 0
        """Written to this file so far, those that no token follows yet included."""
        self._position_path = path.with_name(f"{path.name}.position")
        self._rotate_bytes, self._rotate_seconds, self._now = rotate_bytes, rotate_seconds, now
        self._is_from_beginning = is_from_beginning
        self._position = self._read()
        self._begun = now()
        if self._position.bytes and self._position.begun is not None:
            self._begun = min(self._begun, self._position.begun)  # the clock may have been set back since
        self._lines: list[bytes] = []
        self._waiting = 0
        try:
            self._file = _opened(path)
            self.go_back()
            self._keep(self._position)
        except OSError as error:
            raise _unwritten(path, error) from error

    @property
    def position_token(self) -> str | None:
        """Where to go on; None while no token has come."""
        return self._position.position_token

    def add(self, line: bytes) -> None:
        """Take a line, without its end."""
        self._lines.append(line)
        self.updates += 1
        self._waiting += len(line) + 1
        if self._waiting >= _MEMBER_BYTES:
            self._write()

    def commit(self, token: str) -> None:
        """Have on disk all that came before a token, and the token.

        Raises
        ------
        FeedError
            There is no room; the file is as it was at the token before.
        """
        self._write()
        try:
            os.fsync(self._file.fileno())
            self._keep(_Position(token, self._file.tell(), self.updates))
            if self._is_full():
                self._rotate(token)
        except OSError as error:
            raise self._failed(error) from error

    def go_back(self) -> None:
        """Be as at the last token: what came after it will be sent again.

        Without a token everything stays, unless the stream is read from its beginning.

        Raises
        ------
        FeedError
            It cannot be written.
        """
        try:
            if self._position.position_token is None:
                if self._is_from_beginning:
                    self._position = _Position()
                elif self.updates:
                    self._write()
                    self._keep_without_token()
                    return
            self._cut_back()
        except OSError as error:
            raise self._failed(error) from error

    def close(self) -> None:
        """Write what came since the last token too, and close: the file is whole, and going on cuts it back."""
        try:
            self._write()
            if self._position.position_token is None:
                self._keep_without_token()
            self._file.close()
        except OSError as error:
            raise self._failed(error) from error

    def _write(self) -> None:
        if not self._lines:
            return
        try:
            left = memoryview(gzip.compress(b"\n".join(self._lines) + b"\n", 6, mtime=0))
            while left:
                left = left[self._file.write(left) :]
        except OSError as error:
            raise self._failed(error) from error
        self._lines, self._waiting = [], 0

    def _is_full(self) -> bool:
        return bool(self._position.bytes) and (
            (self._rotate_bytes is not None and self._position.bytes >= self._rotate_bytes)
            or (self._rotate_seconds is not None and self._age() >= self._rotate_seconds)
        )

    def _age(self) -> float:
        now = self._now()
        self._begun = min(self._begun, now)  # as at the start
        return now - self._begun

    def _rotate(self, token: str) -> None:
        begun = datetime.fromtimestamp(self._begun, UTC)
        stem, dot, endings = self.path.name.partition(".")
        aside = self.path.with_name(f"{stem}-{begun:%Y%m%dT%H%M%SZ}{dot}{endings}")
        number = 1
        while aside.exists():
            number += 1
            aside = self.path.with_name(f"{stem}-{begun:%Y%m%dT%H%M%SZ}-{number}{dot}{endings}")
        self._file.close()
        self.path.rename(aside)
        self.updates, self._begun = 0, self._now()
        self._keep(_Position(token))
        self._file = _opened(self.path)

    def _keep(self, position: _Position) -> None:
        position.begun = self._begun
        temporary = self._position_path.with_name(f"{self._position_path.name}.new")
        temporary.write_bytes(msgspec.json.encode(position))
        temporary.replace(self._position_path)
        self._position = position

    def _keep_without_token(self) -> None:
        self._keep(_Position(None, self._file.tell(), self.updates))

    def _cut_back(self) -> None:
        self._lines, self._waiting, self.updates = [], 0, self._position.updates
        self._file.truncate(self._position.bytes)
        self._file.seek(self._position.bytes)

    def _read(self) -> _Position:
        size = self.path.stat().st_size if self.path.exists() else 0
        if not self._position_path.exists():
            if size:
                raise FeedError(
                    f"{self.path}: is there, and {self._position_path.name} beside it is not, which says where it "
                    "ends; expected both, or neither. Move the file away, or take another --out"
                )
            return _Position()
        try:
            position = msgspec.json.decode(self._position_path.read_bytes(), type=_Position)
        except (OSError, ValueError) as error:
            raise FeedError(
                f"{self._position_path}: not read ({error}); remove it and the file to begin again"
            ) from None
        if not self.path.exists():  # it was rotated, and a run ended before it could say so
            return _Position(position.position_token)
        if size < position.bytes:
            raise FeedError(
                f"{self.path}: has {size:,} bytes, and at its last position it had {position.bytes:,}; expected the "
                f"file that {self._position_path.name} was written beside"
            )
        return position

    def _failed(self, error: OSError) -> FeedError:
        """Cut off what was half written, which makes the file whole again, and say what happened."""
        with contextlib.suppress(OSError, ValueError):  # the next run does it; closed, it was left whole
            self._cut_back()
        return _unwritten(self.path, error)


def _opened(path: Path) -> FileIO:
    """Open without a buffer, so that what was not written is nowhere else; the lock ends with the process."""
    file = path.open("r+b" if path.exists() else "x+b", buffering=0)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise FeedError(
            f"{path}: another recording writes it; two would have everything twice. Take another --out, or end that one"
        ) from None
    return file


def _unwritten(path: Path, error: OSError) -> FeedError:
    return FeedError(
        f"{path}: cannot be written: {error.strerror or error}. What came up to its last position token is kept; run "
        "the command again when there is room, and it goes on from there (a token is good for 6 hours)"
    )
