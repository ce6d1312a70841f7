"""What CloudFormation makes before what: the consumer starts when everything else is there."""

from __future__ import annotations

import re

import pytest

from local.aws.template import translate

LAST = {"ConsumerSchedule", "ConsumerSchedulePermission"}


def references(value):
    """The logical ids that a piece of a template refers to, in any of CloudFormation's ways."""
    if isinstance(value, list):
        for each in value:
            yield from references(each)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key == "Ref":
                yield inner
            elif key == "Fn::GetAtt":
                yield (inner if isinstance(inner, str) else inner[0]).partition(".")[0]
            elif key == "DependsOn":
                yield from [inner] if isinstance(inner, str) else inner
            elif key == "Fn::Sub":
                text, variables = (inner, {}) if isinstance(inner, str) else inner
                yield from re.findall(r"\$\{(\w+)[.}]", text)
                yield from references(variables)
            else:
                yield from references(inner)


@pytest.fixture(scope="module")
def made_before(repository):
    """Every resource that is made before a given one, by its references and theirs, in the translated template."""
    resources = translate(repository / "template.yaml")["Resources"]
    direct = {name: set(references(resource)) & resources.keys() for name, resource in resources.items()}

    def closure(name):
        found, waiting = set(), [name]
        while waiting:
            new = direct[waiting.pop()] - found
            found |= new
            waiting += new
        return found

    return resources.keys(), closure


def test_the_first_tick_comes_when_all_else_is_there(made_before):
    """The raw archive reads from the first record on, and a creation that fails has written nothing that keeps it."""
    resources, closure = made_before
    assert closure("ConsumerSchedule") == resources - LAST
    assert closure("ConsumerSchedulePermission") == resources - {"ConsumerSchedulePermission"}


def test_nothing_waits_for_the_schedule(made_before):
    """What came after it could fail after the first tick."""
    resources, closure = made_before
    assert [name for name in resources - LAST if closure(name) & LAST] == []


@pytest.mark.parametrize("conditional", ["OperationsEmail", "ConsumerApiTokenKeyPolicy"])
def test_what_a_condition_leaves_out_may_be_waited_for(made_before, conditional):
    """CloudFormation ignores a dependency whose condition is false; where it is true, it comes first."""
    assert conditional in made_before[1]("ConsumerSchedule")
