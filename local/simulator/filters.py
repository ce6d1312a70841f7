"""The stream's filters: which lines of the feed pass for one client."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import msgspec

from local.simulator import times

if TYPE_CHECKING:
    from collections.abc import Callable

type Range = tuple[float, float]


class _Target(msgspec.Struct):
    # `Any`: a recording may hold whatever a provider ever sent, and a filter is not the one to judge it.
    icao_address: Any = None
    timestamp: Any = None
    latitude: Any = None
    longitude: Any = None
    altitude_baro: Any = None
    callsign: Any = None
    tail_number: Any = None
    airline_iata: Any = None
    airline_name: Any = None


class _Line(msgspec.Struct):
    target: _Target


_decoder = msgspec.json.Decoder(_Line)


@dataclass(frozen=True, slots=True)
class Filters:
    """What a client asked for; None is no filter. Names are in upper case, ranges in degrees and feet.

    A range takes its first value in and leaves its second out; a longitude range whose west is above its east crosses
    the anti-meridian. An update without the field a filter looks at does not pass. Asking for several filters asks
    for all of them.
    """

    icao_addresses: frozenset[str] | None = None
    callsigns: frozenset[str] | None = None
    tail_numbers: frozenset[str] | None = None
    airlines: frozenset[str] | None = None
    latitude: Range | None = None
    longitude: Range | None = None
    altitude: Range | None = None
    max_age: float | None = None
    late: bool = False

    @property
    def pass_everything(self) -> bool:
        """Whether no filter was asked for."""
        return all(getattr(self, field.name) in (None, False) for field in fields(self))


class UpdateFilter:
    """The filters at work for one response.

    Parameters
    ----------
    filters
        What the client asked for.
    now
        Simulated time in seconds since the epoch, for `max_age`.
    """

    def __init__(self, filters: Filters, now: Callable[[], float]) -> None:
        self._filters = filters
        self._now = now
        self._newest_sent: dict[str, float] = {}

    def select(self, lines: list[bytes]) -> list[bytes]:
        """Return the lines that pass, in their order; `late_filter` remembers them as sent."""
        if self._filters.pass_everything:
            return lines
        # Decoding a handful of fields costs about a microsecond a line: a cache shared by clients would not pay.
        return [line for line in lines if self._passes(_decoder.decode(line).target)]

    def _passes(self, target: _Target) -> bool:
        asked = self._filters
        return (
            _listed(asked.icao_addresses, target.icao_address)
            and _listed(asked.callsigns, target.callsign)
            and _listed(asked.tail_numbers, target.tail_number)
            and (_listed(asked.airlines, target.airline_iata) or _listed(asked.airlines, target.airline_name))
            and _within(asked.latitude, target.latitude)
            and _within(asked.longitude, target.longitude)
            and _within(asked.altitude, target.altitude_baro)
            and self._timely(target)
        )

    def _timely(self, target: _Target) -> bool:
        """Judge the update's age, last of all: only what passes everything else counts as sent."""
        asked = self._filters
        if asked.max_age is None and not asked.late:
            return True
        try:
            timestamp = times.parse(target.timestamp)
        except (TypeError, ValueError):
            return False
        if asked.max_age is not None and self._now() - timestamp > asked.max_age:
            return False
        if asked.late:
            address = str(target.icao_address)
            if timestamp < self._newest_sent.get(address, timestamp):
                return False
            self._newest_sent[address] = timestamp
        return True


def _listed(names: frozenset[str] | None, value: Any) -> bool:
    return names is None or (isinstance(value, str) and value.upper() in names)


def _within(bounds: Range | None, value: Any) -> bool:
    if bounds is None:
        return True
    if not isinstance(value, (int, float)):
        return False
    low, high = bounds
    return low <= value < high if low <= high else value >= low or value < high
