"""Which question is asked at which path, with which parameters: one table, from which the description comes, too."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from api import alert_log, flights, geojson, health, parameters, problems, schemas, targets, window_rows
from api.parameters import Parameter, integer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from api.messages import Request
    from api.parameters import Values
    from api.sources import Sources

JSON = "application/json"


def _list_of(name: str, description: str, example: str) -> Parameter:
    takes = f"up to 50 values, separated by commas, such as {example}"
    schema = {"type": "string", "pattern": parameters.LIST, "example": example}
    return Parameter(name, f"{description}; several values are separated by commas.", takes, parameters.names, schema)


def _limit(most: int, usual: int) -> Parameter:
    schema = {"type": "integer", "minimum": 1, "maximum": most, "default": usual}
    return Parameter("limit", "How many at most.", f"a whole number from 1 to {most}", integer(1, most), schema, usual)


def _altitude(name: str, which: str) -> Parameter:
    low, high = -2_000, 100_000
    takes = f"feet, a whole number from {low} to {high}"
    schema = {"type": "integer", "minimum": low, "maximum": high}
    return Parameter(name, f"{which} barometric altitude, feet.", takes, integer(low, high), schema)


def _time(name: str, description: str) -> Parameter:
    takes = "an RFC 3339 time with a zone, such as 2024-03-04T23:24:00Z"
    return Parameter(name, description, takes, parameters.moment, {"type": "string", "format": "date-time"})


def _in_path(name: str, description: str, low: float, high: float) -> Parameter:
    def read(text: str) -> float:
        return parameters.number(text, low, high)

    schema = {"type": "number", "minimum": low, "maximum": high}
    return Parameter(name, description, f"a number from {low:g} to {high:g}", read, schema, is_in="path")


def _address(text: str) -> str:
    if not 0 < len(text.strip()) <= _LONGEST_ADDRESS:
        raise ValueError(text)
    return text


_LONGEST_ADDRESS = 32
_ADDRESS = Parameter(
    "icao_address",
    "24-bit ICAO address, six hexadecimal digits in either case.",
    f"1 to {_LONGEST_ADDRESS} characters, such as 78121E",
    _address,
    {"type": "string", "minLength": 1, "maxLength": _LONGEST_ADDRESS, "example": "78121E"},
    is_in="path",
)
_CURSOR = Parameter(
    "cursor", "Where the page begins: from `next` of the page before.", "a cursor", str, {"type": "string"}
)
_FILTERS = (
    _list_of("airline", "IATA code or name of the airline", "MU,CA"),
    _list_of("callsign", "Callsign", "CCA8302"),
    _list_of("type", "ICAO type designator", "A359"),
    _list_of("squawk", "Transponder code", "7500,7600,7700"),
    _altitude("min_altitude", "Least"),
    _altitude("max_altitude", "Greatest"),
    Parameter("on_ground", "Whether on the ground.", "true or false", parameters.flag, {"type": "boolean"}),
)
_BBOX = Parameter(
    "bbox",
    "west,south,east,north in degrees; west > east crosses 180 degrees.",
    "west,south,east,north: four numbers, -180 to 180 and -90 to 90, south not above north",
    parameters.bounding_box,
    {"type": "string", "example": "120.8,30.6,122.2,31.9", "pattern": parameters.BOX},
)
_ICAO_LIST = _list_of("icao_address", "ICAO address", "78121E")
_KINDS = ("aircraft", "totals")


def _kind(text: str) -> str:
    if text not in _KINDS:
        raise ValueError(text)
    return text


_AIRPORT = "^[A-Za-z]{4}$"


def _airport(text: str) -> str:
    if not re.fullmatch(_AIRPORT, text):
        raise ValueError(text)
    return text.upper()


@dataclass(frozen=True, slots=True)
class Route:
    """One question. Segments in braces are parameters; `answers` are the media types, the first the usual one."""

    path: str
    name: str
    summary: str
    answer: Callable[[Sources, Request, Values], Any]
    result: type
    parameters: tuple[Parameter, ...] = ()
    is_of_aircraft: bool = False
    """Whether the answer may be had as GeoJSON, too."""

    is_geojson: bool = False
    """Whether the answer is GeoJSON in any case."""

    @property
    def media_types(self) -> tuple[str, ...]:
        """What it can be answered in, the usual one first."""
        if self.is_geojson:
            return (geojson.MEDIA_TYPE, JSON)
        return (JSON, geojson.MEDIA_TYPE) if self.is_of_aircraft else (JSON,)


ROUTES = (
    Route(
        "/targets",
        "listTargets",
        "Aircraft, by what is known of them, sorted by ICAO address.",
        lambda sources, request, values: targets.page(sources.sky(), request, values),
        schemas.Targets,
        (_BBOX, *_FILTERS, _limit(2_000, 500), _CURSOR),
        is_of_aircraft=True,
    ),
    Route(
        "/targets/{icao_address}",
        "getTarget",
        "One aircraft.",
        lambda sources, request, values: targets.one(sources.sky(), request, values),
        schemas.Target,
        (_ADDRESS,),
        is_of_aircraft=True,
    ),
    Route(
        "/point/{latitude}/{longitude}/{radius}",
        "listTargetsNear",
        "Aircraft around a point, the nearest first.",
        lambda sources, request, values: targets.near(sources.sky(), request, values),
        schemas.Targets,
        (
            _in_path("latitude", "Degrees, WGS 84, north positive.", -90, 90),
            _in_path("longitude", "Degrees, WGS 84, east positive.", -180, 180),
            _in_path("radius", "Nautical miles.", 0, 250),
            *_FILTERS,
            _limit(2_000, 500),
            _CURSOR,
        ),
        is_of_aircraft=True,
    ),
    Route(
        "/windows",
        "listWindows",
        "Rows of windows that began in a span of time.",
        lambda sources, request, values: window_rows.page(sources.bucket, request, values, sources.now()),
        schemas.Windows,
        (
            _time("from", "Windows that begin then or later; by default a quarter of an hour before `to`."),
            _time("to", "Windows that begin before; by default now. At most 6 hours after `from`."),
            Parameter(
                "kind", "Rows of one kind.", "aircraft or totals", _kind, {"type": "string", "enum": list(_KINDS)}
            ),
            _ICAO_LIST,
            _limit(5_000, 1_000),
            _CURSOR,
        ),
    ),
    Route(
        "/alerts",
        "listAlerts",
        "Alerts that were sent, by the time of the update that called for them, the oldest first.",
        lambda sources, request, values: alert_log.page(sources.bucket, request, values, sources.now()),
        schemas.Alerts,
        (
            _time("from", "Updates measured then or later; by default a day before `to`."),
            _time(
                "to",
                "Updates measured before, at most 31 days after `from`; by default all, those dated after now too.",
            ),
            _ICAO_LIST,
            _limit(200, 50),
            _CURSOR,
        ),
    ),
    Route(
        "/flights",
        "listFlights",
        "Flights, from take-off to landing, by the day on which they began.",
        lambda sources, request, values: flights.page(sources.books, request, values, sources.now()),
        schemas.Flights,
        (
            Parameter(
                "date",
                "The UTC day on which they began; by default the last 7 days, the newest first.",
                "a day, such as 2024-03-04",
                flights.day,
                {"type": "string", "format": "date"},
            ),
            _ICAO_LIST,
            Parameter(
                "airport",
                "ICAO code of an airport that they left or came to.",
                "four letters, such as ZSPD",
                _airport,
                {"type": "string", "pattern": _AIRPORT, "example": "ZSPD"},
            ),
            _limit(500, 100),
            _CURSOR,
        ),
    ),
    Route(
        "/flights/{id}",
        "getFlight",
        "One flight and its whole way, as GeoJSON.",
        lambda sources, _request, values: flights.track(sources.books, values),
        schemas.FlightTrack,
        (
            Parameter(
                "id",
                "The flight's id, as `/flights` gives it.",
                "an address and a time, such as 78121E-20210320T120001Z",
                flights.identity,
                {"type": "string", "pattern": flights.ID, "example": "78121E-20210320T120001Z"},
                is_in="path",
            ),
        ),
        is_geojson=True,
    ),
    Route(
        "/health",
        "getHealth",
        "How the pipeline is.",
        lambda sources, _request, _values: health.health(sources.sky(), sources.status(), sources.now()),
        schemas.Health,
    ),
)


def find(path: str, routes: tuple[Route, ...] = ROUTES) -> tuple[Route, Mapping[str, str]]:
    """Return the route of a path, and the texts of the parameters in it.

    Raises
    ------
    ProblemError
        There is none.
    """
    asked = path.rstrip("/").split("/")
    for route in routes:
        parts = route.path.split("/")
        if len(parts) == len(asked) and all(
            part.startswith("{") or part == given for part, given in zip(parts, asked, strict=True)
        ):
            return route, {
                part.strip("{}"): given for part, given in zip(parts, asked, strict=True) if part.startswith("{")
            }
    shown = path[:80]
    raise problems.not_found(f"{shown}: no such resource; expected one of {', '.join(one.path for one in routes)}")
