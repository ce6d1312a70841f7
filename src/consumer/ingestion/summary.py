"""The summary of a run, which it returns and logs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from common.clock import rfc3339

if TYPE_CHECKING:
    from consumer.checkpoint.position import TimeRange


class StopReason(StrEnum):
    """Why a run stopped without failing."""

    NEAR_DEADLINE = "near_deadline"
    """At a token, since another would not have come in time."""
    REQUESTED = "requested"
    """At a token, after SIGTERM."""
    RUN_SECONDS = "run_seconds"
    """At a token, since the event asked for a short run."""
    CAUGHT_UP = "caught_up"
    """At a token, since it reads periodically and has what there was when it began."""
    RETRY_LATER = "retry_later"
    """The server asked to wait for longer than the run lasts."""
    LEASE_HELD = "lease_held"
    """Another consumer is at work; nothing was read."""
    LEASE_LOST = "lease_lost"
    """Another consumer took over; nothing more was committed."""
    DEADLINE = "deadline"
    """Out of time between tokens, or before Kinesis had acknowledged all: what is not committed will be read again."""


_NOT_GRACEFUL = frozenset({StopReason.LEASE_LOST, StopReason.DEADLINE})


@dataclass(slots=True)
class Summary:
    """Counts of one run; ages and lag in seconds, `reading_share` from 0 to 1."""

    stopped: StopReason
    updates: int = 0
    bytes: int = 0
    published: int = 0
    reconnects: int = 0
    duplicates_dropped: int = 0
    rejected: int = 0
    committed_token_age_seconds: float | None = None
    source_lag_seconds: float | None = None
    reading_share: float = 0.0
    recovered_gap: TimeRange | None = None
    unrecoverable_gap: TimeRange | None = None

    def as_json(self) -> dict[str, Any]:
        """Return what `json.dumps` takes."""
        fields = asdict(self)
        for name in ("recovered_gap", "unrecoverable_gap"):
            gap: TimeRange | None = fields[name]
            fields[name] = gap and {"start": rfc3339(gap.start), "end": rfc3339(gap.end)}
        for name in ("committed_token_age_seconds", "source_lag_seconds", "reading_share"):
            fields[name] = fields[name] if fields[name] is None else round(fields[name], 3)
        return {"stopped": str(self.stopped), "graceful": self.stopped not in _NOT_GRACEFUL} | {
            name: value for name, value in fields.items() if name != "stopped"
        }
