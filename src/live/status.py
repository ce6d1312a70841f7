"""Reads from `live/status.json` how the stream is read: readers judge every age by it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_ALL_THE_TIME = 60
"""Seconds: a run that begins so often follows the one before."""


def pause(status: Mapping[str, Any] | None) -> float:
    """Return the seconds for which nothing need be written, since the stream is read periodically; 0 if it is not."""
    seconds = (status or {}).get("visits_every_seconds")
    return float(seconds) if isinstance(seconds, int | float) and seconds > _ALL_THE_TIME else 0.0
