"""Suppression, pure: how long one alert silences the next, and what an item already in the table means."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from common.target_update import TargetUpdate

LONGEST_SUPPRESSION: Final = timedelta(days=1)
"""More than this is no suppression of repeats any more."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST_EVENT: Final = datetime.max.replace(tzinfo=UTC) - LONGEST_SUPPRESSION
"""An update can bear any time a datetime can hold. Held between the epoch and this, every window has an end."""

TTL_MARGIN_SECONDS: Final = 7 * 24 * 3600
"""How long an item outlives both its window and the moment it was written.

Its update may be sent to the function again for as long as that: MaximumRecordAgeInSeconds of an event source mapping
takes up to 604,800 seconds (API reference, CreateEventSourceMapping).
"""


class State(Enum):
    """What is known of the alert that claimed the window."""

    PENDING = "PENDING"
    """Claimed. Whether it was sent is not known."""

    NOTIFIED = "NOTIFIED"
    """SNS has taken it."""


class Verdict(Enum):
    """What to do about one alert."""

    NOTIFY = "notify"
    """The window is ours and nothing is known to be sent: send, then mark."""

    ALREADY_NOTIFIED = "already notified"
    """This very update was told of before: its record came a second time."""

    SUPPRESSED = "suppressed"
    """Another update's alert covers this one."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What one update asks for: to be the one that tells of `rule` for this aircraft, from its own time on.

    Times are milliseconds since the epoch, as integers: the boundary of a window must not depend on rounding.
    """

    rule: str
    icao_address: str
    update_key: str
    event_time_ms: int
    suppression_ms: int

    @classmethod
    def of(cls, rule: str, update: TargetUpdate, *, arrival: float, suppression: timedelta) -> Claim:
        """Make the claim of one rule on one update; `arrival` is the record's, in seconds since the epoch.

        The window starts at the update's own time, so that a replay or a consumer that catches up decides as it would
        have at the time. A measurement cannot be later than its ingestion: a transponder or receiver whose clock runs
        ahead would otherwise silence its aircraft until that time comes. Where the ingestion's time is missing, the
        record's arrival stands for it, which stays the same when the record is sent again.
        """
        ingested = update.ingestion_time or (datetime.fromtimestamp(arrival, UTC) if arrival else _LATEST_EVENT)
        event_time = max(min(update.timestamp, ingested, _LATEST_EVENT), _EPOCH)
        return cls(
            rule=rule,
            icao_address=update.icao_address,
            update_key="|".join(part.isoformat() for part in update.key[1:] if part is not None),
            event_time_ms=_milliseconds(event_time - _EPOCH),
            suppression_ms=_milliseconds(suppression),
        )

    @property
    def item_key(self) -> str:
        """The table's partition key, such as `emergency_squawk#78121E`."""
        return f"{self.rule}#{self.icao_address}"

    @property
    def suppressed_until_ms(self) -> int:
        """The first moment at which an update may alert again."""
        return self.event_time_ms + self.suppression_ms


@dataclass(frozen=True, slots=True)
class Window:
    """The item in the table: who claimed the window, how far it got, and when it ends."""

    update_key: str
    state: State
    suppressed_until_ms: int

    @property
    def suppressed_until(self) -> datetime:
        """The first moment at which an update may alert again."""
        return _EPOCH + timedelta(milliseconds=self.suppressed_until_ms)


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict on a claim, and the window it rests on."""

    verdict: Verdict
    window: Window


def judge_refused(claim: Claim, window: Window) -> Decision:
    """Decide on a claim that the table refused because `window` stands there and has not ended.

    A window claimed by the same update is ours from an earlier try. A window that is pending in the name of another
    update is not taken over: a shard's records come in order, one batch at a time, so that update has had its turn. It
    was either sent without the mark being written, and sending again would tell twice; or given up by the event
    source mapping, and then it lies at the on-failure destination, from where a redrive resumes it.
    """
    if window.update_key != claim.update_key:
        return Decision(Verdict.SUPPRESSED, window)
    if window.state is State.NOTIFIED:
        return Decision(Verdict.ALREADY_NOTIFIED, window)
    return Decision(Verdict.NOTIFY, window)


def expires_at(claim: Claim, now: datetime) -> int:
    """Return when DynamoDB may delete the item, in epoch seconds.

    The window is counted in the updates' own time, but DynamoDB deletes by the wall clock: a recording's or a late
    update's window would be gone at once if its own time alone counted.
    """
    return max(claim.suppressed_until_ms, _milliseconds(now - _EPOCH)) // 1000 + TTL_MARGIN_SECONDS


def _milliseconds(span: timedelta) -> int:
    return span // timedelta(milliseconds=1)
