"""The template as written: intrinsic functions in their long form, before any translation."""

from __future__ import annotations

import pytest
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]

FUNCTIONS = {
    "ConsumerFunction": "consumer",
    "AggregatorFunction": "aggregator",
    "AlertsFunction": "alerts",
    "ApiFunction": "api",
    "ArchiveFunction": "archive",
    "FlightsFunction": "flights",
}


@pytest.fixture(scope="session")
def template(repository):
    """The template, parsed."""
    return yaml_parse((repository / "template.yaml").read_text())


@pytest.fixture(scope="session")
def resources(template):
    """Its resources, by logical id."""
    return template["Resources"]


@pytest.fixture(scope="session")
def of_type(resources):
    """Resources of a type, as {logical id: properties}."""

    def select(kind):
        found = {name: each["Properties"] for name, each in resources.items() if each["Type"] == kind}
        assert found, f"the template has no {kind}"
        return found

    return select


@pytest.fixture(params=FUNCTIONS, ids=list(FUNCTIONS.values()))
def function_id(request):
    """Each function's logical id."""
    return request.param


@pytest.fixture
def function(function_id, resources):
    """The function's properties."""
    return resources[function_id]["Properties"]


@pytest.fixture
def folder(function_id):
    """The function's folder under src."""
    return FUNCTIONS[function_id]


@pytest.fixture(params=["AggregatorFunction", "AlertsFunction"])
def mapping(request, resources):
    """Properties of an event source mapping."""
    return resources[request.param]["Properties"]["Events"]["Updates"]["Properties"]
