"""The API's front door: the event a function gets for a request, and what becomes of its answer."""

from __future__ import annotations

import base64
import json

import pytest

from local.runtime.emulator import EmulatorError
from local.runtime.invocation import InvocationResult, ThrottledError
from local.web.front_door import FrontDoor, event


def _front_door(payload, error=None):
    return FrontDoor(lambda _: InvocationResult("id", payload, error, 0.1))


def test_the_event_is_that_of_an_http_api():
    """Path, query and headers are where a function of a deployed API finds them."""
    made = event("/api/targets?bbox=1,2,3,4&airline=CA&airline=MU", {"Accept": "application/geo+json"}, "127.0.0.1")
    assert made["version"] == "2.0"
    assert made["routeKey"] == "GET /api/{proxy+}"
    assert made["rawPath"] == "/api/targets"
    assert made["rawQueryString"] == "bbox=1,2,3,4&airline=CA&airline=MU"
    assert made["queryStringParameters"] == {"bbox": "1,2,3,4", "airline": "CA,MU"}
    assert made["headers"]["accept"] == "application/geo+json"
    assert made["requestContext"]["http"]["method"] == "GET"
    assert made["requestContext"]["http"]["sourceIp"] == "127.0.0.1"
    assert made["requestContext"]["timeEpoch"] > 1_700_000_000_000


def test_an_answer_is_passed_on():
    """Status, headers and body are the function's."""
    answer = _front_door({"statusCode": 404, "headers": {"ETag": '"a"'}, "body": "none"}).call("/api/x", {}, "::1")
    assert (answer.status, answer.headers["ETag"], answer.body) == (404, '"a"', b"none")


def test_bytes_come_as_bytes():
    """A body in base64 is decoded."""
    payload = {"statusCode": 200, "isBase64Encoded": True, "body": base64.b64encode(b"\x00\xff").decode()}
    assert _front_door(payload).call("/api/x", {}, "::1").body == b"\x00\xff"


@pytest.mark.parametrize(
    "payload",
    [{"statusCode": "many"}, {"statusCode": 200, "body": 5}, {"statusCode": 200, "isBase64Encoded": True, "body": "?"}],
)
def test_an_answer_that_is_none_is_a_500(payload):
    """API Gateway says no more than that."""
    answer = _front_door(payload).call("/api/x", {}, "::1")
    assert (answer.status, json.loads(answer.body)) == (500, {"message": "Internal Server Error"})


def test_a_function_that_fails_is_a_500():
    """Its error text does not reach who asked."""
    answer = _front_door({"errorMessage": "secret"}, "Unhandled").call("/api/x", {}, "::1")
    assert (answer.status, b"secret" in answer.body) == (500, False)


@pytest.mark.parametrize(("error", "status"), [(ThrottledError("busy"), 503), (EmulatorError("gone"), 500)])
def test_a_function_that_cannot_be_called_is_unavailable(error, status):
    """Too many at once is 503; an environment that broke is 500, and the next call gets another."""

    def invoke(_):
        raise error

    assert FrontDoor(invoke).call("/api/x", {}, "::1").status == status
