"""Interprets the responses of the runtime interface emulator: results and failures."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any

import msgspec

_TIMED_OUT = re.compile(rb"Task timed out after \d+\.\d+ seconds")
_EXITED = "Runtime.ExitError"
_ERROR_KEYS = {"errorMessage", "errorType", "requestId", "stackTrace"}
"""What the runtime interface client reports of an exception; an answer with just these keys is taken for one."""


def failure(error_type: str, message: str) -> tuple[Any, str]:
    """Return a payload that says what failed, and the function error that goes with it."""
    return {"errorMessage": message, "errorType": error_type}, "Unhandled"


def read(status: int, body: bytes) -> tuple[Any, str | None]:
    """Return an invocation's payload and its function error, None or `Unhandled`.

    The emulator answers 200 to all but a runtime that ended: an exception as an object, a timeout as plain text.
    """
    if status != HTTPStatus.OK:
        return _runtime_ended(status, body)
    if _TIMED_OUT.fullmatch(body.strip()):
        return failure("Sandbox.Timedout", body.decode().strip())
    try:
        payload = msgspec.json.decode(body) if body.strip() else None
    except msgspec.DecodeError:
        return failure("Runtime.InvalidResponse", f"the runtime answered what is no JSON: {body[:200]!r}")
    if isinstance(payload, dict) and {"errorMessage", "errorType"} <= payload.keys() <= _ERROR_KEYS:
        return payload, "Unhandled"
    return payload, None


def started(status: int, payload: Any) -> bool:
    """Return whether the runtime came up: an error while it starts is no answer, and no end of an invocation."""
    return status == HTTPStatus.OK or payload["errorType"] == _EXITED


def _runtime_ended(status: int, body: bytes) -> tuple[Any, str]:
    try:
        content = msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, msgspec.ValidationError):
        content = {}
    if "errorType" in content:
        return failure(str(content["errorType"]), str(content.get("errorMessage", "")))
    return failure("Runtime.InitError", f"the runtime could not be started (the emulator answered {status})")
