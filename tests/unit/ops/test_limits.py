"""AWS's limits: the page that lists them, and templates that are held against them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops import limits
from ops.command_line import main
from ops.template import DeployedTemplate

MAPPING = "AWS::Lambda::EventSourceMapping"


def test_the_page_lists_them(repository):
    """Made of them, with the day on which they were read."""
    text = (repository / "docs/limits.md").read_text()
    assert "\n".join(limits.page()) in text
    assert limits.READ_ON in text


@pytest.mark.parametrize(
    ("properties", "said"),
    [
        ({"BatchSize": 10_001}, "BatchSize is 10,001; records in a batch: 1 to 10,000 records"),
        ({"BatchSize": {"Ref": "Size"}}, "BatchSize is 20,000"),
        ({"TumblingWindowInSeconds": 60, "ParallelizationFactor": "2"}, "ParallelizationFactor is 2 with a tumbling"),
        ({"FilterCriteria": {"Filters": [{}] * 6}}, "FilterCriteria is 6"),
    ],
)
def test_what_aws_would_refuse_is_said(properties, said):
    """With the limit and its source."""
    template = DeployedTemplate({"Mine": {"Type": MAPPING, "Properties": properties}}, {"Size": "20000"}, {})
    [problem] = limits.exceeded(template)
    assert problem.startswith(f"Mine: {said}")


def test_the_template_is_within_them(repository, capsys):
    """With its defaults, and by the command."""
    assert main(["plan", "--check", str(repository / "template.yaml")]) == 0
    assert "within AWS's limits" in capsys.readouterr().out


def test_a_template_that_is_not_there(capsys):
    """It is named."""
    assert main(["plan", "--check", str(Path("nowhere.yaml"))]) == 2
    assert "nowhere.yaml: cannot be read" in capsys.readouterr().err
