"""The API's description: what is said beside the answers themselves is there, too."""

from __future__ import annotations

import json

import pytest
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]

from api import openapi, problems, routes


@pytest.fixture(scope="module")
def description():
    """The description, as a client reads it."""
    return json.loads(openapi.document())


@pytest.mark.parametrize(
    "error",
    [
        problems.wrong_parameter("limit", "0", "a whole number"),
        problems.not_found("nothing"),
        problems.not_acceptable("text/html", ("application/json",)),
        problems.unavailable("later"),
    ],
    ids=list(problems.KINDS),
)
def test_the_type_of_a_problem_leads_to_its_schema(description, error):
    """Its fragment is an anchor of the description, and the schema says which problem it is (RFC 9457)."""
    path, _, fragment = error.problem.type.partition("#")
    assert path in description["paths"]
    (schema,) = [one for one in description["components"]["schemas"].values() if one.get("$anchor") == fragment]
    assert schema["properties"] == {"type": {"const": error.problem.type}, "status": {"const": error.problem.status}}
    assert schema["description"]


def test_each_problem_is_among_the_answers(description):
    """By status, beside what API Gateway answers by itself."""
    for route in routes.ROUTES:
        answers = description["paths"][f"/api{route.path}"]["get"]["responses"]
        assert answers.keys() == {"200", "304", "400", "404", "406", "503", "default"}
        assert problems.MEDIA_TYPE in answers["503"]["content"]
        assert "Retry-After" in answers["503"]["headers"]
        assert answers["default"]["content"].keys() == {"application/json"}


def test_pages_are_linked(description):
    """Answers that have a next page say by which header they lead to it."""
    linked = {
        path
        for path, operations in description["paths"].items()
        if "Link" in operations["get"]["responses"]["200"].get("headers", {})
    }
    assert linked == {
        "/api/alerts",
        "/api/flights",
        "/api/point/{latitude}/{longitude}/{radius}",
        "/api/targets",
        "/api/windows",
    }


def test_access_is_described_for_each_of_the_stacks_ways(description, repository):
    """One of the schemes or none: the function does not know which."""
    schemes = description["components"]["securitySchemes"]
    assert description["security"] == [*({name: []} for name in schemes), {}]
    ways = yaml_parse((repository / "template.yaml").read_text())["Parameters"]["ApiAccess"]["AllowedValues"]
    for way in ways:
        assert any(f"`ApiAccess` is `{way}`" in scheme["description"] for scheme in schemes.values()), way
