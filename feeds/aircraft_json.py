"""readsb's `aircraft.json` (also dump1090-fa's and tar1090's): a document in, its new observations out.

A snapshot of all aircraft that were heard lately, written about once a second. `now` is when it was written, `seen` how
many seconds before that an aircraft was last heard, `seen_pos` how long before it its position was (readsb's
README-json.md). A value that is no longer valid is left out, so what is there is taken to be as new as `seen`.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from feeds.aircraft_state import FORGOTTEN_AFTER
from feeds.observation import ADSB, MLAT, Observation, Position, address, callsign, is_within, squawk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from feeds.observation import Value

_TOLERANCE = 0.25
"""Seconds: `seen` has one decimal, and is counted from its own `now`. Newer by less is the same message."""

_CLOCKS_AGREE = 5.0
"""Seconds by which the receiver's clock may differ from ours and be believed. Motion that is 15 s old is left out
(`aircraft_state`): believed, a receiver that is as far behind would never show any."""

_NUMBERS = {
    "altitude_baro": ("alt_baro",),
    "speed": ("gs",),
    "heading": ("track", "true_heading"),
    "vertical_rate": ("baro_rate", "geom_rate"),
}
"""Fields of an update by where they are found: the first one that is there."""

_TEXTS: Mapping[str, tuple[str, Callable[[str], str | None]]] = {
    "callsign": ("flight", callsign),
    "squawk": ("squawk", squawk),
    "tail_number": ("r", lambda text: text.strip()[:64] or None),
    "aircraft_type_icao": ("t", lambda text: text.strip()[:64] or None),
    "aircraft_type_name": ("desc", lambda text: text.strip()[:256] or None),
}


class MalformedDocumentError(ValueError):
    """A document that is not an `aircraft.json`."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One aircraft of a document: ages in seconds before the document's `now`."""

    icao_address: str
    seen: float
    values: dict[str, Value]
    position: tuple[float, float] | None
    seen_pos: float
    source: str


@dataclass(frozen=True, slots=True)
class Document:
    """A document: when it was written (seconds since the epoch, the receiver's clock), and who was heard.

    `malformed` says how many entries were none.
    """

    now: float
    heard: list[Heard]
    malformed: int


def parse(data: bytes) -> Document:
    """Return what a document holds. Aircraft without an ICAO address (`~...`) are left out, and so are silent ones.

    Raises
    ------
    MalformedDocumentError
        It is not an `aircraft.json`; the text says what is wrong.
    """
    try:
        document = _decoded(data)
    except (ValueError, RecursionError) as error:
        raise MalformedDocumentError(f"not JSON: {error}") from None
    if not isinstance(document, dict) or not isinstance(document.get("aircraft"), list):
        raise MalformedDocumentError("not an object with a list `aircraft`")
    if (now := _number(document.get("now"))) is None or now <= 0:
        raise MalformedDocumentError("without the time it was written at, `now`")
    entries = document["aircraft"]
    found = [_heard(entry) for entry in entries if not _is_without_icao_address(entry)]
    heard = [one for one in found if one is not None]
    return Document(now, [one for one in heard if one.seen <= FORGOTTEN_AFTER], len(found) - len(heard))


def _decoded(data: bytes) -> Any:
    """Return the JSON; a number that no double holds, or half a surrogate pair, costs the field that it is in."""
    try:
        return msgspec.json.decode(data)
    except (ValueError, RecursionError):
        return json.loads(data.decode("utf-8", "replace"), parse_int=float)


def _is_without_icao_address(entry: Any) -> bool:
    return isinstance(entry, dict) and str(entry.get("hex", "")).startswith("~")


def _heard(entry: Any) -> Heard | None:
    if not isinstance(entry, dict) or not isinstance(entry.get("hex"), str):
        return None
    icao_address, seen = address(entry["hex"]), _number(entry.get("seen"))
    if icao_address is None or seen is None or seen < 0:
        return None
    latitude, longitude, seen_pos = (_number(entry.get(name)) for name in ("lat", "lon", "seen_pos"))
    position = None
    if latitude is not None and longitude is not None and seen_pos is not None and 0 <= seen_pos <= FORGOTTEN_AFTER:
        position = (latitude, longitude)
        if not (is_within("latitude", latitude) and is_within("longitude", longitude)):
            return None
    return Heard(icao_address, seen, _values(entry), position, seen_pos or 0.0, _source(entry))


def _values(entry: dict[str, Any]) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for name, places in _NUMBERS.items():
        numbers = (_number(entry.get(place)) for place in places)
        if (number := next((one for one in numbers if one is not None), None)) is not None and is_within(name, number):
            values[name] = number
    for name, (place, read) in _TEXTS.items():
        if isinstance(text := entry.get(place), str) and _is_whole(text) and (value := read(text)) is not None:
            values[name] = value
    if entry.get("alt_baro") == "ground":
        values["on_ground"] = True
    elif "altitude_baro" in values:
        values["on_ground"] = False
    return values


def _is_whole(text: str) -> bool:
    """Whether it can be written: half of a surrogate pair cannot."""
    return text.isascii() or not any("\ud800" <= each <= "\udfff" for each in text)


def _source(entry: dict[str, Any]) -> str:
    """Return where the position comes from: readsb's `mlat` lists fields, and `type` is of the best source."""
    derived = entry.get("mlat")
    return MLAT if entry.get("type") == "mlat" or (isinstance(derived, list) and "lat" in derived) else ADSB


def _number(value: Any) -> float | None:
    """Return a JSON number as a float; None for anything else, `true` among it."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


@dataclass(slots=True)
class _Known:
    heard_at: float
    position_at: float


@dataclass(slots=True)
class NewlyHeard:
    """Tells what of a document was not in those before it; holds the aircraft of the last one."""

    _now: float = -math.inf
    _known: dict[str, _Known] = field(default_factory=dict)

    def select(self, document: Document, arrived: float) -> Iterator[Observation]:
        """Yield what is new; the document came at `arrived`, seconds since the epoch by our clock.

        A document that was seen before holds nothing new; one from an earlier time is of a receiver whose clock was
        set, and begins again.
        """
        if document.now == self._now:
            return
        known = self._known if document.now > self._now else {}
        self._now, self._known = document.now, {}
        # Where the clocks agree the document's own time is the better one: it may have lain somewhere for a second.
        written = min(document.now, arrived) if abs(arrived - document.now) <= _CLOCKS_AGREE else arrived
        for one in document.heard:
            before = known.get(one.icao_address, _Known(-math.inf, -math.inf))
            heard_at, position_at = document.now - one.seen, document.now - one.seen_pos
            has_new_position = one.position is not None and position_at > before.position_at + _TOLERANCE
            is_new = has_new_position or heard_at > before.heard_at + _TOLERANCE
            # What is not new keeps its first time: else it would seem ever newer, a tolerance at a time.
            self._known[one.icao_address] = _Known(
                heard_at if is_new else before.heard_at, position_at if has_new_position else before.position_at
            )
            if is_new:
                position = None
                if has_new_position and one.position is not None:
                    position = Position(*one.position, written - one.seen_pos, one.source)
                yield Observation(one.icao_address, written - one.seen, one.values, position)
