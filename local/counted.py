"""Counts as people write them: `1 hour`, `5,680 updates`."""

from __future__ import annotations


def counted(count: int, thing: str) -> str:
    """Return a number and what it counts, given for one."""
    return f"{count:,} {thing}" + ("" if count == 1 else "s")
