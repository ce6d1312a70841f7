"""Writes a result file at the end of long work, after checking at the start that it can be written."""

from __future__ import annotations

import contextlib
import json
import os
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

NOT_WRITTEN = 3
"""Exit code where the work was done, and its result could not be written."""

_RESERVED = 65_536
"""Bytes put down before the work: more than any report takes, so that the room for one is there."""


class OutputError(Exception):
    """A result cannot be written where it was asked for."""


class OutputFile:
    """The place for a result in JSON: tried when it is made, filled by `write`, and left as it was if that never comes.

    A regular file is replaced as a whole, so that no reader sees half of one. Anything else, such as a pipe or
    /dev/stdout, is written to as it is. Used as a context manager, or closed.

    Raises
    ------
    OutputError
        It cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._temporary: Path | None = None
        try:
            if path.exists() and not path.is_file():
                self._try_device()
            else:
                self._reserve()
        except OSError as error:
            self.close()
            raise self._error(error) from error

    def write(self, result: dict[str, Any]) -> None:
        """Write the result.

        Raises
        ------
        OutputError
            It cannot be written; the text holds the result, which would be gone otherwise.
        """
        text = json.dumps(result, indent=1) + "\n"
        try:
            if self._temporary is None:
                self.path.write_text(text, encoding="utf-8")
                return
            with self._temporary.open("r+", encoding="utf-8") as file:
                file.write(text)
                file.truncate()
                file.flush()
                os.fsync(file.fileno())
            self._temporary.replace(self.path)
            self._temporary = None
        except OSError as error:
            raise OutputError(f"{self._error(error)}. This is what it would have held:\n{text}") from error

    def close(self) -> None:
        """Give back what was reserved."""
        if self._temporary is not None:
            with contextlib.suppress(OSError):
                self._temporary.unlink()
            self._temporary = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _reserve(self) -> None:
        target = self.path.resolve()
        if self.path.exists():
            mode = stat.S_IMODE(target.stat().st_mode)
            with target.open("r+b"):
                pass  # a file that may not be written is not replaced either
        else:
            mask = os.umask(0)
            os.umask(mask)
            mode = 0o666 & ~mask
        self.path = target
        handle, name = tempfile.mkstemp(prefix=f".{target.name[:100]}.", dir=target.parent)
        self._temporary = Path(name)
        with open(handle, "wb") as file:  # noqa: PTH123 -- it is open already
            os.fchmod(handle, mode)
            file.write(bytes(_RESERVED))
            file.flush()
            os.fsync(handle)

    def _try_device(self) -> None:
        if self.path.is_dir():
            raise IsADirectoryError(21, "it is a folder", str(self.path))
        if self.path.is_char_device():
            with self.path.open("wb", buffering=0) as device:
                device.write(b"\n")  # nothing, to who reads JSON

    def _error(self, error: OSError) -> OutputError:
        return OutputError(
            f"{self.path}: cannot be written: {error.strerror or error}; expected a file in a folder that is there"
        )
