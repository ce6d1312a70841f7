"""Pumps lines from a source to a consumer of lines, at the pace of their ingestion times; the consumer may be slow."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from local.clock import Clock
    from local.simulator.feed import Source

_AT_ONCE = 500
"""Lines: one full PutRecords call."""

_TICK_SECONDS = 0.02


def pump(  # noqa: PLR0913 -- what is pumped, where to, how fast and until when
    source: Source,
    take: Callable[[list[bytes]], None],
    *,
    speed: float,
    duration: float | None,
    stop: threading.Event,
    clock: Clock,
) -> None:
    """Give `take` the source's lines until it ends, `duration` of its seconds are over, or `stop` is set.

    The source's time runs `speed` times as fast as the clock's; with infinity all comes at once. Lines that are late,
    because `take` or the source is slow, are not left out.
    """
    began = clock.now()
    end = source.start + (math.inf if duration is None else duration)
    due: list[bytes] = []
    horizon = math.inf if math.isinf(speed) else source.start
    for at, line in source.updates():
        if at >= end or stop.is_set():
            break
        if at > horizon or len(due) == _AT_ONCE:
            take(due)
            due = []
            while at > horizon and not stop.is_set():
                horizon = source.start + (clock.now() - began) * speed
                if at > horizon:
                    clock.wait(stop, max(_TICK_SECONDS, (at - horizon) / speed))
        due.append(line)
    if due and not stop.is_set():
        take(due)
