"""Error responses of AWS: each service in its own wording and format.

Codes and statuses are those of the services' API references; where a reference leaves throttling to the common errors,
what the services answer in practice.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from enum import StrEnum
from xml.sax.saxutils import escape

_QUERY_NAMESPACES = {"sns": "http://sns.amazonaws.com/doc/2010-03-31/"}
_SENDER_FAULTS = 500
"""Statuses below are the caller's fault."""


class Refusal(StrEnum):
    """Why a call is refused."""

    THROTTLED = "throttled"
    SERVER_ERROR = "server_error"
    DENIED = "denied"
    UNKNOWN_CALLER = "unknown_caller"


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP response; its length is not among the headers."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


_OTHERS = {
    Refusal.THROTTLED: (400, "ThrottlingException"),
    Refusal.SERVER_ERROR: (500, "InternalFailure"),
    Refusal.DENIED: (400, "AccessDeniedException"),
    Refusal.UNKNOWN_CALLER: (400, "UnrecognizedClientException"),
}
_CODES = {
    "dynamodb": _OTHERS | {Refusal.SERVER_ERROR: (500, "InternalServerError")},
    "firehose": _OTHERS | {Refusal.THROTTLED: (500, "ServiceUnavailableException")},
    "kinesis": _OTHERS | {Refusal.THROTTLED: (400, "ProvisionedThroughputExceededException")},
    "s3": {
        Refusal.THROTTLED: (503, "SlowDown"),
        Refusal.SERVER_ERROR: (500, "InternalError"),
        Refusal.DENIED: (403, "AccessDenied"),
        Refusal.UNKNOWN_CALLER: (403, "InvalidAccessKeyId"),
    },
    "secretsmanager": _OTHERS | {Refusal.SERVER_ERROR: (500, "InternalServiceError")},
    "sns": {
        Refusal.THROTTLED: (400, "Throttling"),
        Refusal.SERVER_ERROR: (500, "InternalError"),
        Refusal.DENIED: (403, "AuthorizationError"),
        Refusal.UNKNOWN_CALLER: (403, "InvalidClientTokenId"),
    },
    "sqs": _OTHERS | {Refusal.THROTTLED: (403, "RequestThrottled")},
}


def code(service: str, refusal: Refusal) -> tuple[int, str]:
    """Return the HTTP status and the error code with which a service refuses."""
    return _CODES.get(service, _OTHERS)[refusal]


def answer(service: str, refusal: Refusal, message: str) -> Answer:
    """Return the response with which a service refuses a call."""
    status, name = code(service, refusal)
    request_id = str(uuid.uuid4())
    if service == "s3":
        body = (
            f"<Error><Code>{name}</Code><Message>{escape(message)}</Message><RequestId>{request_id}</RequestId></Error>"
        )
        return _xml(status, request_id, body)
    if service in _QUERY_NAMESPACES:
        fault = "Sender" if status < _SENDER_FAULTS else "Receiver"
        body = (
            f'<ErrorResponse xmlns="{_QUERY_NAMESPACES[service]}"><Error><Type>{fault}</Type><Code>{name}</Code>'
            f"<Message>{escape(message)}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
        )
        return _xml(status, request_id, body)
    headers = (("Content-Type", "application/x-amz-json-1.1"), ("x-amzn-RequestId", request_id))
    return Answer(status, headers, json.dumps({"__type": name, "message": message}).encode())


def _xml(status: int, request_id: str, body: str) -> Answer:
    headers = (("Content-Type", "application/xml"), ("x-amz-request-id", request_id))
    return Answer(status, headers, b'<?xml version="1.0" encoding="UTF-8"?>\n' + body.encode())
