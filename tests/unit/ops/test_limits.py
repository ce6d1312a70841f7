"""AWS's limits, and what else it does: the page that lists them, who relies on them, templates held against them."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]

from ops import facts, limits
from ops.command_line import main
from ops.plan.check import exceeded
from ops.template import DeployedTemplate

MAPPING = "AWS::Lambda::EventSourceMapping"


def test_the_page_lists_them(repository):
    """Made of them, with the day on which they were read."""
    text = (repository / "docs/limits.md").read_text()
    assert "\n".join(limits.page()) in text
    assert "\n".join(facts.page()) in text
    assert limits.READ_ON in text


def found(user):
    """A module, or a constant in one."""
    try:
        return importlib.import_module(user)
    except ModuleNotFoundError:
        module, _, name = user.rpartition(".")
        return getattr(importlib.import_module(module), name)


@pytest.fixture(scope="module")
def declared(repository):
    """The template's resources and parameters."""
    template = yaml_parse((repository / "template.yaml").read_text())
    return template["Resources"].keys() | template["Parameters"].keys()


@pytest.mark.parametrize("one", [*limits.LIMITS, *facts.FACTS], ids=lambda one: one.what)
def test_whoever_relies_on_it_is_there(declared, one):
    """The modules, the constants, which keep to the limit, the template's resources and parameters."""
    assert one.used_by
    assert one.source
    for user in one.used_by:
        if "." not in user:
            assert user in declared, user
        elif isinstance(value := found(user), int | float):
            assert one.takes(value), f"{user} is {value}"


CITES = re.compile(r"API reference|developer guide|user guide|\bquotas\b", re.IGNORECASE)


def test_whatever_module_cites_aws_is_named(repository):
    """Every constant of a module `limits`, and every module that says where in AWS's pages a figure is from."""
    users = {user for one in (*limits.LIMITS, *facts.FACTS) for user in one.used_by}
    missing = []
    for room in ("src", "ops", "tools"):
        for path in (repository / room).rglob("*.py"):
            name = ".".join(path.relative_to(repository / "src" if room == "src" else repository).with_suffix("").parts)
            text = path.read_text()
            if name in {"ops.limits", "ops.facts"} or not (path.stem == "limits" or CITES.search(text)):
                continue
            named = {user for user in users if user == name or user.startswith(f"{name}.")}
            constants = re.findall(r"^([A-Z_]+) =", text, re.MULTILINE) if path.stem == "limits" else []
            missing += [name] if not named else [one for one in constants if f"{name}.{one}" not in users]
    assert missing == []


@pytest.mark.parametrize(
    ("properties", "said"),
    [
        ({"BatchSize": 10_001}, "BatchSize is 10,001; records in a batch: 1 to 10,000 records"),
        ({"BatchSize": {"Ref": "Size"}}, "BatchSize is 20,000"),
        ({"TumblingWindowInSeconds": 60, "ParallelizationFactor": "2"}, "ParallelizationFactor is 2 with a tumbling"),
        ({"FilterCriteria": {"Filters": [{}] * 6}}, "FilterCriteria is 6"),
        ({"MaximumRecordAgeInSeconds": 30}, "MaximumRecordAgeInSeconds is 30"),
    ],
)
def test_what_aws_would_refuse_is_said(properties, said):
    """With the limit and its source."""
    template = DeployedTemplate({"Mine": {"Type": MAPPING, "Properties": properties}}, {"Size": "20000"}, {})
    [problem] = exceeded(template)
    assert problem.startswith(f"Mine: {said}")


def test_the_template_is_within_them(repository, capsys):
    """With its defaults, and by the command."""
    assert main(["plan", "--check", str(repository / "template.yaml")]) == 0
    assert "within AWS's limits" in capsys.readouterr().out


def test_a_template_that_is_not_there(capsys):
    """It is named."""
    assert main(["plan", "--check", str(Path("nowhere.yaml"))]) == 2
    assert "nowhere.yaml: cannot be read" in capsys.readouterr().err
