"""Answers a request: finds the question, reads its parameters, and writes the answer in the form that is asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from api import geojson, openapi, parameters, problems, routes
from api.flight_books import DamagedDayError, ReplacedError
from api.messages import Request, Response
from api.problems import ProblemError
from api.schemas import Targets

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from api.sources import Sources

_DESCRIPTION = "/openapi.json"
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Service:
    """Answers requests from its sources."""

    sources: Sources

    def answer(self, event: Mapping[str, Any], warn: Callable[[str], None]) -> dict[str, Any]:
        """Answer an event of an HTTP API; `warn` gets the reason when AWS could not be asked."""
        request = Request("/", (), {})
        try:
            request = Request.from_event(event)
            response = self._answer(request)
        except ProblemError as error:
            response = _problem(error)
        except DamagedDayError as error:
            warn(f"damaged: {error}; have the flights function make {error.day} again")
            detail = f"the flights of {error.day} cannot be read until they are made again; those of other days can"
            response = _problem(problems.unavailable(detail))
        except ReplacedError:
            warn("a day's flights were made again while they were read")
            response = _problem(problems.unavailable("the flights cannot be read now; try again in a few seconds"))
        except (BotoCoreError, ClientError) as error:
            warn(f"the data bucket does not answer: {error}")
            response = _problem(problems.unavailable("the data cannot be read now; try again in a few seconds"))
        return response.payload(request)

    def _answer(self, request: Request) -> Response:
        if request.path == _DESCRIPTION:
            parameters.read_query(request.query, ())
            return Response(HTTPStatus.OK, routes.JSON, openapi.document(), {"Cache-Control": "public, max-age=300"})
        route, in_path = routes.find(request.path)
        media_type = _chosen(request.headers.get("accept") or "*/*", route.media_types)
        values = parameters.read_query(request.query, route.parameters)
        for parameter in route.parameters:
            if parameter.is_in == "path":
                values[parameter.name] = parameter.value(in_path[parameter.name])
        result = route.answer(self.sources, request, values)
        headers = {}
        if following := getattr(result, "next", None):
            headers["Link"] = f'<{following}>; rel="next"'
        if media_type == geojson.MEDIA_TYPE and route.is_of_aircraft:
            result = geojson.collection(result) if isinstance(result, Targets) else geojson.feature(result)
        return Response(HTTPStatus.OK, media_type, _encode(result), headers)


def _problem(error: ProblemError) -> Response:
    return Response(HTTPStatus(error.problem.status), problems.MEDIA_TYPE, _encode(error.problem), error.headers)


def _chosen(accept: str, offered: tuple[str, ...]) -> str:
    """Return the media type that the header prefers; among equals the one that it names, then the first offered.

    Raises
    ------
    ProblemError
        It takes none of those offered.
    """
    ranges = _ranges(accept)
    best, chosen = (0.0, 0), None
    for media_type in offered:
        specific, quality = max(
            ((_specific(name, media_type), quality) for name, quality in ranges), default=(_COVERS_NOT, 0.0)
        )
        if specific != _COVERS_NOT and quality > 0 and (quality, specific) > best:
            best, chosen = (quality, specific), media_type
    if chosen is None:
        raise problems.not_acceptable(accept, offered)
    return chosen


def _ranges(accept: str) -> list[tuple[str, float]]:
    """Return the header's media ranges and their qualities; one that is not a quality takes nothing."""
    found = []
    for one in accept.lower().split(","):
        name, *rest = (part.strip() for part in one.split(";"))
        given = next((part[2:] for part in rest if part.startswith("q=")), "1")
        found.append((name, float(given) if _QUALITY.fullmatch(given) else 0.0))
    return found


_QUALITY = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?")  # RFC 9110, section 12.4.2
_COVERS_NOT = -1


def _specific(media_range: str, media_type: str) -> int:
    """Return how closely a range describes a type: the closest one's quality counts (RFC 9110, section 12.5.1)."""
    if media_range == media_type:
        return 2
    if media_range == media_type.partition("/")[0] + "/*":
        return 1
    return 0 if media_range == "*/*" else _COVERS_NOT
