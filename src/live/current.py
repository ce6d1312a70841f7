"""Which shards are still written: the last snapshots of the others stay in S3 for a day or two, and are out of date."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from live.container import Header

CLOSED_WINDOWS = 2
"""Closed windows that readers join with the open one, which begins empty."""

LEFT_OUT_SECONDS = 300
"""A shard is left out when nothing was written of it for this long, and for as long as the joined windows take, before
the newest snapshot: a reshard has closed it, or it is quiet. The map forgets an aircraft after as long."""


def current(opened: Mapping[str, Header], window: int) -> list[str]:
    """Return the shards that are still written, in their order.

    Parameters
    ----------
    opened
        The headers of the shards' open windows.
    window
        The length of windows in milliseconds.
    """
    longest = max(LEFT_OUT_SECONDS * 1_000, (CLOSED_WINDOWS + 1) * window)
    oldest = max((header.written_at for header in opened.values()), default=0) - longest
    return [shard for shard, header in opened.items() if header.written_at >= oldest]
