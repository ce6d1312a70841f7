"""Data sources of the API: the data bucket, and what is read from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from live import objects

if TYPE_CHECKING:
    from collections.abc import Callable

    from api.bucket import Bucket
    from api.flight_books import Books
    from api.snapshots import Sky, Snapshots


@dataclass(frozen=True, slots=True)
class Sources:
    """What a question may ask. `now` gives milliseconds since the epoch."""

    bucket: Bucket
    snapshots: Snapshots
    books: Books
    now: Callable[[], int]

    def sky(self) -> Sky:
        """Return all aircraft."""
        return self.snapshots.sky()

    def status(self) -> bytes | None:
        """Return `live/status.json`, None if it is not there."""
        found = self.bucket.get(objects.STATUS, None)
        return None if found is None else found[1]
