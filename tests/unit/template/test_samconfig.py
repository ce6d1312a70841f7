"""samconfig.toml: both environments, apart from each other (`tools.operations.parameters` checks their parameters)."""

from __future__ import annotations

import tomllib

import pytest


@pytest.fixture(scope="session")
def samconfig(repository):
    """samconfig.toml, parsed."""
    return tomllib.loads((repository / "samconfig.toml").read_text())


@pytest.fixture(params=["default", "prod"])
def environment(request, samconfig):
    """Each environment of samconfig.toml."""
    return samconfig[request.param]


def test_each_environment_sets_every_command(environment):
    """Build, deploy, validate and local invoke work without options."""
    for command in ("build", "deploy", "validate", "local_invoke"):
        assert environment[command]["parameters"], command
    assert environment["global"]["parameters"]["stack_name"]


def test_the_environments_are_two_stacks(samconfig):
    """Development can touch nothing of production's: neither stack nor metrics."""
    dev, prod = samconfig["default"], samconfig["prod"]
    assert dev["global"]["parameters"]["stack_name"] != prod["global"]["parameters"]["stack_name"]

    def namespace(environment):
        return environment["deploy"]["parameters"]["parameter_overrides"]["MetricsNamespace"]

    assert namespace(dev) != namespace(prod)


def test_an_environment_uploads_under_its_stacks_name(environment):
    """`sam delete` removes everything under the prefix: two stacks never share one."""
    assert environment["deploy"]["parameters"]["s3_prefix"] == environment["global"]["parameters"]["stack_name"]


@pytest.mark.parametrize("command", ["deploy", "local_invoke"])
def test_only_what_was_built_is_deployed_or_invoked(environment, command):
    """Without the built template SAM would fall back to the source's, whose functions lack their libraries."""
    assert environment[command]["parameters"]["template_file"] == ".aws-sam/build/template.yaml"


def test_the_build_runs_in_the_source(environment):
    """The Makefile needs the lock and src; a copy of the whole tree for each function would only cost time."""
    assert environment["build"]["parameters"]["build_in_source"] is True


def test_roles_have_generated_names(environment, of_type):
    """CAPABILITY_IAM suffices: no role has a name of its own that could clash."""
    assert environment["deploy"]["parameters"]["capabilities"] == "CAPABILITY_IAM"
    assert not [name for name, role in of_type("AWS::IAM::Role").items() if "RoleName" in role]
