"""What a local run is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from local.audit.envelope import SINGLE

if TYPE_CHECKING:
    from pathlib import Path

    from local.source.source import Source

SCHEDULES = ("1-minute", "5-minutes", "10-minutes", "15-minutes", "30-minutes", "1-hour", "2-hours")
"""What the template's parameter Schedule takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """One run's options; durations in seconds, `delay` in minutes.

    `duration` is simulated seconds of the source, None without end. `consumer_timeout` None is the template's. `chaos`
    is the seed of what goes wrong, None for a run in which nothing does. `delay` is how late the stream is by design.
    `listed` is whether `ops --local` finds the run without its address.
    """

    source: Source
    duration: float | None
    window: int = 10
    shards: int = 2
    record_format: str = SINGLE
    consumer_timeout: int | None = None
    schedule: str = SCHEDULES[0]
    stop_when_caught_up: bool = False
    report: Path | None = None
    out: Path | None = None
    verbose: bool = False
    chaos: int | None = None
    archive: bool = True
    latest_states: bool = False
    delay: int = 0
    web: bool = True
    web_port: int = 0
    open: bool = False
    listed: bool = False
