"""The journal of finished hours, so that the same command resumes after an interruption."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from local.aws.folder_bucket import OURS

if TYPE_CHECKING:
    from pathlib import Path


class Journal:
    """A line for each hour that is done, of one span of time; gone when all are."""

    def __init__(self, folder: Path, span: str) -> None:
        self._path = folder / OURS / f"{span}.done"
        self._path.parent.mkdir(exist_ok=True)
        text = self._path.read_text(encoding="utf-8") if self._path.exists() else ""
        whole = text[: text.rfind("\n") + 1]  # a line that a crash cut off is not done
        if whole != text:
            self._path.write_text(whole, encoding="utf-8")
        self.done = set(whole.splitlines())

    def add(self, hour: str) -> None:
        """Write down that an hour is done."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(hour + "\n")
            file.flush()
            os.fsync(file.fileno())
        self.done.add(hour)

    def finish(self) -> None:
        """Forget: the next run does all of it again."""
        self._path.unlink(missing_ok=True)
