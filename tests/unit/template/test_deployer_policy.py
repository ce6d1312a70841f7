"""The deployer's policy of docs/deploy.md: what CloudFormation needs for the template's resources, and no data."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase
from importlib.resources import files

import pytest

from local.aws.template import translate

MANAGED_POLICY = 6_144
"""Characters without blanks (IAM quotas)."""

NOT_NEEDED = {
    "what is in the stack's stores": "dynamodb:*Item dynamodb:Query dynamodb:Scan kinesis:PutRecords logs:PutLogEvents "
    "s3:*Multipart* s3:PutObjectAcl s3:GetObjectMetadata s3:REST.PUT.OBJECT",
    "with KmsKeyArn alone (docs/key.md)": "kms:CreateGrant kms:Decrypt kms:Encrypt kms:GenerateDataKey kms:RevokeGrant",
    "of users and groups, which a managed policy could be for": "iam:*GroupPolicy iam:*UserPolicy",
    "takes the bound off a role": "iam:DeleteRolePermissionsBoundary",
    "what the template does not use": "s3tables:* s3:*Metadata* lakeformation:* glue:*Connection glue:GetSchemaVersion "
    "cloudfront:*ConnectionGroup cloudfront:GetVpcOrigin dynamodb:*ResourcePolicy dynamodb:Update*Backups "
    "dynamodb:UpdateContributorInsights dynamodb:*KinesisStreamingDestination kinesis:*Monitoring "
    "kinesis:UpdateMaxRecordSize elasticfilesystem:* s3files:* lambda:AssociateRuntimeAlias "
    "lambda:PassCapacityProvider "
    "lambda:PublishVersion lambda:PutRuntimeManagementConfig logs:*LogDeliver* logs:*DataProtectionPolicy "
    "logs:*IndexPolicy logs:*ResourcePolic* logs:PutBearerTokenAuthentication sns:PutDataProtectionPolicy "
    "secretsmanager:R*Re* secretsmanager:GetRandomPassword ec2:DescribeNetworkInterfaces",
}
"""Actions that a type's schema names and the deployer does without, by the reason."""


@pytest.fixture(scope="module")
def policy(repository):
    """The policy."""
    return json.loads((repository / "docs/deployer-policy.json").read_text())


@pytest.fixture(scope="module")
def handlers(repository):
    """What CloudFormation's own schemas say of how each of the template's types is made, read, changed and deleted."""
    schemas = files("cfnlint") / "data" / "schemas"
    hashes = json.loads((schemas / "providers" / "us-east-1.json").read_text())
    kinds = {one["Type"] for one in translate(repository / "template.yaml")["Resources"].values()}
    found = {
        kind: json.loads((schemas / "resources" / f"{hashes[kind]}.json").read_text()).get("handlers", {})
        for kind in kinds
    }
    assert len(found) > 30
    return found


@pytest.fixture(scope="module")
def needed(handlers):
    """The actions that the schemas name, by type."""
    return {
        kind: {
            action
            for step in ("create", "read", "update", "delete")
            for action in steps.get(step, {}).get("permissions", [])
        }
        for kind, steps in handlers.items()
    }


def matches(action, patterns):
    """Whether one of the patterns covers an action; IAM tells no case apart."""
    return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)


def allows(policy, action, resource):
    """Whether a statement allows an action on a resource, whatever its conditions are."""
    return any(
        matches(action, one["Action"]) and matches(resource, one["Resource"])
        for one in policy["Statement"]
        if one["Effect"] == "Allow"
    )


def test_it_lets_cloudformation_do_all_that_the_template_needs(policy, needed):
    """By the schemas of the resource types; what is left out has a reason."""
    allowed = [action for one in policy["Statement"] if one["Effect"] == "Allow" for action in one["Action"]]
    spared = " ".join(NOT_NEEDED.values()).split()
    missing = {
        f"{kind}: {action}"
        for kind, actions in needed.items()
        for action in actions
        if not matches(action, allowed) and not matches(action, spared)
    }
    assert missing == set()


@pytest.mark.parametrize(
    "action",
    [
        "kinesis:GetRecords",
        "kinesis:PutRecords",
        "dynamodb:Scan",
        "lambda:InvokeFunction",
        "sns:Publish",
        "logs:GetLogEvents",
    ],
)
def test_it_reads_and_writes_no_data(policy, action):
    """Denied outright, whatever the allowed patterns cover."""
    [denied] = [one for one in policy["Statement"] if one["Sid"] == "NoData"]
    assert (denied["Effect"], denied["Resource"]) == ("Deny", ["*"])
    assert matches(action, denied["Action"])


def test_buckets_and_the_token_are_out_of_reach(policy):
    """No object but SAM's own; the API token's value never."""
    for one in policy["Statement"]:
        if matches("s3:GetObject", one["Action"]) and one["Effect"] == "Allow":
            assert one["Resource"] == ["arn:aws:s3:::aws-sam-cli-managed-default-*"]
    [token] = [one for one in policy["Statement"] if one["Sid"] == "NoToken"]
    assert matches("secretsmanager:GetSecretValue", token["Action"])
    assert token["Resource"] == ["arn:aws:secretsmanager:REGION:ACCOUNT:secret:ApiTokenSecret-*"]


def test_a_role_is_made_within_the_boundary_or_not_at_all(policy):
    """Whoever can write a role's policy can do what the role can: it is the boundary that bounds it."""
    for one in policy["Statement"]:
        for action in ("iam:CreateRole", "iam:PutRolePolicy", "iam:AttachRolePolicy"):
            if matches(action, one["Action"]):
                assert "iam:PermissionsBoundary" in one["Condition"]["StringEquals"], one["Sid"]
        if any(action.startswith("iam:") for action in one["Action"]):
            assert all("ACCOUNT:role/" in arn or "ACCOUNT:policy/STACK-" in arn for arn in one["Resource"])


@pytest.mark.parametrize(
    "action", ["kms:DisableKey", "kms:DisableKeyRotation", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion"]
)
def test_no_key_but_the_stacks_own_can_be_spoilt(policy, resources, action):
    """By the tag that the template gives it, which nobody can put on another key but through CloudFormation."""
    [tag] = resources["OperationsKey"]["Properties"]["Tags"]
    assert tag == {"Key": "stack", "Value": {"Ref": "AWS::StackName"}}
    is_its_own = {f"aws:ResourceTag/{tag['Key']}": "STACK"}
    is_made = {f"aws:RequestTag/{tag['Key']}": "STACK", "aws:CalledViaFirst": "cloudformation.amazonaws.com"}

    def conditions(action):
        statements = [one for one in policy["Statement"] if matches(action, one["Action"])]
        return [one["Condition"]["StringEquals"] for one in statements]

    assert conditions(action) == [is_its_own]
    assert conditions("kms:TagResource") == [is_made, is_its_own]
    assert not [one for one in policy["Statement"] if matches("kms:CreateGrant", one["Action"])]


def test_only_the_stacks_own_functions_get_mappings(policy):
    """A mapping has no name of the stack's, but its function has; its tags are set by its ARN."""
    [mapping] = [one for one in policy["Statement"] if matches("lambda:DeleteEventSourceMapping", one["Action"])]
    assert mapping["Condition"] == {"ArnLike": {"lambda:FunctionArn": "arn:aws:lambda:REGION:ACCOUNT:function:STACK-*"}}
    assert allows(policy, "lambda:TagResource", "arn:aws:lambda:REGION:ACCOUNT:event-source-mapping:4f0d")


def test_a_mapping_is_looked_at_until_it_is_gone(policy):
    """CloudFormation deletes one and asks until it is not found: what is gone has no function to go by."""
    [reading] = [one for one in policy["Statement"] if matches("lambda:GetEventSourceMapping", one["Action"])]
    assert (reading["Resource"], reading.get("Condition")) == (["*"], None)


def test_layers_of_awss_own_account_can_be_taken(policy):
    """Lambda Insights is in another account in every region."""
    layer = "arn:aws:lambda:REGION:580247275435:layer:LambdaInsightsExtension-Arm64:20"
    assert allows(policy, "lambda:GetLayerVersion", layer)
    assert not allows(policy, "lambda:GetLayerVersion", layer.replace("LambdaInsights", "Other"))


def test_each_role_can_be_handed_to_its_service(policy, of_type):
    """A service that the template has a role for and the list has not would refuse the role at the first deployment."""
    [passing] = [one for one in policy["Statement"] if "iam:PassRole" in one["Action"]]
    services = {
        statement["Principal"]["Service"]
        for role in of_type("AWS::IAM::Role").values()
        for statement in role["AssumeRolePolicyDocument"]["Statement"]
    }
    assert set(passing["Condition"]["StringEquals"]["iam:PassedToService"]) == services


def test_it_fits_into_one_managed_policy(repository):
    """Names of usual length in the place of the four words."""
    text = (repository / "docs/deployer-policy.json").read_text()
    for word, name in {
        "REGION": "ap-southeast-2",
        "ACCOUNT": "1" * 12,
        "STACK": "s" * 30,
        "BOUNDARY": "b" * 40,
    }.items():
        text = text.replace(word, name)
    assert len(re.sub(r"\s", "", text)) < MANAGED_POLICY


def test_the_page_names_what_repair_cannot_compare(handlers, repository):
    """A drift-aware change set reads each resource; a type without a way to be read is skipped."""
    [named] = re.findall(
        r"types that CloudFormation cannot read \(([^)]+)\)", (repository / "docs/operations/README.md").read_text()
    )
    assert set(re.findall(r"`([\w:]+)`", named)) == {kind for kind, steps in handlers.items() if "read" not in steps}
