"""Answers `/health`: the state of the pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from api import schemas, targets
from live.status import pause

if TYPE_CHECKING:
    from api.snapshots import Sky

STALE_SECONDS = 60.0
"""A snapshot is written every few seconds of a visit; when the newest is older than this, something has stopped."""

_MOST_BYTES = 64 * 1024
"""Of the status: what is larger is not the consumer's, and would not fit into an answer."""


def health(sky: Sky, status: bytes | None, now: int) -> schemas.Health:
    """Answer `/health`; `status` is `live/status.json`, `now` in milliseconds since the epoch."""
    pipeline = _object(status)
    age = None if sky.newest is None else (now - sky.newest) / 1_000
    return schemas.Health(
        status="unknown" if age is None else "stale" if age > STALE_SECONDS + pause(pipeline) else "ok",
        aircraft=len(sky.targets),
        shards=sky.shards,
        shards_left_out=sky.shards_left_out,
        newest_snapshot=None if sky.newest is None else targets.rfc3339(sky.newest),
        newest_snapshot_age_seconds=None if age is None else round(age, 1),
        unreadable=sky.unreadable,
        pipeline=pipeline,
    )


def _object(data: bytes | None) -> dict[str, Any] | None:
    try:
        return None if data is None or len(data) > _MOST_BYTES else msgspec.json.decode(data, type=dict[str, Any])
    except (ValueError, RecursionError):
        return None
