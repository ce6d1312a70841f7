"""A request's query parameters, read and checked before anything is sent."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from local.simulator import times
from local.simulator.filters import Filters
from local.simulator.update_log import LONGEST_LOOK_BACK

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.simulator.filters import Range

BEGINNING, LATEST = "BEGINNING", "LATEST"

_ICAO_ADDRESS = re.compile(r"[0-9A-F]{6}")
_CALLSIGN = re.compile(r"[0-9A-Z]{1,8}")
_NAME = re.compile(r"\S(.*\S)?")


_PARAMETERS = (
    "position_token",
    "start",
    "end",
    "compression",
    "icao_address",
    "callsign",
    "tail_number",
    "airline",
    "latitude_between",
    "longitude_between",
    "altitude_between",
    "max_age",
    "late_filter",
)


class QueryError(Exception):
    """A parameter that cannot be served: its name, what it got and what it takes."""

    def __init__(self, parameter: str, got: str, takes: str) -> None:
        super().__init__(f"{parameter}: got {got!r}; expected {takes}")
        self.parameter, self.got, self.takes = parameter, got, takes


@dataclass(frozen=True, slots=True)
class StreamQuery:
    """What a client asks for.

    `position` is `BEGINNING`, `LATEST` or a token (unopened). `batch` is start and end in seconds since the epoch, or
    None for the live stream.
    """

    position: str = LATEST
    batch: tuple[float, float] | None = None
    gzip: bool = True
    filters: Filters = field(default_factory=Filters)


def parse(query_string: str, now: float) -> StreamQuery:
    """Return what a query string asks for; `now` is simulated time in seconds since the epoch.

    Raises
    ------
    QueryError
        A parameter is unknown, given twice, or holds a value it does not take.
    """
    given: dict[str, str] = {}
    for name, value in parse_qsl(query_string, keep_blank_values=True):
        if name not in _PARAMETERS:
            raise QueryError(name, value, f"one of the parameters {', '.join(_PARAMETERS)}")
        if name in given:
            raise QueryError(name, f"{given[name]}, {value}", "to be given once; lists are separated by commas")
        given[name] = value
    return StreamQuery(
        position=_position(given),
        batch=_batch(given, now),
        gzip=_choice(given, "compression", {"gzip": True, "none": False}, default=True),
        filters=Filters(
            icao_addresses=_names(given, "icao_address", _ICAO_ADDRESS, "addresses of six hexadecimal digits"),
            callsigns=_names(given, "callsign", _CALLSIGN, "callsigns of one to eight letters and digits"),
            tail_numbers=_names(given, "tail_number", _NAME, "registrations"),
            airlines=_names(given, "airline", _NAME, "IATA codes or names of airlines"),
            latitude=_range(given, "latitude_between", "south,north", limit=90),
            longitude=_range(given, "longitude_between", "west,east", limit=180, wraps=True),
            altitude=_range(given, "altitude_between", "low,high", limit=1_000_000),
            max_age=_seconds(given, "max_age"),
            late=_choice(given, "late_filter", {"true": True, "false": False}, default=False),
        ),
    )


def _position(given: dict[str, str]) -> str:
    position = given.get("position_token", LATEST)
    if not position:
        raise QueryError("position_token", position, f"{BEGINNING}, {LATEST} or a token")
    return position


def _batch(given: dict[str, str], now: float) -> tuple[float, float] | None:
    """Return the span of batch mode. An end in the future is waited for: clocks of clients differ a little."""
    if "start" not in given and "end" not in given:
        return None
    if "position_token" in given:
        raise QueryError("position_token", given["position_token"], "no token together with start and end")
    for name, other in (("start", "end"), ("end", "start")):
        if name not in given:
            raise QueryError(name, "", f"a time, as {other} is given: batch mode needs both")
    start, end = _time(given, "start"), _time(given, "end")
    if not now - LONGEST_LOOK_BACK <= start <= now:
        oldest, newest = (times.with_milliseconds(int(t * 1000)) for t in (now - LONGEST_LOOK_BACK, now))
        raise QueryError("start", given["start"], f"a time within the last 24 hours: from {oldest} to {newest}")
    if end <= start:
        raise QueryError("end", given["end"], f"a time after start, {given['start']}")
    return start, end


def _time(given: dict[str, str], name: str) -> float:
    try:
        return times.parse(given[name])
    except (ValueError, OverflowError):
        raise QueryError(name, given[name], "an ISO 8601 time such as 2024-03-04T23:24:01.900Z") from None


def _choice(given: dict[str, str], name: str, choices: dict[str, bool], *, default: bool) -> bool:
    if name not in given:
        return default
    if given[name] not in choices:
        raise QueryError(name, given[name], " or ".join(choices))
    return choices[given[name]]


def _names(given: dict[str, str], name: str, form: re.Pattern[str], takes: str) -> frozenset[str] | None:
    if name not in given:
        return None
    names = [item.strip().upper() for item in given[name].split(",")]
    if not all(form.fullmatch(item) for item in names):
        raise QueryError(name, given[name], f"{takes}, separated by commas")
    return frozenset(names)


def _range(given: dict[str, str], name: str, form: str, *, limit: float, wraps: bool = False) -> Range | None:
    if name not in given:
        return None
    takes = f"{form}: two different numbers from {-limit:g} to {limit:g}" + ("" if wraps else ", the smaller one first")
    low, high = _two_numbers(given[name], lambda: QueryError(name, given[name], takes))
    if not (-limit <= low <= limit and -limit <= high <= limit) or low == high or (low > high and not wraps):
        raise QueryError(name, given[name], takes)
    return low, high


def _two_numbers(text: str, error: Callable[[], QueryError]) -> Range:
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        raise error() from None
    return low, high


def _seconds(given: dict[str, str], name: str) -> float | None:
    if name not in given:
        return None
    takes = "a number of seconds above 0"
    try:
        seconds = float(given[name])
    except ValueError:
        raise QueryError(name, given[name], takes) from None
    if not seconds > 0:
        raise QueryError(name, given[name], takes)
    return seconds
