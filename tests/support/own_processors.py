"""Processors of somebody's own, as a setting names them."""

from __future__ import annotations

fails = [True]


def fail_once(updates):
    """Fail at the first call, and publish all afterwards."""
    if fails:
        fails.pop()
        raise ZeroDivisionError("not today")
    return updates
