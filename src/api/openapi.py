"""The API's OpenAPI 3.1 description, generated from the routes, the response types and the kinds of problem."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

from api import geojson, problems, routes, schemas

if TYPE_CHECKING:
    from api.parameters import Parameter
    from api.routes import Route

_REFERENCE = "#/components/schemas/{name}"

_ACCESS = {
    "iam": {
        "type": "apiKey",
        "name": "Authorization",
        "in": "header",
        "description": "Where the stack's `ApiAccess` is `iam`, as by default: AWS Signature Version 4 for the service "
        "`execute-api`, by whoever IAM allows `execute-api:Invoke`.",
        "x-amazon-apigateway-authtype": "awsSigv4",
    },
    "jwt": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "Where `ApiAccess` is `jwt`: a token of the issuer `ApiJwtIssuer` for `ApiJwtAudience`.",
    },
    "password": {
        "type": "http",
        "scheme": "basic",
        "description": "Where `ApiAccess` is `open-to-everyone` and `PageAccess` is `password`, at the page's address: "
        "the page's password, with any user name.",
    },
}
"""Who may ask is the stack's to say, in front of the function: which of these it is, or none, is not known here."""

_MESSAGE = {
    "type": "object",
    "description": "What API Gateway says by itself.",
    "properties": {"message": {"type": "string"}},
}
_OF_API_GATEWAY = {routes.JSON: {"schema": {"$ref": _REFERENCE.format(name="Message")}}}


@cache
def document() -> bytes:
    """Return the description as JSON."""
    results = dict.fromkeys(route.result for route in routes.ROUTES)  # in order: equal bytes have an equal ETag
    _, components = msgspec.json.schema_components(
        [*results, schemas.FeatureCollection, schemas.Feature, problems.Problem], ref_template=_REFERENCE
    )
    components |= {_name(kind): _problem(kind) for kind in problems.KINDS} | {"Message": _MESSAGE}
    paths = {f"{_PREFIX}{route.path}": {"get": _operation(route)} for route in routes.ROUTES}
    paths[f"{_PREFIX}/openapi.json"] = {
        "get": {
            "operationId": "getDescription",
            "summary": "This description.",
            "responses": {
                "200": {"description": "OpenAPI 3.1.", "content": {routes.JSON: {"schema": {"type": "object"}}}},
                "304": _KNOWN,
                **_problems("parameter"),
            },
        }
    }
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "Aircraft stream",
                "version": "1",
                "description": "Aircraft, windows, alerts and flights. Times are RFC 3339 in UTC; errors are RFC 9457. "
                "HEAD is answered as GET is.",
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
            "paths": paths,
            "components": {"schemas": components, "securitySchemes": _ACCESS},
            "security": [*({name: []} for name in _ACCESS), {}],
        }
    )


_PREFIX = "/api"
_KNOWN = {"description": "The client has this answer already."}


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
    if "next" in route.result.__struct_fields__:
        headers["Link"] = {
            "description": 'The next page, `rel="next"` (RFC 8288), as `next` in JSON; absent on the last page.',
            "schema": {"type": "string"},
        }
    return {
        "operationId": route.name,
        "summary": route.summary,
        "parameters": [_parameter(one) for one in route.parameters],
        "responses": {
            "200": {"description": route.summary, "headers": headers, "content": content},
            "304": _KNOWN,
            **_problems(*problems.KINDS),
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


def _name(kind: str) -> str:
    return "".join(word.capitalize() for word in kind.split("-")) + "Problem"


def _problem(kind: str) -> dict[str, Any]:
    """Return the schema of a kind of problem, which its `type` leads to: `$anchor` names it within the document."""
    status, meaning = problems.KINDS[kind]
    return {
        "$anchor": problems.anchor(kind),
        "description": meaning,
        "allOf": [{"$ref": _REFERENCE.format(name="Problem")}],
        "properties": {"type": {"const": problems.type_of(kind)}, "status": {"const": status}},
    }


def _problems(*kinds: str) -> dict[str, Any]:
    """Return the responses that say what is wrong: the function's own, and those of what is in front of it."""
    responses: dict[str, Any] = {
        "default": {
            "description": "Of API Gateway: 401 or 403 without access, 404 for another path or method, 429 for too "
            "many requests, 500 where the function has failed.",
            "content": _OF_API_GATEWAY,
        }
    }
    for kind in kinds:
        status, meaning = problems.KINDS[kind]
        schema = {"$ref": _REFERENCE.format(name=_name(kind))}
        responses[f"{status:d}"] = {"description": meaning, "content": {problems.MEDIA_TYPE: {"schema": schema}}}
    if unavailable := responses.get("503"):
        unavailable["content"] |= _OF_API_GATEWAY
        unavailable["headers"] = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
    return responses
