"""The keys of the live objects, in the bucket and on the web beside the page."""

from __future__ import annotations

from datetime import UTC, datetime

SHARDS = "live/shards.json"
"""The shards that have been written of: the only way to find them, since nobody may list the bucket."""
STATUS = "live/status.json"
ALERTS = "live/alerts.json"
IDENTITY = "-identity"
"""Appended to a snapshot's key: its identities."""


def open_window(shard: str) -> str:
    """Return the key of a shard's open window."""
    return f"live/{shard}/open"


def closed_window(shard: str, window_end: int, part: int | None = None) -> str:
    """Return the key of a closed window: of its last part, or of an earlier one by its number.

    `window_end` is in milliseconds since the epoch. The header of the last part says how many came before it.
    """
    end = datetime.fromtimestamp(window_end / 1000, UTC)
    return f"live/{shard}/closed/{end:%Y%m%dT%H%M%SZ}" + ("" if part is None else f".{part}")
