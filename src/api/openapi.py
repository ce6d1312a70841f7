"""The API's OpenAPI 3.1 description, generated from the table of routes and the response types."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

from api import geojson, problems, routes, schemas

if TYPE_CHECKING:
    from api.parameters import Parameter
    from api.routes import Route

_REFERENCE = "#/components/schemas/{name}"


@cache
def document() -> bytes:
    """Return the description as JSON."""
    results = dict.fromkeys(route.result for route in routes.ROUTES)  # in order: equal bytes have an equal ETag
    _, components = msgspec.json.schema_components(
        [*results, schemas.FeatureCollection, schemas.Feature, problems.Problem], ref_template=_REFERENCE
    )
    paths = {f"{_PREFIX}{route.path}": {"get": _operation(route)} for route in routes.ROUTES}
    paths[f"{_PREFIX}/openapi.json"] = {
        "get": {
            "operationId": "getDescription",
            "summary": "This description.",
            "responses": {
                "200": {"description": "OpenAPI 3.1.", "content": {routes.JSON: {"schema": {"type": "object"}}}},
                **_problems(),
            },
        }
    }
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "Aircraft stream",
                "version": "1",
                "description": "Aircraft, windows, alerts and flights. Times are RFC 3339 in UTC; errors are RFC 9457.",
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
            "paths": paths,
            "components": {"schemas": components},
        }
    )


_PREFIX = "/api"


def _operation(route: Route) -> dict[str, Any]:
    usual = {"schema": {"$ref": _REFERENCE.format(name=route.result.__name__)}}
    content: dict[str, Any] = dict.fromkeys(route.media_types, usual)
    if route.is_of_aircraft:
        of = schemas.FeatureCollection if route.result is schemas.Targets else schemas.Feature
        content[geojson.MEDIA_TYPE] = {"schema": {"$ref": _REFERENCE.format(name=of.__name__)}}
    headers = {
        "ETag": {"description": "For `If-None-Match`.", "schema": {"type": "string"}},
        "Cache-Control": {"description": "How long an answer may be kept.", "schema": {"type": "string"}},
    }
    return {
        "operationId": route.name,
        "summary": route.summary,
        "parameters": [_parameter(one) for one in route.parameters],
        "responses": {
            "200": {"description": route.summary, "headers": headers, "content": content},
            "304": {"description": "The client has this answer already."},
            **_problems(),
        },
    }


def _parameter(one: Parameter) -> dict[str, Any]:
    return {
        "name": one.name,
        "in": one.is_in,
        "required": one.is_in == "path",
        "description": one.description,
        "schema": one.schema,
    }


def _problems() -> dict[str, Any]:
    return {
        "default": {
            "description": "A problem (RFC 9457): it names the parameter, what it got and what it takes.",
            "content": {problems.MEDIA_TYPE: {"schema": {"$ref": _REFERENCE.format(name="Problem")}}},
        }
    }
