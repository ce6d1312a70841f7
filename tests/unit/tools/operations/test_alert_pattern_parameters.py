"""Alert patterns in samconfig.toml: what Lambda or the consumer would refuse is said before a deployment."""

from __future__ import annotations

import json

import pytest

from tools.operations import parameters


@pytest.fixture(scope="module")
def declared():
    """The parameters of the project's own template."""
    return parameters.read_declared(parameters.ROOT / "template.yaml")


@pytest.fixture
def problems(declared):
    """What is said of a table of parameters."""

    def of(**overrides):
        config = {"version": 0.1, "dev": {"deploy": {"parameters": {"parameter_overrides": overrides}}}}
        return list(parameters.problems(config, declared))

    return of


def of_data(pattern):
    """A pattern as samconfig.toml holds it."""
    return json.dumps({"data": pattern})


@pytest.mark.parametrize("record_format", ["single", "envelope"])
@pytest.mark.parametrize(
    "pattern", ["", of_data({"squawk": ["7700"]}), of_data({"speed": [{"numeric": [">", 600]}], "on_ground": [False]})]
)
def test_patterns_that_work_pass(problems, record_format, pattern):
    """In either record format, and none at all."""
    assert problems(RecordFormat=record_format, AlertPattern3=pattern) == []


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ('{"data":{"squawk":"7700"}}', 'data.squawk: is "7700"; expected an array'),
        ('{"data":{"speed":[{"numeric":[">",600,"<",500]}]}}', "expected the lower bound below the higher one"),
        ('{"data":{"$or":[{"squawk":["7700"]}]}}', "expected at least two"),
        ('{"data":{"squawk":["7700"],}}', "not JSON"),
        ('{"data":{"squawk":["7700"]}} {"data":{"squawk":["7600"]}}', "write one pattern a parameter"),
    ],
)
def test_what_lambda_refuses_is_named(problems, pattern, said):
    """The section, the parameter and the part of the pattern."""
    (problem,) = problems(AlertPattern3=pattern)
    assert problem.startswith("[dev.deploy.parameters.parameter_overrides] AlertPattern3: ")
    assert said in problem


@pytest.mark.parametrize(
    "fields",
    [
        {"airline_name": ["Delta"]},
        {"speed": [{"numeric": [">", 500, "<", 600]}]},
        {"squawk": [{"exists": False}]},
    ],
)
def test_what_envelopes_cannot_be_filtered_by_is_named(problems, fields):
    """The consumer would refuse to start; with one record an update it is a pattern as any other."""
    assert problems(RecordFormat="single", AlertPattern2=of_data(fields)) == []
    (problem,) = problems(RecordFormat="envelope", AlertPattern2=of_data(fields))
    assert "AlertPattern2: with RecordFormat=envelope it misses updates" in problem
    assert next(iter(fields)) in problem


def test_a_default_counts_where_nothing_else_is_written(problems):
    """RecordFormat and the patterns that are not in the table are the template's."""
    assert problems(RecordFormat="envelope") == []
    assert len(problems(AlertPattern2="", AlertPattern1='{"data":{}}')) == 1


def test_patterns_too_long_for_the_environment_are_refused(problems):
    """Each is short enough for Lambda's filter, and all together are not for a function's variables."""
    long = of_data({"callsign": [f"CALL{number}" for number in range(150)]})
    (problem,) = problems(AlertPattern3=long, AlertPattern4=long, AlertPattern5=long)
    assert "AlertPattern1 to AlertPattern5: have " in problem


def test_a_value_that_is_no_text_is_reported_once(problems):
    """A pattern written as TOML's own table is refused as any other table is."""
    (problem,) = problems(AlertPattern1={"data": {}})
    assert "AlertPattern1: is a dict; expected a text" in problem
