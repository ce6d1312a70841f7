"""Answers a request: finds the question, reads its parameters, and writes the answer in the form that is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from api import geojson, openapi, parameters, problems, routes
from api.flight_books import ReplacedError
from api.messages import Request, Response
from api.problems import ProblemError
from api.schemas import Targets
from common.flight_book import BookError

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
        """Answer an event of an HTTP API; `warn` is told why AWS could not be asked."""
        request = Request("GET", "/", (), {})
        try:
            request = Request.from_event(event)
            response = self._answer(request)
        except ProblemError as error:
            response = _problem(error)
        except (BookError, ReplacedError) as error:
            warn(f"a day's flights cannot be read: {error!r}")
            response = _problem(problems.unavailable("the flights cannot be read now; try again in a few seconds"))
        except (BotoCoreError, ClientError) as error:
            warn(f"the data bucket does not answer: {error}")
            response = _problem(problems.unavailable("the data cannot be read now; try again in a few seconds"))
        return response.payload(request)

    def _answer(self, request: Request) -> Response:
        if request.method not in {"GET", "HEAD"}:
            raise problems.not_allowed(request.method)
        if request.path == _DESCRIPTION:
            parameters.read_query(request.query, ())
            return Response(HTTPStatus.OK, routes.JSON, openapi.document(), {"Cache-Control": "public, max-age=300"})
        route, in_path = routes.find(request.path)
        media_type = _chosen(request.headers.get("accept", "*/*"), route.media_types)
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
    """Return the media type that the header prefers, by RFC 9110's qualities.

    Raises
    ------
    ProblemError
        It takes none of those offered.
    """
    best, chosen = 0.0, None
    for media_type in offered:
        quality = max((one[1] for one in _ranges(accept) if _covers(one[0], media_type)), default=0.0)
        if quality > best:
            best, chosen = quality, media_type
    if chosen is None:
        raise problems.not_acceptable(accept, offered)
    return chosen


def _ranges(accept: str) -> list[tuple[str, float]]:
    found = []
    for one in accept.lower().split(","):
        name, *rest = (part.strip() for part in one.split(";"))
        given = next((part[2:] for part in rest if part.startswith("q=")), "1")
        try:
            quality = float(given)
        except ValueError:
            quality = 0.0
        found.append((name, quality + _SPECIFIC * ("*" not in name and quality > 0)))
    return found


_SPECIFIC = 1e-6
"""A range that names the type comes before one that covers it."""


def _covers(media_range: str, media_type: str) -> bool:
    kind, _, sub = media_range.partition("/")
    of, _, name = media_type.partition("/")
    return (kind == "*" and sub == "*") or (kind == of and sub in {"*", name})
