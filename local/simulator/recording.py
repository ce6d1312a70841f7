"""Recordings as a source: lines as they were received, released at the pace of their ingestion times."""

from __future__ import annotations

import hashlib
from operator import itemgetter
from typing import TYPE_CHECKING

from local.simulator import recorded_files, recorded_lines
from local.simulator.recorded import RecordingError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Recording", "RecordingError"]


class Recording:
    """All that some files hold: recordings of the Tracking Stream, and raw objects and hours of the archive.

    Paths may be folders and patterns (`recorded_files`); what a file is, its content tells (`recorded_lines`). The
    lines are held in memory, in the order of their ingestion times, those of one time in the order of the files. A
    recording's bytes stay as they are; of what comes from the archive each update is sent once. `notes` say what was
    left out.

    Raises
    ------
    RecordingError
        A file is absent, unreadable or damaged, or a line is malformed; the message names the file and the line.
    """

    kind = "replay"
    endless = False

    def __init__(self, *paths: Path) -> None:
        self.notes: list[str] = []
        self._updates: list[tuple[float, bytes]] = []
        archived: dict[tuple[float, bytes], None] = {}
        duplicates = 0
        for path in recorded_files.found(paths):
            recorded = recorded_lines.read(path)
            self._updates += recorded.received
            self.notes += recorded.notes
            before = len(archived)
            archived |= dict.fromkeys(recorded.archived)
            duplicates += before + len(recorded.archived) - len(archived)
        self._updates += archived
        if duplicates:
            self.notes.append(f"{duplicates:,} updates are in the archive's files more than once, and sent once")
        if not self._updates:
            names = ", ".join(map(str, paths))
            raise RecordingError(f"{names}: holds no target update; {recorded_lines.EXPECTED} on each line")
        self._updates.sort(key=itemgetter(0))
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
