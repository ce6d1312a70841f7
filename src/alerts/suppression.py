"""Suppression logic, pure: which updates an alert silences, and what the recorded alerts mean for the next one.

An alert silences its subject (such as squawk 7700 of one aircraft) for the suppression time, forwards and backwards in
the time at which updates were measured: what counts is how far two measurements are apart, never which of them came
first. So an update that is replayed, redriven or late is decided as it would have been in its turn.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from common.target_update import TargetUpdate

LONGEST_SUPPRESSION: Final = timedelta(days=1)
"""A longer time would no longer be suppression of duplicates."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST_EVENT: Final = datetime.max.replace(tzinfo=UTC) - LONGEST_SUPPRESSION
"""An update can bear any time a datetime can hold. Held between the epoch and this, every window has an end."""

TTL_MARGIN_SECONDS: Final = 100 * 24 * 3600
"""How long an item outlives both its newest window and the moment it was written.

Longer than what was given up can be redriven: the on-failure bucket keeps it for 90 days.
"""

MOST_WINDOWS: Final = 32
"""Windows that are remembered each by itself, with the update that claimed it: eight hours of an emergency at 15
minutes each. An item of so many has some 4 KB, and each conditional write is charged by its item's size."""

MOST_SPANS: Final = 32
"""Spans into which older windows are joined; an emergency that goes on is one."""


class State(Enum):
    """State of the alert that claimed a window."""

    PENDING = "PENDING"
    """Claimed. Whether it was sent is not known."""

    NOTIFIED = "NOTIFIED"
    """SNS has taken it."""


class Verdict(Enum):
    """What to do about one alert."""

    NOTIFY = "notify"
    """The window is ours and nothing is known to be sent: send, then mark."""

    ALREADY_NOTIFIED = "already notified"
    """This very update was sent before: its record came a second time."""

    SUPPRESSED = "suppressed"
    """Another update's alert covers this one."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What one update asks for: to be the one that alerts on `subject` for this aircraft at its own time.

    `subject` is the rule, and for an emergency code also the code: a worse emergency is no duplicate of the one before.
    Times are integers, milliseconds since the epoch: the boundary of a window must not depend on rounding.
    """

    subject: str
    icao_address: str
    update_key: str
    event_time_ms: int
    suppression_ms: int

    @classmethod
    def of(cls, subject: str, update: TargetUpdate, *, arrival: float, suppression: timedelta) -> Claim:
        """Make the claim of one subject on one update; `arrival` is the record's, in seconds since the epoch.

        The window lies around the update's own time. A measurement cannot be later than its ingestion, nor the
        ingestion later than the record's arrival: otherwise a clock that runs ahead would silence its aircraft when
        that time comes.
        """
        arrived = datetime.fromtimestamp(arrival, UTC) if arrival else _LATEST_EVENT
        event_time = max(min(update.timestamp, update.ingestion_time or arrived, arrived, _LATEST_EVENT), _EPOCH)
        return cls(
            subject=subject,
            icao_address=update.icao_address,
            update_key="|".join(part.isoformat() for part in update.key[1:] if part is not None),
            event_time_ms=_milliseconds(event_time - _EPOCH),
            suppression_ms=_milliseconds(suppression),
        )

    @property
    def item_key(self) -> str:
        """The table's partition key, such as `emergency_squawk:7700#78121E`."""
        return f"{self.subject}#{self.icao_address}"


@dataclass(frozen=True, slots=True)
class Window:
    """The claim of one update, measured at `event_time_ms`, and how far its alert got."""

    update_key: str
    state: State
    event_time_ms: int


@dataclass(frozen=True, slots=True)
class Span:
    """Windows of alerts that were sent, joined: no moment from the first to the last was free of one."""

    first_ms: int
    last_ms: int


@dataclass(frozen=True, slots=True)
class History:
    """The alerts on one subject that the table remembers: the newest as windows, older ones merged into spans.

    `version` counts its writes, so that nobody overwrites what they have not seen.
    """

    windows: frozenset[Window] = frozenset()
    spans: tuple[Span, ...] = ()
    version: int = 0

    @property
    def newest_ms(self) -> int:
        """The latest time at which an update was measured that is remembered here."""
        return max((*(window.event_time_ms for window in self.windows), *(span.last_ms for span in self.spans)))


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict on a claim. `history` is what has to be written before it holds, None if nothing has.

    For a suppressed update, `pending` says that none of the alerts that cover it is known to have been sent.
    """

    verdict: Verdict
    history: History | None = None
    pending: bool = False


def judge(claim: Claim, history: History) -> Decision:
    """Decide on a claim by what is remembered of its subject.

    A window claimed by the same update is its own, whatever its time: an update without an ingestion time is redriven
    with another arrival, and its time may have moved either way. A window that is pending in the name of another update
    is not taken over: either that update was sent and the mark could not be written, so that sending again would
    duplicate it; or it failed, and is sent again by the event source mapping, or by a redrive after that has given up.
    """
    for window in history.windows:
        if window.update_key == claim.update_key:
            return Decision(Verdict.ALREADY_NOTIFIED if window.state is State.NOTIFIED else Verdict.NOTIFY)
    at, reach = claim.event_time_ms, claim.suppression_ms
    covering = [window for window in history.windows if abs(at - window.event_time_ms) < reach]
    if any(span.first_ms - reach < at < span.last_ms + reach for span in history.spans):
        return Decision(Verdict.SUPPRESSED)
    if covering:
        return Decision(Verdict.SUPPRESSED, pending=all(window.state is State.PENDING for window in covering))
    return Decision(Verdict.NOTIFY, _with(Window(claim.update_key, State.PENDING, at), history, reach))


def _with(claimed: Window, history: History, reach: int) -> History:
    """Return the history with one more window, within its bounds.

    The oldest window whose alert was sent becomes part of a span; if there is none, the oldest window is forgotten. Its
    update, sent again, is then decided by its time, which loses no alert. Where the spans are full, a window older than
    all of them would be forgotten at once: it stays, and the next one becomes a span.
    """
    windows, spans = set(history.windows), list(history.spans)
    if len(windows) >= MOST_WINDOWS:
        sent = [window for window in windows if window.state is State.NOTIFIED]
        lasting = [window for window in sent if len(spans) < MOST_SPANS or window.event_time_ms > spans[0].first_ms]
        oldest = min(lasting or sent or windows, key=lambda window: window.event_time_ms)
        windows.remove(oldest)
        if sent:
            spans = _joined([*spans, Span(oldest.event_time_ms, oldest.event_time_ms)], reach)[-MOST_SPANS:]
    return History(frozenset(windows | {claimed}), tuple(spans), history.version + 1)


def _joined(spans: Iterable[Span], reach: int) -> list[Span]:
    """Join spans between which no update could alert: each reaches so far that they meet."""
    joined: list[Span] = []
    for span in sorted(spans, key=lambda one: one.first_ms):
        before = joined[-1] if joined else None
        if before is not None and span.first_ms - before.last_ms < 2 * reach:
            joined[-1] = Span(before.first_ms, max(before.last_ms, span.last_ms))
        else:
            joined.append(span)
    return joined


def suppressed_until(claim: Claim) -> datetime:
    """Return the first moment after the claim's own at which an update may alert again."""
    return _EPOCH + timedelta(milliseconds=claim.event_time_ms + claim.suppression_ms)


def expires_at(newest_ms: int, suppression_ms: int, now: datetime) -> int:
    """Return when DynamoDB may delete the item, in epoch seconds.

    Windows are in the updates' own time, but DynamoDB deletes by the wall clock: by its own time alone, the window of a
    recording or of a late update would be gone at once.
    """
    return max(newest_ms + suppression_ms, _milliseconds(now - _EPOCH)) // 1000 + TTL_MARGIN_SECONDS


def _milliseconds(span: timedelta) -> int:
    return span // timedelta(milliseconds=1)
