"""samconfig.toml: both environments, with parameters the template knows and takes."""

from __future__ import annotations

import re
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
        return [
            each for each in environment["deploy"]["parameters"]["parameter_overrides"] if "MetricsNamespace" in each
        ]

    assert namespace(dev) != namespace(prod)


@pytest.mark.parametrize("command", ["deploy", "local_invoke"])
def test_overrides_are_parameters_the_template_takes(environment, template, command):
    """A renamed parameter or a refused value is found here, not at deployment."""
    for override in environment[command]["parameters"]["parameter_overrides"]:
        name, _, value = override.partition("=")
        parameter = template["Parameters"][name]
        if "AllowedValues" in parameter:
            assert value in [str(each) for each in parameter["AllowedValues"]], override
        if "AllowedPattern" in parameter:
            assert re.fullmatch(parameter["AllowedPattern"], value), override
        if "MinValue" in parameter:
            assert parameter["MinValue"] <= float(value) <= parameter["MaxValue"], override


def test_the_build_runs_in_the_source(environment):
    """The Makefile needs the lock and src; a copy of the whole tree for each function would only cost time."""
    assert environment["build"]["parameters"]["build_in_source"] is True


def test_roles_have_generated_names(environment, of_type):
    """CAPABILITY_IAM suffices: no role has a name of its own that could clash."""
    assert environment["deploy"]["parameters"]["capabilities"] == "CAPABILITY_IAM"
    assert not [name for name, role in of_type("AWS::IAM::Role").items() if "RoleName" in role]
