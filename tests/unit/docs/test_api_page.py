"""The page about the API: every resource, its limits and its errors, and examples that are taken."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, unquote

import pytest
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]

from api import parameters, problems, routes


@pytest.fixture(scope="module")
def page(repository):
    """The page."""
    return (repository / "docs/api.md").read_text()


def rows(page, heading):
    """The cells of a section's table."""
    section = page.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:2] == "| "]


def test_every_resource_is_there_with_an_example_that_is_taken(page):
    """Its path and its parameters are those of the routes."""
    found = {resource.strip("`"): example.strip("`") for resource, _, example in rows(page, "Resources")[1:]}
    assert list(found) == [*(route.path for route in routes.ROUTES), "/openapi.json"]
    for path, example in list(found.items())[:-1]:
        assert_taken(f"/{example}", path)


def assert_taken(target, expected=None):
    """A request's path and query are ones that the API answers."""
    path, _, query = target.partition("?")
    route, in_path = routes.find(unquote(path))
    assert expected in {None, route.path}
    parameters.read_query(parse_qsl(query), route.parameters)
    for one in route.parameters:
        if one.is_in == "path":
            one.value(in_path[one.name])


def test_the_commands_ask_what_is_taken(page):
    """Those for each way of access."""
    asked = re.findall(r'(?:\$\{api\}|/api/)([a-z][^"\s]*\?[^"\s]*)"', page)
    assert len(asked) == 4
    for target in asked:
        assert_taken(f"/{target}")


def test_the_limits_are_the_routes_own(page):
    """Of each resource that has pages."""
    listed = {one.strip("` "): limits for names, limits, _ in rows(page, "Limits")[1:] for one in names.split(",")}
    expected = {
        route.path: f"{one.schema['default']:,}, {one.schema['maximum']:,}"
        for route in routes.ROUTES
        for one in route.parameters
        if one.name == "limit"
    }
    assert listed == expected


def test_the_rate_is_the_templates_own(page, repository):
    """What API Gateway refuses above."""
    resources = yaml_parse((repository / "template.yaml").read_text())["Resources"]
    settings = resources["ApiStage"]["Properties"]["DefaultRouteSettings"]
    rate, burst = settings["ThrottlingRateLimit"], settings["ThrottlingBurstLimit"]
    assert f"{rate} requests a second, and {burst} at once" in page


def test_the_errors_are_the_apis_own(page):
    """By status and type."""
    expected = [[f"{status:d}", f"`#{problems.anchor(kind)}`"] for kind, (status, _) in problems.KINDS.items()]
    assert [cells[:2] for cells in rows(page, "Errors")[1:-1]] == expected
