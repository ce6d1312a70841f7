"""Positions of an aircraft in a window part: its last one, and the one beside it that did not fit."""

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
        """Where, and when."""
        return Spot(self.key, self.latitude, self.longitude)
