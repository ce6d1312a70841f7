"""What `ops doctor` says of a stack that was changed by hand: each with what brings it back."""

from __future__ import annotations

import json
import re

import boto3
import pytest

from ops.checks import Checks
from ops.finding import REPAIR, gather, is_well
from ops.stack import Stack
from ops.template import DeployedTemplate

POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "*"}],
}
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole"}]})
ROLE = {"Type": "AWS::IAM::Role", "Properties": {"Policies": [{"PolicyName": "own", "PolicyDocument": POLICY}]}}


@pytest.fixture
def checked(aws):  # noqa: ARG001 - it sends boto3 to moto
    """A function that makes one check of a stack with these resources, and of a template with those."""

    def check(part, made, resources=None, parameters=None):
        stack = Stack("s", {"StateBucket": "state", **made}, boto3.client)
        checks = Checks(stack, DeployedTemplate(resources or {}, parameters or {}, {})).all()
        return gather([one for one in checks if one[0] in {part, "clock"}])[0]

    boto3.client("s3").create_bucket(Bucket="state")
    return check


def test_a_secret_that_is_deleted_fails_every_run(checked):
    """It has its value until its time is over, and gives it to nobody."""
    secrets = boto3.client("secretsmanager")
    arn = secrets.create_secret(Name="token", SecretString="t")["ARN"]
    assert checked("token", {"ApiTokenSecret": arn}).state == "ok"
    secrets.delete_secret(SecretId=arn, RecoveryWindowInDays=7)
    finding = checked("token", {"ApiTokenSecret": arn})
    assert (finding.state, finding.do) == (
        "attention",
        f"restore it: `aws secretsmanager restore-secret --secret-id {arn}`",
    )
    assert re.fullmatch(r"deleted on \d{4}-\d\d-\d\d: every run fails", finding.text)


@pytest.mark.parametrize(
    ("part", "made"),
    [
        ("token", {"ApiTokenSecret": "arn:aws:secretsmanager:us-east-1:123456789012:secret:gone"}),
        ("schedule", {"ConsumerSchedule": "gone", "ConsumerFunction": "gone"}),
        ("permissions", {"Role": "gone"}),
        ("retention", {"UpdatesStream": "gone"}),
        ("subscriptions", {"OperationsTopic": "arn:aws:sns:us-east-1:123456789012:gone"}),
        ("clock", {"StateBucket": "gone"}),
    ],
)
def test_what_is_gone_needs_attention(checked, part, made):
    """By each service's own word for it; a stack without its roles or its stream is not well."""
    finding = checked(part, made, {"Role": ROLE, "UpdatesStream": {"Type": "AWS::Kinesis::Stream", "Properties": {}}})
    assert (finding.part, finding.state, finding.do) == (part, "attention", f"deleted by hand: {REPAIR}")
    assert finding.text.startswith("gone: An error occurred (")
    assert not is_well([finding])


@pytest.mark.parametrize(
    ("part", "parameter", "arn"),
    [
        ("token", "ApiTokenSecretArn", "arn:aws:secretsmanager:us-east-1:123456789012:secret:gone"),
        ("key", "KmsKeyArn", "arn:aws:kms:us-east-1:123456789012:key/3f1c0b52-7b0c-4c44-9c1f-0d7c5d1c8d11"),
    ],
)
def test_what_is_gone_and_not_the_stacks_own_is_not_put_back(checked, part, parameter, arn):
    """A secret or a key of the user's: the stack knows no more of it than its name."""
    finding = checked(part, {}, parameters={parameter: arn})
    assert (finding.part, finding.state) == (part, "attention")
    assert finding.text.startswith(f"{arn} is gone")
    assert parameter in finding.do
    assert "repair" not in finding.do


@pytest.mark.parametrize(
    ("has", "state", "text"),
    [
        (["s3:GetObject", "s3:PutObject"], "ok", "1 roles have what the template gives them"),
        (["s3:GetObject"], "attention", "Role lacks s3:PutObject"),
    ],
)
def test_roles_are_compared_with_the_template(checked, has, state, text):
    """Those that were made: of a condition that is false, as without a webhook, the template has one more."""
    iam = boto3.client("iam")
    iam.create_role(RoleName="role", AssumeRolePolicyDocument=TRUST)
    document = POLICY | {"Statement": [{"Effect": "Allow", "Action": has, "Resource": "*"}]}
    iam.put_role_policy(RoleName="role", PolicyName="own", PolicyDocument=json.dumps(document))
    finding = checked("permissions", {"Role": "role"}, {"Role": ROLE, "AlertWebhookRole": ROLE | {"Condition": "No"}})
    assert (finding.state, finding.text) == (state, text)


def test_nobody_is_sent_to_a_deployment_that_changes_nothing(repository):
    """CloudFormation compares with the template before: for what was changed by hand it finds no change."""
    for path in [*(repository / "docs/operations").glob("*.md"), *(repository / "ops").rglob("*.py")]:
        said = re.findall(
            r"(.{20})(?:deploy(?: the stack)? again|sam deploy`\s+restores)", path.read_text(), re.IGNORECASE
        )
        assert [one for one in said if not one.endswith("Mend it and ")] == [], path.name
