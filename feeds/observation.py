"""An observation: what a receiver heard of an aircraft at one moment; the result of every parser."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

type Value = str | float | bool
"""Of a field of a target update."""

ADSB, MLAT = "ADSB", "MLAT"
"""A position that the aircraft sent, and one that several receivers worked out from the times they heard it at."""

BOUNDS: Mapping[str, tuple[float, float]] = {
    "latitude": (-90, 90),
    "longitude": (-180, 180),
    "altitude_baro": (-5_000, 150_000),
    "speed": (0, 5_000),
    "heading": (0, 360),
    "vertical_rate": (-60_000, 60_000),
}
"""Degrees, feet, knots and feet per minute. What lies outside no aircraft sends: the text was damaged on its way."""

_ADDRESS = re.compile("[0-9A-F]{6}")
_SQUAWK = re.compile("[0-7]{4}")
_CALLSIGN = re.compile("[0-9A-Z][0-9A-Z -]{0,7}")


@dataclass(frozen=True, slots=True)
class Position:
    """A position in WGS 84 degrees, when it was measured (seconds since the epoch), and `ADSB` or `MLAT`."""

    latitude: float
    longitude: float
    at: float
    source: str = ADSB


@dataclass(frozen=True, slots=True)
class Observation:
    """One or more fields of a target update that were heard at `at`, seconds since the epoch.

    `values` holds all but the position, by the names and in the units of a target update.
    """

    icao_address: str
    at: float
    values: Mapping[str, Value]
    position: Position | None = None


def address(text: str) -> str | None:
    """Return an ICAO address in upper case; None for what is not one, such as readsb's `~2f0011`."""
    text = text.strip().upper()
    return text if _ADDRESS.fullmatch(text) else None


def squawk(text: str) -> str | None:
    """Return four octal digits; None for what is not a squawk. Old decoders leave out leading zeros."""
    text = text.strip().zfill(4)
    return text if _SQUAWK.fullmatch(text) else None


def callsign(text: str) -> str | None:
    """Return a callsign without padding; None for a blank one, and for one with characters that were not decoded."""
    text = text.strip().upper()
    return text if _CALLSIGN.fullmatch(text) else None


def is_within(name: str, value: float) -> bool:
    """Return whether an aircraft can send this value of a field in `BOUNDS`; not-a-number it cannot."""
    low, high = BOUNDS[name]
    return low <= value <= high
