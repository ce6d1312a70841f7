"""Calls again what failed in a way that another try may mend."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def again[Result](call: Callable[[], Result], errors: tuple[type[Exception], ...], tries: int) -> Result:
    """Return what `call` gives, which may fail with one of these errors `tries` times less one; the last is raised."""
    for _ in range(tries - 1):
        try:
            return call()
        except errors:
            continue
    return call()
