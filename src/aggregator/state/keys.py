"""Update keys as numbers: `timestamp` from the window's start, and `ingestion_time` from `timestamp`."""

from __future__ import annotations

from operator import sub
from typing import TYPE_CHECKING

from aggregator.state.layout import GREATEST, LEAST, NO_DELAY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aggregator.events.batch import Batch

type Keys = tuple[Sequence[int], Sequence[int], Sequence[int]]
"""Times, delays, and when each was measured at the latest (`common.recency`)."""


def wide_keys(start: int, batch: Batch) -> Keys:
    """Return the keys in microseconds, of a window that starts so many of them after 1970 began."""
    batch, none = batch.in_microseconds(), NO_DELAY["q"]
    delays = [
        none if ingested is None else ingested - timestamp
        for timestamp, ingested in zip(batch.timestamps, batch.ingestion_times, strict=True)
    ]
    times = [timestamp - start for timestamp in batch.timestamps]
    return times, delays, _measured(times, delays, none)


def narrow_keys(start: int, batch: Batch) -> Keys | None:
    """Return the same in milliseconds, or None if one of them is not exact, or too large for 32 bits."""
    whole = batch.in_milliseconds()
    start, beyond = divmod(start, 1_000)
    if whole is None or beyond:
        return None
    times = [timestamp - start for timestamp in whole.timestamps]
    try:
        delays = real = list(map(sub, whole.ingestion_times, whole.timestamps))
    except TypeError:  # one is None
        pairs = list(zip(whole.timestamps, whole.ingestion_times, strict=True))
        delays = [LEAST if ingested is None else ingested - timestamp for timestamp, ingested in pairs]
        real = [ingested - timestamp for timestamp, ingested in pairs if ingested is not None] or [0]
    fit = all(min(column) > LEAST and max(column) < GREATEST for column in (times, real))
    if not fit:
        return None
    return times, delays, times if min(real) >= 0 else _measured(times, delays, LEAST)


def order(time: int, delay: int, no_delay: int) -> tuple[int, int, int]:
    """Return what a key is compared by, as `common.recency.order`: the greater, the newer."""
    return time + delay if no_delay < delay < 0 else time, time, delay


def _measured(times: Sequence[int], delays: Sequence[int], no_delay: int) -> list[int]:
    return [order(time, delay, no_delay)[0] for time, delay in zip(times, delays, strict=True)]
