"""samconfig.toml: its environments, apart from each other (`tools.operations.parameters` checks their parameters)."""

from __future__ import annotations

import tomllib

import pytest

from benchmarks.cost import model as cost
from ops.plan.choice import Wishes, plan
from ops.plan.load import Load


@pytest.fixture(scope="session")
def samconfig(repository):
    """samconfig.toml, parsed."""
    return tomllib.loads((repository / "samconfig.toml").read_text())


@pytest.fixture(params=["default", "small", "prod"])
def environment(request, samconfig):
    """Each environment of samconfig.toml."""
    return samconfig[request.param]


def test_each_environment_sets_every_command(environment):
    """Build, deploy, validate and local invoke work without options."""
    for command in ("build", "deploy", "validate", "local_invoke"):
        assert environment[command]["parameters"], command
    assert environment["global"]["parameters"]["stack_name"]


def test_each_environment_is_a_stack_of_its_own(samconfig):
    """Development can touch nothing of production's: neither stack nor metrics."""
    environments = [samconfig[name] for name in ("default", "small", "prod")]
    stacks = {one["global"]["parameters"]["stack_name"] for one in environments}
    namespaces = {one["deploy"]["parameters"]["parameter_overrides"]["MetricsNamespace"] for one in environments}
    assert len(stacks) == len(namespaces) == len(environments)


def test_the_small_stack_is_the_one_whose_cost_is_shown(samconfig):
    """What benchmarks.cost calculates for it is what it is set to."""
    parameters = samconfig["small"]["deploy"]["parameters"]["parameter_overrides"]
    assert parameters["Schedule"] == f"{cost.SMALL.visit_minutes:g}-minutes"
    assert parameters["ConsumerMemoryMegabytes"] == 1024 * cost.SMALL_CONSUMER_GB
    assert (parameters["StopWhenCaughtUp"], parameters["Watching"]) == ("true", "lean")
    assert (parameters["LatestStateTable"], parameters["ShardCount"]) == ("off", 1)
    assert "PageAccess" not in parameters  # off by default


def test_production_is_the_one_whose_cost_is_shown(samconfig, template):
    """Set as `ops plan` would for the world, with the cost table's shards, and without what is optional in it."""
    set_here = samconfig["prod"]["deploy"]["parameters"]["parameter_overrides"]
    values = {name: str(set_here.get(name, one["Default"])) for name, one in template["Parameters"].items()}
    world = cost.SIZES[-1]
    planned = plan(Load(world.updates, cost.UPDATE_BYTES, world.aircraft, "given"), Wishes()).settings
    assert {name: values[name] for name in planned if name in values} == {
        name: str(value) for name, value in planned.items() if name in values
    }
    assert set_here["ShardCount"] == cost.shards_for(world.updates, cost.enveloped(world.updates))
    assert (set_here["LatestStateTable"], set_here["FlightsInParts"]) == ("off", "off")


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
    """CAPABILITY_IAM suffices: no role has its own name that could clash."""
    assert environment["deploy"]["parameters"]["capabilities"] == "CAPABILITY_IAM"
    assert not [name for name, role in of_type("AWS::IAM::Role").items() if "RoleName" in role]
