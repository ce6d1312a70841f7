"""The contents of one file of a replay."""

from __future__ import annotations

from dataclasses import dataclass, field


class RecordingError(Exception):
    """A recording is absent, cannot be read, or holds a line that is not one."""


@dataclass(slots=True)
class Recorded:
    """Messages of the stream, each with its ingestion time in seconds since the epoch.

    `received` are a recording's, as they came; `archived` are made of what the archive keeps, where an update may be
    more than once. `notes` say what was left out.
    """

    received: list[tuple[float, bytes]] = field(default_factory=list)
    archived: list[tuple[float, bytes]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
