"""The result of an archive run, as it is returned and logged."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from archive.hours import named

_MOST_NAMED: Final = 20
"""So many objects are named in a report; the ledgers name all."""


@dataclass(slots=True)
class Report:
    """Counts of one run; hours are counted from 1970."""

    objects: int = 0
    """Raw objects read."""
    updates: int = 0
    """In them, duplicates included."""
    rejected: int = 0
    """Lines in them that are no update."""
    fields_ignored: int = 0
    damaged: dict[str, str] = field(default_factory=dict)
    """Raw objects that could be read in part alone, and why."""
    unread: dict[str, str] = field(default_factory=dict)
    """Those that could not be read at all, and are tried again, and why."""
    rows: dict[int, int] = field(default_factory=dict)
    """The rows of each hour that was written."""
    unchanged: set[int] = field(default_factory=set)
    """Hours whose object held all of it before."""
    left: int = 0
    """Raw objects for which there was no time: the next run reads them."""
    read_up_to: str = ""
    """The key of the last raw object that was read, after which another run goes on."""

    def add_read(self, other: Report) -> None:
        """Count what another one has of raw objects."""
        self.objects += other.objects
        self.updates += other.updates
        self.rejected += other.rejected
        self.fields_ignored += other.fields_ignored
        self.damaged |= other.damaged
        self.unread |= other.unread

    def as_json(self) -> dict[str, Any]:
        """Return it with names for people."""
        return {
            "objects": self.objects,
            "updates": self.updates,
            "rejected": self.rejected,
            "fields_ignored": self.fields_ignored,
            "hours_written": dict(zip(named(self.rows), (self.rows[hour] for hour in sorted(self.rows)), strict=True)),
            "hours_unchanged": named(self.unchanged),
            "objects_damaged": len(self.damaged),
            "damaged": dict(list(self.damaged.items())[:_MOST_NAMED]),
            "objects_unread": len(self.unread),
            "unread": dict(list(self.unread.items())[:_MOST_NAMED]),
            "objects_left": self.left,
            "read_up_to": self.read_up_to,
        }
