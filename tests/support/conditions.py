"""Waiting for what another thread will bring about."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_GIVE_UP_SECONDS = 90.0
_SHORTEST, _LONGEST = 0.001, 0.02
"""Seconds from one look to the next: what is waited for needs the processor more than a look does."""


def wait_until(condition: Callable[[], object], seen: Callable[[], object] = lambda: "") -> None:
    """Return as soon as `condition` holds; fail if it does not within 90 s, long past anything that works.

    What is `seen` instead then stands in the error.
    """
    ends_at = time.monotonic() + _GIVE_UP_SECONDS
    pause = _SHORTEST
    while not condition():
        assert time.monotonic() < ends_at, f"what was waited for did not come about {seen()}"
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST)
