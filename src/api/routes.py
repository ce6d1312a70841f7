"""The table of routes: path, parameters and handler of each; the OpenAPI description is generated from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from api import alert_log, flights, geojson, health, problems, schemas, targets, window_rows
from api.route_parameters import (
    ADDRESS,
    AIRPORT,
    BOUNDING_BOX,
    CURSOR,
    DATE,
    FILTERS,
    FLIGHT_ID,
    ICAO_ADDRESSES,
    KIND,
    in_path,
    limit,
    time,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import msgspec

    from api.messages import Request
    from api.parameters import Parameter, Values
    from api.sources import Sources

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Route:
    """One question. Segments in braces are parameters; `answers` are the media types, the first the usual one."""

    path: str
    name: str
    summary: str
    answer: Callable[[Sources, Request, Values], Any]
    result: type[msgspec.Struct]
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
        (BOUNDING_BOX, *FILTERS, limit(2_000, 500), CURSOR),
        is_of_aircraft=True,
    ),
    Route(
        "/targets/{icao_address}",
        "getTarget",
        "One aircraft.",
        lambda sources, request, values: targets.one(sources.sky(), request, values),
        schemas.Target,
        (ADDRESS,),
        is_of_aircraft=True,
    ),
    Route(
        "/point/{latitude}/{longitude}/{radius}",
        "listTargetsNear",
        "Aircraft around a point, the nearest first.",
        lambda sources, request, values: targets.near(sources.sky(), request, values),
        schemas.Targets,
        (
            in_path("latitude", "Degrees, WGS 84, north positive.", -90, 90),
            in_path("longitude", "Degrees, WGS 84, east positive.", -180, 180),
            in_path("radius", "Nautical miles.", 0, 250),
            *FILTERS,
            limit(2_000, 500),
            CURSOR,
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
            time("from", "Windows that begin then or later; by default a quarter of an hour before `to`."),
            time("to", "Windows that begin before; by default now. At most 6 hours after `from`."),
            KIND,
            ICAO_ADDRESSES,
            limit(5_000, 1_000),
            CURSOR,
        ),
    ),
    Route(
        "/alerts",
        "listAlerts",
        "Alerts that were sent, by the time of the update that called for them, the oldest first.",
        lambda sources, request, values: alert_log.page(sources.bucket, request, values, sources.now()),
        schemas.Alerts,
        (
            time("from", "Updates measured then or later; by default a day before `to`."),
            time(
                "to",
                "Updates measured before, at most 31 days after `from`; by default all, those dated after now too.",
            ),
            ICAO_ADDRESSES,
            limit(200, 50),
            CURSOR,
        ),
    ),
    Route(
        "/flights",
        "listFlights",
        "Flights, from take-off to landing, by the day on which they began.",
        lambda sources, request, values: flights.page(sources.books, request, values, sources.now()),
        schemas.Flights,
        (
            DATE,
            ICAO_ADDRESSES,
            AIRPORT,
            limit(500, 100),
            CURSOR,
        ),
    ),
    Route(
        "/flights/{id}",
        "getFlight",
        "One flight and its whole way, as GeoJSON.",
        lambda sources, _request, values: flights.track(sources.books, values),
        schemas.FlightTrack,
        (FLIGHT_ID,),
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
