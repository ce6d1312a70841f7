"""Authorisation: a call passes if the caller's role allows its action on its resource, and not otherwise."""

from __future__ import annotations

import json

import boto3
import pytest
from botocore.exceptions import ClientError

from local.faults.aws.authorisation import Authoriser, PolicyError
from local.faults.aws.permissions import Permission
from local.faults.aws.proxy import AwsProxy

KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def allow(action, resource, **more):
    """A statement."""
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


@pytest.fixture
def role(aws):
    """Make a role with a policy of these statements; gives an authoriser for the caller `ConsumerFunction`."""
    iam = boto3.client("iam", endpoint_url=aws)

    def make(*statements, name="consumer", key=""):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}")
        iam.put_role_policy(
            RoleName=name,
            PolicyName="own",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": list(statements)}),
        )
        return Authoriser(iam, {"ConsumerFunction": f"arn:aws:iam::123456789012:role/{name}"}, key)

    yield make
    iam.close()


@pytest.fixture
def authorised(aws, client, role):
    """Make a client whose calls are authorised by these statements."""
    running = []

    def make(service, *statements, caller="ConsumerFunction"):
        running.append(AwsProxy(aws, authoriser=role(*statements)))
        running[-1].start()
        return client(service, caller=caller, endpoint=running[-1].url)

    yield make
    for one in running:
        one.stop()


def code(error):
    """A refused call's error code."""
    return error.value.response["Error"]["Code"]


def test_an_allowed_call_passes(authorised, bucket):
    """Action and resource both match."""
    s3 = authorised("s3", allow("s3:PutObject", f"arn:aws:s3:::{bucket}/rejected/*"))
    assert "ETag" in s3.put_object(Bucket=bucket, Key="rejected/1", Body=b"")


def test_the_resource_counts(authorised, bucket):
    """The same action on another key is refused, in AWS's words and in S3's shape."""
    s3 = authorised("s3", allow("s3:PutObject", f"arn:aws:s3:::{bucket}/rejected/*"))
    with pytest.raises(ClientError) as error:
        s3.put_object(Bucket=bucket, Key="checkpoint.json", Body=b"")
    assert code(error) == "AccessDenied"
    assert error.value.response["Error"]["Message"] == (
        "User: arn:aws:sts::123456789012:assumed-role/consumer/ConsumerFunction is not authorized to perform: "
        f"s3:PutObject on resource: arn:aws:s3:::{bucket}/checkpoint.json because no identity-based policy allows the "
        "s3:PutObject action"
    )


@pytest.mark.parametrize(
    ("service", "call", "expected"),
    [
        ("kinesis", lambda c: c.put_record(StreamName="s", Data=b"", PartitionKey="a"), "AccessDeniedException"),
        ("dynamodb", lambda c: c.get_item(TableName="t", Key={}), "AccessDeniedException"),
        ("firehose", lambda c: c.put_record(DeliveryStreamName="d", Record={"Data": b""}), "AccessDeniedException"),
        ("secretsmanager", lambda c: c.get_secret_value(SecretId="s"), "AccessDeniedException"),
        ("sns", lambda c: c.publish(TopicArn="arn:aws:sns:us-east-1:1:t", Message="m"), "AuthorizationError"),
    ],
)
def test_each_service_refuses_in_its_own_shape(authorised, service, call, expected):
    """Botocore reads the code with which the service itself refuses."""
    denied = authorised(service, allow("logs:PutLogEvents", "arn:aws:logs:us-east-1:123456789012:log-group:x"))
    with pytest.raises(ClientError) as error:
        call(denied)
    assert code(error) == expected


def test_a_missing_object_is_a_404_for_those_who_may_list(authorised, bucket):
    """With ListBucket S3 answers that there is no such key."""
    key = f"arn:aws:s3:::{bucket}/checkpoint.json"
    s3 = authorised("s3", allow("s3:GetObject", key), allow("s3:ListBucket", f"arn:aws:s3:::{bucket}"))
    with pytest.raises(ClientError) as error:
        s3.get_object(Bucket=bucket, Key="checkpoint.json")
    assert code(error) == "NoSuchKey"


def test_a_missing_object_is_hidden_from_others(authorised, bucket):
    """Without ListBucket S3 answers that access is denied."""
    s3 = authorised("s3", allow("s3:GetObject", f"arn:aws:s3:::{bucket}/checkpoint.json"))
    with pytest.raises(ClientError) as error:
        s3.get_object(Bucket=bucket, Key="checkpoint.json")
    assert code(error) == "AccessDenied"


def test_replacing_by_etag_needs_reading(authorised, bucket):
    """A write with If-Match needs GetObject as well as PutObject."""
    s3 = authorised("s3", allow("s3:PutObject", f"arn:aws:s3:::{bucket}/*"))
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"1", IfNoneMatch="*")["ETag"]
    with pytest.raises(ClientError) as error:
        s3.put_object(Bucket=bucket, Key="k", Body=b"2", IfMatch=etag)
    assert code(error) == "AccessDenied"
    assert "s3:GetObject" in str(error.value)


def test_an_unknown_operation_is_refused_clearly(authorised, bucket):
    """What nobody has looked up is not let through, however wide the policy."""
    s3 = authorised("s3", allow("s3:*", "*"))
    with pytest.raises(ClientError, match="s3 DeleteBucket: what this needs to be allowed is not known") as error:
        s3.delete_bucket(Bucket=bucket)
    assert code(error) == "AccessDenied"


def test_a_caller_without_a_role_is_refused(authorised, bucket):
    """Credentials that no role has given are taken for invalid."""
    s3 = authorised("s3", allow("s3:PutObject", f"arn:aws:s3:::{bucket}/*"), caller="Stranger")
    with pytest.raises(ClientError) as error:
        s3.put_object(Bucket=bucket, Key="k", Body=b"")
    assert code(error) == "InvalidAccessKeyId"


def test_an_explicit_deny_wins(role):
    """Deny outweighs any allow."""
    authoriser = role(allow("s3:*", "arn:aws:s3:::b/*"), allow("s3:PutObject", "arn:aws:s3:::b/x") | {"Effect": "Deny"})
    assert authoriser.refusal("ConsumerFunction", [Permission("s3:PutObject", "arn:aws:s3:::b/y")]) is None
    refusal = authoriser.refusal("ConsumerFunction", [Permission("s3:PutObject", "arn:aws:s3:::b/x")])
    assert "with an explicit deny" in refusal


@pytest.mark.parametrize(
    ("pattern", "resource", "allowed"),
    [
        ("arn:aws:s3:::b/checkpoint.json", "arn:aws:s3:::b/checkpointXjson", False),
        ("arn:aws:s3:::b/checkpoint.json", "arn:aws:s3:::b/checkpoint.json", True),
        ("arn:aws:s3:::b/a?c", "arn:aws:s3:::b/abc", True),
        ("arn:aws:s3:::b/a?c", "arn:aws:s3:::b/ac", False),
        ("arn:aws:s3:::b/*/c", "arn:aws:s3:::b/x/y/c", True),
        ("arn:aws:s3:::b/(x)+", "arn:aws:s3:::b/x", False),
    ],
)
def test_patterns_are_iam_s_own(role, pattern, resource, allowed):
    """`*` and `?` stand for what they do in IAM, and nothing else has a meaning."""
    authoriser = role(allow("s3:getobject", pattern))
    assert (authoriser.refusal("ConsumerFunction", [Permission("s3:GetObject", resource)]) is None) is allowed


def test_a_condition_is_asked_of_the_call(role):
    """All of a statement's conditions hold, or it says nothing; what is never asked with one value is spare with it."""
    conditions = {"StringLike": {"service": "s3.*"}, "StringEquals": {"bucket": ["b", "c"]}}
    authoriser = role(allow("kms:Decrypt", KEY, Condition=conditions))

    def is_allowed(*context):
        return authoriser.refusal("ConsumerFunction", [Permission("kms:Decrypt", KEY, context)]) is None

    assert is_allowed(("service", "s3.us-east-1"), ("bucket", "b"))
    assert not is_allowed(("service", "sns.us-east-1"), ("bucket", "b"))
    assert not is_allowed(("service", "s3.us-east-1"), ("bucket", "x"))
    assert not is_allowed(("service", "s3.us-east-1"))
    [spare] = authoriser.unused("ConsumerFunction")
    assert ("StringEquals", "bucket", "c") in spare.conditions


def test_a_key_is_asked_for_with_the_call(role):
    """What S3 asks of the bucket's key is asked of the role that reads the object."""
    reading = allow("s3:GetObject", "arn:aws:s3:::b/x")
    context = {"kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::b", "kms:ViaService": "s3.us-east-1.amazonaws.com"}
    authoriser = role(reading, allow("kms:Decrypt", KEY, Condition={"StringEquals": context}), key=KEY)
    assert authoriser.refusal("ConsumerFunction", [Permission("s3:GetObject", "arn:aws:s3:::b/x")]) is None
    refusal = authoriser.refusal("ConsumerFunction", [Permission("s3:PutObject", "arn:aws:s3:::b/x")])
    assert "s3:PutObject" in refusal
    refusal = role(reading, name="other", key=KEY).refusal(
        "ConsumerFunction", [Permission("s3:GetObject", "arn:aws:s3:::b/x")]
    )
    assert f"kms:Decrypt on resource: {KEY}" in refusal


def test_what_no_call_needed_is_listed(role):
    """Each action on each resource is accounted for by itself."""
    authoriser = role(allow(["s3:GetObject", "s3:PutObject"], ["arn:aws:s3:::b/x", "arn:aws:s3:::b/y"], Sid="Both"))
    authoriser.refusal("ConsumerFunction", [Permission("s3:GetObject", "arn:aws:s3:::b/x")])
    authoriser.refusal("ConsumerFunction", [Permission("s3:DeleteObject", "arn:aws:s3:::b/y")])
    unused = [(one.statement, one.action, one.resource) for one in authoriser.unused("ConsumerFunction")]
    assert unused == [
        ("own/Both", "s3:GetObject", "arn:aws:s3:::b/y"),
        ("own/Both", "s3:PutObject", "arn:aws:s3:::b/x"),
        ("own/Both", "s3:PutObject", "arn:aws:s3:::b/y"),
    ]


def test_what_is_not_evaluated_is_not_passed_over(role):
    """A condition on what is no text would make the answer wrong in silence: the policy is refused as a whole."""
    with pytest.raises(PolicyError, match="statement own/0: Bool is not evaluated by the local AWS"):
        role(allow("s3:GetObject", "arn:aws:s3:::b/x", Condition={"Bool": {"aws:SecureTransport": "true"}}))
