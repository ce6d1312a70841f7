"""API Gateway's part on loopback: an HTTP request becomes the event of an HTTP API, the function's answer HTTP."""

from __future__ import annotations

import base64
import binascii
import json
import time
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from flask import Request
from samcli.local.apigw.event_constructor import construct_v2_event_http  # type: ignore[import-untyped]
from werkzeug.test import EnvironBuilder

from local.runtime.emulator import EmulatorError
from local.runtime.invocation import ThrottledError
from local.web.answer import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from local.runtime.invocation import InvocationResult

ROUTE = "GET /api/{proxy+}"
"""The API's route for GET (`template.yaml`), here for HEAD, too; the function looks into the path itself."""

_STAGE = "$default"


class FrontDoor:
    """Calls the API's function by `invoke`, as an HTTP API with payload format 2.0 does.

    The authorizer is left out: who reaches this machine's loopback may ask. API Gateway's limits on sizes and times
    are the function's own to keep.
    """

    def __init__(self, invoke: Callable[[bytes], InvocationResult]) -> None:
        self._invoke = invoke

    def call(self, target: str, headers: Mapping[str, str], client: str) -> Answer:
        """Answer a GET of `target`, path and query; what the function does wrong is API Gateway's 500 or 503."""
        try:
            result = self._invoke(json.dumps(event(target, headers, client)).encode())
        except ThrottledError:
            return _message(HTTPStatus.SERVICE_UNAVAILABLE, "Service Unavailable")
        except EmulatorError:
            return _message(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal Server Error")
        if result.function_error is not None:
            return _message(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal Server Error")
        return _answer(result.payload)


def event(target: str, headers: Mapping[str, str], client: str) -> dict[str, Any]:
    """Return the event for a GET, as the SAM CLI makes it for `sam local start-api`."""
    path, _, query = target.partition("?")
    request = Request(
        EnvironBuilder(
            path=path,
            query_string=query,
            headers=list(headers.items()),
            environ_overrides={"REMOTE_ADDR": client},
        ).get_environ()
    )
    request.view_args = {"proxy": path.removeprefix("/api/")}
    now = datetime.now(UTC)
    made: dict[str, Any] = construct_v2_event_http(
        request,
        port=request.host.partition(":")[2] or "80",
        binary_types=[],
        stage_name=_STAGE,
        route_key=ROUTE,
        request_time_epoch=round(time.time() * 1_000),
        request_time=now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
    )
    # API Gateway has all header names in lower case.
    made["headers"] = {name.lower(): value for name, value in made["headers"].items()}
    return made


def _answer(payload: Any) -> Answer:
    """Return what an HTTP API makes of a function's return value; a value without a status is the body of a 200."""
    if not (isinstance(payload, dict) and "statusCode" in payload):
        return Answer(HTTPStatus.OK, {"Content-Type": "application/json"}, json.dumps(payload).encode())
    try:
        status = HTTPStatus(int(payload["statusCode"]))
        text = payload.get("body") or ""
        body = base64.b64decode(text, validate=True) if payload.get("isBase64Encoded") else text.encode()
        headers = {str(name): str(value) for name, value in (payload.get("headers") or {}).items()}
    except (ValueError, TypeError, AttributeError, binascii.Error):
        return _message(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal Server Error")
    if not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = "text/plain; charset=utf-8"
    return Answer(status, headers, body)


def _message(status: HTTPStatus, text: str) -> Answer:
    """Return an answer of API Gateway's own."""
    return Answer(status, {"Content-Type": "application/json"}, json.dumps({"message": text}).encode())
