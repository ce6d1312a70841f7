"""What to do when the position token is too old for the server: which time range to fetch, in which slices.

The stream accepts a token for 6 hours, and batch mode reaches 24 hours back. A longer outage is therefore recovered in
three steps: note where the live stream stands now (its next token), fetch in batch mode what was ingested between the
last committed update and that point, then resume the stream at that token. The checkpoint holds token and gap together,
so that the next run goes on with a recovery that one run could not finish.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from consumer.checkpoint.position import NO_DELAY, TimeRange

if TYPE_CHECKING:
    from datetime import datetime

    from consumer.checkpoint.position import Position

TOKEN_LIFETIME = timedelta(hours=6)
"""Older tokens are refused (API documentation)."""

BATCH_REACH = timedelta(hours=24)
"""Batch mode goes back no further (API documentation)."""

_MARGIN = timedelta(minutes=1)
"""For the time between our decision and the server's."""

LATENCY = timedelta(minutes=1)
"""What an update may take from its ingestion to us; a few seconds are usual."""

_UNKNOWN_LATENCY = timedelta(minutes=5)
"""The same where no update says how far the stream has come: none has come since the first run."""

_RESOLUTION = timedelta(milliseconds=1)
"""Of ingestion times; a range's end is not part of it, so the last one needs this much more."""

_SHORT_SLICE = timedelta(seconds=30)
"""The first one, and what many updates lead to: 120,000 of the whole world, a third of what is kept apart at most
(`deduplicator.MAX_DIGESTS`). A rest of a gap that is shorter is part of the slice before it."""
_SHORTEST_SLICE = timedelta(seconds=1)
"""Of one whose updates cannot be kept apart."""
_LARGEST_SLICE = timedelta(hours=1)
_LEAST_AGE = timedelta(seconds=30)
"""Of the beginning of any slice but the first. A gap may end by the margin after now: a slice that began there would be
refused, by a server whose clock is not ahead of ours."""
_FEW_UPDATES = 10_000
_MANY_UPDATES = 50_000


def is_too_old(position: Position, now: datetime) -> bool:
    """Return whether the server has forgotten the position's token by now, or no longer reaches back to its gap."""
    if position.gap is not None and now - position.gap.start > BATCH_REACH:
        return True
    return now - position.token_received_at > TOKEN_LIFETIME - _MARGIN


def _begins_at(position: Position, delay: timedelta = NO_DELAY) -> datetime:
    """Return the ingestion time from which on updates may be missing at `position` of a stream that is late by `delay`.

    That is the earlier of the newest time ingested and the newest time received, since a wrong clock may have put
    either too late, less the time that updates may take from ingestion to us, in no strict order. What is fetched twice
    is recognised; what is left out is lost.
    """
    return _known_to(position, delay) - _latency(position)


def _known_to(position: Position, delay: timedelta) -> datetime:
    if position.gap is not None:
        return position.gap.start
    return position.source_time(delay) or position.token_received_at - delay


def _latency(position: Position) -> timedelta:
    if position.gap is not None:
        return timedelta()
    return _UNKNOWN_LATENCY if position.newest_ingestion_time is None else LATENCY


def latest_end(now: datetime, delay: timedelta = NO_DELAY) -> datetime:
    """Return the ingestion time up to which a gap reaches at most that is planned now."""
    return now - delay + _MARGIN


@dataclass(frozen=True, slots=True)
class RecoveryPlan:
    """What to fetch in batch mode, and what lies too far back to be fetched at all; None is nothing."""

    gap: TimeRange | None
    lost: TimeRange | None


def plan(position: Position, newest_before_token: datetime, now: datetime, delay: timedelta = NO_DELAY) -> RecoveryPlan:
    """Plan the way from `position` to a live token before which nothing newer than `newest_before_token` was sent.

    It goes on a little beyond that: a server that goes by the arrival of updates has some of them later. An ingestion
    time later than its token is a fault of the feed's: believed, it would never end the gap. Batch mode reaches as far
    back from now where the stream is late by `delay`, and so less far back from its end.

    Of a token that the provider's sample client left it is not known when that stopped: all that can be fetched is.
    """
    reach = now - BATCH_REACH + _MARGIN
    if position.is_left_by_client:
        known_to = start = reach
    else:
        known_to, start = _known_to(position, delay), _begins_at(position, delay)
    end = min(newest_before_token, latest_end(now, delay) - LATENCY) + LATENCY + _RESOLUTION
    reachable = min(max(start, reach), end)
    return RecoveryPlan(
        gap=TimeRange(reachable, end) if reachable < end else None,
        lost=TimeRange(known_to, reachable) if known_to < reachable else None,
    )


class Slices:
    """Cuts a gap into requests small enough to be committed one by one, and to be repeated when one breaks.

    The size follows what the last one held: between 10,000 and 50,000 updates is right. One that turns out to hold more
    than can be kept apart is cut shorter before it is asked for again.
    """

    def __init__(self, gap: TimeRange, there: datetime) -> None:
        """Cut a gap of a stream that stands `there` by our clock: the time, less the stream's delay by design."""
        self._end = gap.end
        self._latest_start = there - _LEAST_AGE
        self._size = _SHORT_SLICE
        self.current = self._slice(gap.start)

    @property
    def rest(self) -> TimeRange | None:
        """What remains of the gap after the current slice; None if nothing does."""
        return TimeRange(self.current.end, self._end) if self.current.end < self._end else None

    def advance(self, updates: int) -> bool:
        """Go to the next slice, after one that held so many updates; return whether there is one."""
        rest = self.rest
        if rest is None:
            return False
        if updates < _FEW_UPDATES:
            self._size = min(self._size * 2, _LARGEST_SLICE)
        elif updates > _MANY_UPDATES and self._size > _SHORT_SLICE:
            self._size = max(self._size / 2, _SHORT_SLICE)
        self.current = self._slice(rest.start)
        return True

    @property
    def can_shrink(self) -> bool:
        """Whether less can be asked for than the current slice."""
        return self._shorter().end - self.current.start >= _SHORTEST_SLICE

    def shrink(self) -> None:
        """Cut the current slice to half a minute, or a short one in half, and those after it to its size.

        That has to be possible (`can_shrink`).
        """
        self.current = self._shorter()
        self._size = self.current.end - self.current.start

    def _shorter(self) -> TimeRange:
        start, end = self.current.start, self.current.end
        return TimeRange(start, min(start + min((end - start) / 2, _SHORT_SLICE), self._latest_start))

    def _slice(self, start: datetime) -> TimeRange:
        end = start + self._size
        return TimeRange(start, end if end <= min(self._end - _SHORT_SLICE, self._latest_start) else self._end)
