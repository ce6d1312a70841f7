"""What tells updates apart, as numbers: `timestamp` from the window's start, and `ingestion_time` from `timestamp`."""

from __future__ import annotations

from operator import sub
from typing import TYPE_CHECKING

from aggregator.state.layout import GREATEST, LEAST, NO_DELAY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aggregator.events.batch import Batch

type Keys = tuple[Sequence[int], Sequence[int]]
"""Times and delays."""


def wide_keys(start: int, batch: Batch) -> Keys:
    """Return the keys in microseconds, of a window that starts so many of them after 1970 began."""
    batch, none = batch.in_microseconds(), NO_DELAY["q"]
    delays = [
        none if ingested is None else ingested - timestamp
        for timestamp, ingested in zip(batch.timestamps, batch.ingestion_times, strict=True)
    ]
    return [timestamp - start for timestamp in batch.timestamps], delays


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
    return (times, delays) if fit else None
