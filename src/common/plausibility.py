"""Plausibility of positions: whether an aircraft can have flown from one to the other in the time between them.

A leg that no aircraft can fly in its time is implausible; so is 0/0, which equipment without a fix sends. Two positions
are judged, and that does not say which of them is wrong. A reader that follows a track therefore keeps two: the last
position, and the last one that did not fit it. A position that fits neither is left out and replaces the second; one
that fits the second confirms it, and both become the track. So a single wrong position within a track is never
followed, an aircraft that really is elsewhere is left out once, and two aircraft under one address are both followed.
A first position is taken as it is, since there is nothing to judge it by: a wrong one stays until two others fit each
other and not it.
"""

from __future__ import annotations

FASTEST_KT = 2_000.0
"""No aircraft in service flies faster over ground: the fastest reach some 1,500 knots, airliners in a jet stream 700.
What is over lets clocks be wrong by as long as the time between two positions. Wrong positions mostly lie hundreds of
miles off, which at 5 seconds is a hundred times as fast."""

NEAR_NM = 2.0
"""A leg that is no longer is plausible in no time at all: coarse positions, and times that are rounded to seconds."""


def is_nowhere(latitude: float, longitude: float) -> bool:
    """Return whether a position is 0/0, exactly: off Africa, where wrong data are more often than any aircraft."""
    return latitude == 0 == longitude


def can_fly(nautical_miles: float, seconds: float) -> bool:
    """Return whether an aircraft can fly so far in a time, which may be negative: then it is the way back."""
    return nautical_miles <= NEAR_NM + FASTEST_KT / 3_600 * abs(seconds)
