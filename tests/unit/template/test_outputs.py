"""The outputs: where people find things, in every partition of AWS."""

from __future__ import annotations

import pytest

CONSOLES = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
    "aws-eusc": "console.amazonaws-eusc.eu",
}


def resolved(value, conditions):
    """A value after its `Fn::If`, however nested."""
    while isinstance(value, dict) and "Fn::If" in value:
        name, true, false = value["Fn::If"]
        value = true if conditions[name] else false
    return value


@pytest.mark.parametrize("partition", CONSOLES)
def test_the_dashboard_is_where_the_partition_has_its_console(template, partition):
    """China, GovCloud and the European Sovereign Cloud have consoles of their own."""
    conditions = {
        name: condition["Fn::Equals"][1] == partition
        for name, condition in template["Conditions"].items()
        if condition.get("Fn::Equals", [None])[0] == {"Ref": "AWS::Partition"}
    }
    address, variables = template["Outputs"]["DashboardAddress"]["Value"]["Fn::Sub"]
    assert address == "https://${Console}/cloudwatch/home?region=${AWS::Region}#dashboards/dashboard/${Dashboard}"
    assert resolved(variables["Console"], conditions) == CONSOLES[partition]


def test_the_token_is_set_by_one_short_command(template):
    """Short enough for SAM's table of outputs, and free of quotes that a shell could read in its own way."""
    command = template["Outputs"]["SetTokenCommand"]["Value"]["Fn::Sub"]
    assert command == "pipenv run set-token ${AWS::StackName} --region ${AWS::Region}"


def test_the_secret_in_use_is_an_output(template):
    """The one that was given, or the one that was made: set-token stores the token there."""
    assert template["Outputs"]["ApiTokenSecretInUse"]["Value"] == {
        "Fn::If": ["CreatesApiTokenSecret", {"Ref": "ApiTokenSecret"}, {"Ref": "ApiTokenSecretArn"}]
    }


def test_no_arn_names_a_partition(repository):
    """An ARN that begins with arn:aws: is of no use in China or GovCloud."""
    assert "arn:aws:" not in (repository / "template.yaml").read_text()
