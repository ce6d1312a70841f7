"""What a run leaves to the next one in the same process: what it had read, and Kinesis has, past the committed token.

A run may end between two tokens: the API refuses to go on, the checkpoint cannot be written, no token comes in time. The
next run then reads again what came after the last commit. As long as the process lives it knows better than the
checkpoint, and drops what Kinesis has acknowledged. It claims nothing else: what was not acknowledged is forgotten.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from consumer.repeats import RepeatFilter


@dataclass(frozen=True, slots=True)
class Memory:
    """What the processor knew when a run ended; see `Position` for the newest ingestion time and its frontier."""

    repeats: RepeatFilter
    newest_ingestion_time: datetime | None
    frontier: tuple[str, ...]


class Handover:
    """One for a process; at most one run's memory lies in it."""

    def __init__(self) -> None:
        self._left: tuple[str | None, Memory] | None = None

    def leave(self, committed_token: str | None, memory: Memory) -> None:
        """Leave a memory to the run that goes on from this token; None is from no checkpoint at all."""
        self._left = committed_token, memory

    def take(self, committed_token: str | None) -> Memory | None:
        """Return the memory if the run goes on from where that one ended, and hold none any more.

        Another token means that another process was at work since, or that somebody set the checkpoint back on purpose.
        """
        left, self._left = self._left, None
        return left[1] if left is not None and left[0] == committed_token else None
