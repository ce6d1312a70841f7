"""Positions of an aircraft in a window part: the last one, and the last one that did not fit it."""

from __future__ import annotations

from typing import NamedTuple


class Spot(NamedTuple):
    """A position in 1e-7 degrees, and its update's place in the log."""

    key: int
    latitude: int
    longitude: int


class Stray(NamedTuple):
    """The position beside the last one; not confirmed, it is counted as implausible."""

    key: int
    latitude: int
    longitude: int
    is_confirmed: bool

    @property
    def spot(self) -> Spot:
        """Position and time."""
        return Spot(self.key, self.latitude, self.longitude)
