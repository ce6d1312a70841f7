"""Saves a run's data bucket as files, under the keys that a deployed stack gives its objects."""

from __future__ import annotations

import gzip
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_MOTOS_ROWS = re.compile(r"windows/date=[^/]+/hour=[^/]+/[^/.]+")


class DataFolderError(Exception):
    """The folder cannot be used; the text says why, and what can."""


class DataFolder:
    """A folder that was empty or not there when the run began.

    Raises
    ------
    DataFolderError
        It is something else, or cannot be written to.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.mkdir(parents=True, exist_ok=True)
            if any(path.iterdir()):
                raise DataFolderError(f"{path}: is not empty; expected a folder that is empty, or not there yet")
            probe = path / ".writable"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise DataFolderError(f"{path}: {error.strerror}; expected a folder that can be written to") from error

    def keep(self, objects: Iterable[tuple[str, bytes]]) -> int:
        """Write objects, given with their keys, as files; return how many.

        Raises
        ------
        DataFolderError
            One cannot be written.
        """
        kept = 0
        for key, content in objects:
            name, data = as_deployed(key, content)
            path = self.path / name
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
            except OSError as error:
                raise DataFolderError(f"{path}: {error.strerror}; what was written before it is there") from error
            kept += 1
        return kept


def as_deployed(key: str, content: bytes) -> tuple[str, bytes]:
    """Return an object as a deployed stack has it: moto's Firehose knows no gzip."""
    if _MOTOS_ROWS.fullmatch(key) is None:
        return key, content
    return f"{key}.ndjson.gz", gzip.compress(content, mtime=0)
