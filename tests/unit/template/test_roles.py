"""Roles: each function may do what it does, to the resources it does it to, and nothing else."""

from __future__ import annotations

import json
import re

import pytest


def statements(role):
    """All statements of a role's policies, those included that a parameter has to ask for."""
    return [
        each["Fn::If"][1] if "Fn::If" in each else each
        for policy in role["Policies"]
        for each in policy["PolicyDocument"]["Statement"]
    ]


def as_list(value):
    """The value, in a list if it is none."""
    return value if isinstance(value, list) else [value]


def named(resource):
    """The logical ids a policy's resource is made of."""
    text = json.dumps(resource)
    return set(
        re.findall(r'"Ref": "(\w+)"', text) + re.findall(r"\$\{(\w+)", text) + re.findall(r'GetAtt": \["(\w+)"', text)
    )


@pytest.fixture
def roles(of_type):
    """All roles, by logical id."""
    return of_type("AWS::IAM::Role")


def test_no_statement_names_a_wildcard_resource_or_action(roles):
    """No role may act on everything, and none may take every action of a service."""
    for name, role in roles.items():
        for statement in statements(role):
            for resource in as_list(statement["Resource"]):
                text = resource if isinstance(resource, str) else next(iter(resource.values()))
                assert not str(text).startswith("*"), (name, statement["Sid"])
                assert not re.search(r":\*|\}\*$", str(text)), (name, statement["Sid"])
            assert not [action for action in as_list(statement["Action"]) if "*" in action], (name, statement["Sid"])


def test_every_statement_names_a_resource_of_this_stack(roles, template):
    """What a role may touch is made, or given as a parameter, by this template."""
    ours = template["Resources"].keys() | template["Parameters"].keys() | template["Conditions"].keys()
    for name, role in roles.items():
        for statement in statements(role):
            for resource in as_list(statement["Resource"]):
                assert named(resource), (name, statement["Sid"])
                assert named(resource) <= ours, (name, statement["Sid"])


def test_every_role_takes_the_boundary(roles):
    """In an account where no role may be made without one, the stack can be deployed."""
    bounded = {"Fn::If": ["HasPermissionsBoundary", {"Ref": "PermissionsBoundaryArn"}, {"Ref": "AWS::NoValue"}]}
    assert {name: role.get("PermissionsBoundary") for name, role in roles.items()} == dict.fromkeys(roles, bounded)


def test_no_managed_policies(roles):
    """AWS's carry wildcards, so every permission is written out; the runtime's is ours, by parameter."""
    ours = [{"Fn::If": ["NeedsRuntimePolicy", {"Ref": "RuntimePolicy"}, {"Ref": "AWS::NoValue"}]}]
    attached = [role["ManagedPolicyArns"] for role in roles.values() if "ManagedPolicyArns" in role]
    assert attached == [ours] * 6


def test_every_function_has_a_role_of_its_own(resources, of_type):
    """No two functions share a role, and none has SAM write it policies."""
    used = [function["Role"]["Fn::GetAtt"] for function in of_type("AWS::Serverless::Function").values()]
    used = [each if isinstance(each, str) else each[0] for each in used]
    assert len({each.split(".")[0] for each in used}) == len(used) == 6
    assert all(resources[each.split(".")[0]]["Type"] == "AWS::IAM::Role" for each in used)
    assert not [name for name, each in of_type("AWS::Serverless::Function").items() if "Policies" in each]


def test_a_function_logs_into_its_own_group_alone(function, resources):
    """The role's log permission names the group the function logs to."""
    role = function["Role"]["Fn::GetAtt"]
    role = (role if isinstance(role, str) else role[0]).split(".")[0]
    [log] = [each for each in statements(resources[role]["Properties"]) if each["Sid"] == "Log"]
    assert named(log["Resource"]) == {function["LoggingConfig"]["LogGroup"]["Ref"]}


def actions_on(role, logical_id):
    """What a role may do to one resource, with the part of the resource it may do it to."""
    return sorted(
        f"{action} {suffix(resource)}".strip()
        for statement in statements(role)
        for resource in as_list(statement["Resource"])
        if logical_id in named(resource)
        for action in as_list(statement["Action"])
    )


def suffix(resource):
    """What follows the resource's ARN: a key or a prefix."""
    text = resource.get("Fn::Sub", "") if isinstance(resource, dict) else resource
    return text.partition("}")[2] if isinstance(text, str) else ""


def test_the_consumer_touches_three_keys_of_its_bucket(roles):
    """Checkpoint, rejected lines, the sample client's token; and it can tell absent from forbidden."""
    assert actions_on(roles["ConsumerRole"], "StateBucket") == [
        "s3:GetObject /checkpoint.json",
        "s3:GetObject /last_position_token",
        "s3:ListBucket",
        "s3:PutObject /checkpoint.json",
        "s3:PutObject /rejected/*",
    ]


def test_the_consumer_may_write_its_status_and_no_other_data(roles):
    """One object, which it writes without looking."""
    assert actions_on(roles["ConsumerRole"], "DataBucket") == ["s3:PutObject /live/status.json"]


def test_a_missing_checkpoint_is_404_and_not_403(roles):
    """ListBucket carries no condition: s3:prefix is absent when an object is got, and S3 would answer 403 again."""
    [statement] = [each for each in statements(roles["ConsumerRole"]) if "s3:ListBucket" in as_list(each["Action"])]
    assert "Condition" not in statement


def test_the_consumer_may_put_records_and_list_the_shards_it_groups_by(roles):
    """Neither reads nor settings of the stream are the consumer's business."""
    assert actions_on(roles["ConsumerRole"], "UpdatesStream") == ["kinesis:ListShards", "kinesis:PutRecords"]


def test_only_who_writes_envelopes_may_list_shards(roles, template):
    """A single record goes where Kinesis puts it: whoever writes those has no business with shards."""
    [policy] = roles["ConsumerRole"]["Policies"]
    conditional = [each["Fn::If"] for each in policy["PolicyDocument"]["Statement"] if "Fn::If" in each]
    [(condition, granted, otherwise)] = [each for each in conditional if each[1]["Sid"] == "GroupByShard"]
    assert template["Conditions"][condition] == {"Fn::Equals": [{"Ref": "RecordFormat"}, "envelope"]}
    assert granted["Action"] == "kinesis:ListShards"
    assert otherwise == {"Ref": "AWS::NoValue"}


@pytest.mark.parametrize("role", ["AggregatorRole", "AlertsRole"])
def test_stream_functions_may_poll_and_keep_what_failed(roles, role):
    """Lambda's poller reads the stream and writes on-failure objects in the function's name."""
    assert actions_on(roles[role], "UpdatesStream") == [
        "kinesis:DescribeStream",
        "kinesis:DescribeStreamSummary",
        "kinesis:GetRecords",
        "kinesis:GetShardIterator",
        "kinesis:ListShards",
    ]
    assert actions_on(roles[role], "FailuresBucket") == ["s3:ListBucket", "s3:PutObject /aws/lambda/*"]


def test_only_the_consumer_reads_the_token(roles):
    """The secret's value is for one role."""
    readers = [
        name
        for name, role in roles.items()
        if any(action.startswith("secretsmanager:") for each in statements(role) for action in as_list(each["Action"]))
    ]
    assert readers == ["ConsumerRole"]


def test_each_role_trusts_one_service(roles):
    """A role is taken by a service that works for the stack, never by people or by other accounts."""
    for role in roles.values():
        [statement] = role["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Principal"]["Service"] in {
            f"{name}.amazonaws.com" for name in ("lambda", "firehose", "pipes", "states", "events")
        }
        assert statement["Action"] == "sts:AssumeRole"


def test_the_aggregator_writes_live_objects_and_nothing_else_of_the_bucket(roles):
    """It reads and writes under `live/` alone; rows come there by Firehose."""
    assert actions_on(roles["AggregatorRole"], "DataBucket") == [
        "s3:GetObject /live/*",
        "s3:ListBucket",
        "s3:PutObject /live/*",
    ]


def test_the_alerts_function_writes_its_log_and_the_newest(roles):
    """It reads nothing of the log, nor anything else that is live."""
    assert actions_on(roles["AlertsRole"], "DataBucket") == [
        "s3:GetObject /live/alerts.json",
        "s3:PutObject /alerts/*",
        "s3:PutObject /live/alerts.json",
    ]


def test_the_api_only_reads(roles):
    """Live objects, window rows and alerts; the raw archive is not its business."""
    assert actions_on(roles["ApiRole"], "DataBucket") == [
        "s3:GetObject /alerts/*",
        "s3:GetObject /flights/*",
        "s3:GetObject /live/*",
        "s3:GetObject /windows/*",
        "s3:ListBucket",
    ]
