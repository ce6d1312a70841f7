"""BaseStation lines, as dump1090, readsb and BaseStation itself send them on TCP port 30003: one line in, values out.

    MSG,3,1,1,4CA2D6,1,2008/11/28,14:53:50.594,2008/11/28,14:58:51.153,,37000,,,51.45735,-1.02826,,,0,0,0,0

22 fields (the layout: woodair.net, *Barebones socket data*): 1 the kind, 2 the transmission's type (1 to 8), 5 the
address, 7 to 10 when the message was received and when it was sent on, 11 callsign, 12 altitude, 13 ground speed,
14 track, 15 and 16 position, 17 vertical rate, 18 squawk, 22 whether it is on the ground. mlat-client writes `MLAT`
for `MSG`, with three fields more. The times have no zone, and are the receiver's: only their difference is of use. It
says how old a message was when it was sent on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from feeds.observation import ADSB, BOUNDS, MLAT, Observation, Position, address, callsign, is_within, squawk

if TYPE_CHECKING:
    from feeds.observation import Value

LONGEST_LINE = 512
"""Bytes: more than twice the longest that any of these programs writes."""

_FIELDS = 22
_OTHER_KINDS = frozenset({"AIR", "CLK", "ID", "SEL", "STA"})
"""Lines about BaseStation's own screen and data base."""

_SURFACE_POSITION = "2"
_TYPES = frozenset("12345678")
_NUMBERS = {11: "altitude_baro", 12: "speed", 13: "heading", 16: "vertical_rate", 14: "latitude", 15: "longitude"}
_ON_GROUND = {"-1": True, "1": True, "0": False}

_NUMBER = re.compile(r"[+-]?[0-9]{1,7}(\.[0-9]{1,12})?")
_GEOMETRIC = "H"
"""Behind an altitude or a rate that readsb took from the satellites' position: it is not a barometric one."""

_LONGEST_DELAY = 600.0
"""Seconds between reception and sending on that are believed: BaseStation once held all back by five minutes."""


class MalformedLineError(ValueError):
    """A line that is not one of BaseStation's, or was damaged on its way."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a line says: of whom, how old it was when it was sent on (seconds), fields, position, `ADSB` or `MLAT`."""

    icao_address: str
    delay: float
    values: dict[str, Value]
    position: tuple[float, float] | None
    source: str

    def arrived(self, at: float) -> Observation:
        """Return it as an observation; the line came in at `at`, seconds since the epoch."""
        at -= self.delay
        position = None if self.position is None else Position(*self.position, at, self.source)
        return Observation(self.icao_address, at, self.values, position)


def parse(line: bytes) -> Heard | None:
    """Return what a line says, or None for one that says nothing of an aircraft with an ICAO address.

    Raises
    ------
    MalformedLineError
        It is not a line of this format, whole and undamaged; the text says what is wrong.
    """
    if len(line) > LONGEST_LINE:
        raise MalformedLineError(f"longer than {LONGEST_LINE} bytes")
    try:
        fields = [field.strip() for field in line.decode("ascii").split(",")]
    except UnicodeDecodeError:
        raise MalformedLineError("not ASCII") from None
    kind = fields[0]
    if kind in _OTHER_KINDS:
        return None
    if kind not in ("MSG", "MLAT"):
        raise MalformedLineError("neither MSG nor another kind of BaseStation's")
    if len(fields) < _FIELDS or (kind == "MSG" and len(fields) > _FIELDS):
        raise MalformedLineError(f"{len(fields)} fields, expected {_FIELDS}")
    if fields[1] not in _TYPES:
        raise MalformedLineError("a transmission type other than 1 to 8")
    if fields[4].startswith("~"):
        return None
    if (icao_address := address(fields[4])) is None:
        raise MalformedLineError("an address that is not six hexadecimal digits")
    numbers = _numbers(fields)
    latitude, longitude = numbers.pop("latitude", None), numbers.pop("longitude", None)
    values: dict[str, Value] = {**numbers, **_texts(fields)}
    if fields[1] == _SURFACE_POSITION:  # sent on the ground alone, and without an altitude: BaseStation writes 0
        values["on_ground"] = True
        values.pop("altitude_baro", None)
    position = None if latitude is None or longitude is None else (latitude, longitude)
    return Heard(icao_address, _delay(fields), values, position, MLAT if kind == "MLAT" else ADSB)


def _numbers(fields: list[str]) -> dict[str, float]:
    numbers = {}
    for place, name in _NUMBERS.items():
        text = fields[place]
        if not text or text.endswith(_GEOMETRIC):
            continue
        if not _NUMBER.fullmatch(text) or not is_within(name, float(text)):
            low, high = BOUNDS[name]
            raise MalformedLineError(f"{name}: expected a number from {low:g} to {high:g}")
        numbers[name] = float(text)
    return numbers


def _texts(fields: list[str]) -> dict[str, Value]:
    values: dict[str, Value] = {}
    if (sign := callsign(fields[10])) is not None:
        values["callsign"] = sign
    if fields[17]:
        if (code := squawk(fields[17])) is None:
            raise MalformedLineError("squawk: expected four octal digits")
        values["squawk"] = code
    if (ground := _ON_GROUND.get(fields[21])) is not None:
        values["on_ground"] = ground
    return values


def _delay(fields: list[str]) -> float:
    """Return how long the receiver kept a message; 0 where its times do not say."""
    try:
        received, sent = (
            datetime.fromisoformat("T".join(pair).replace("/", "-")) for pair in (fields[6:8], fields[8:10])
        )
        delay = (sent - received).total_seconds()
    except (ValueError, TypeError):
        return 0.0
    return delay if 0 <= delay <= _LONGEST_DELAY else 0.0
