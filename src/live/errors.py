"""What a reader raises when an object is not a snapshot of ours."""

from __future__ import annotations


class SnapshotError(ValueError):
    """An object is damaged, cut short, or not a snapshot; the text says what was expected where."""
