"""The header that the consumer writes of updates."""

from __future__ import annotations

from consumer.envelope import Header


def header(updates):
    """The arrays by the names of their fields."""
    made = Header()
    made.add(updates)
    return made.arrays()
