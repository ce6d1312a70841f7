"""The API against its own description, judged by tools that nobody here wrote: schemathesis and a validator."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings

from api import openapi
from local.runtime.invocation import InvocationResult
from local.web.front_door import FrontDoor
from local.web.live_objects import LiveObjects
from local.web.server import WebServer
from tests.integration.api.conftest import FLEET, NOW


def test_the_description_is_valid():
    """It is OpenAPI 3.1, and each parameter and field says what it is."""
    from openapi_spec_validator import validate

    description = json.loads(openapi.document())
    validate(description)
    for path, operations in description["paths"].items():
        for parameter in operations["get"].get("parameters", []):
            assert parameter["description"], (path, parameter["name"])


@pytest.fixture
def url(service, s3, put, put_rows, put_alert):
    """The API over HTTP, with something to answer to every question."""
    put(FLEET)
    put_rows([{"kind": "totals", "window_start": "2024-03-04T23:23:00Z", "updates": 5}] * 20)
    put_alert(NOW - timedelta(hours=1), 1)

    def invoke(event):
        return InvocationResult("id", service.answer(json.loads(event), warn=pytest.fail), None, 0.0)

    live = LiveObjects(s3, "data")
    with WebServer(live) as server:
        server.connect(live, FrontDoor(invoke))
        yield server.url.rstrip("/")


@pytest.mark.parametrize("path", sorted(json.loads(openapi.document())["paths"]))
def test_answers_are_as_described(url, path):
    """Whatever is asked for, in the right form and in wrong ones, the answer is one that the description has."""
    import schemathesis
    from schemathesis.specs.openapi.checks import positive_data_acceptance

    description = schemathesis.openapi.from_url(f"{url}/api/openapi.json")

    @given(case=description[path]["GET"].as_strategy())
    @settings(max_examples=40, suppress_health_check=list(HealthCheck))
    def ask(case):
        # What a schema cannot say makes an answer of 400, too: a box upside down, a cursor of another question.
        case.call_and_validate(excluded_checks=[positive_data_acceptance])

    ask()
