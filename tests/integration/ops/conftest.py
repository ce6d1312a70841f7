"""A local stack that no function runs in, and an account with an on-failure bucket: the tests write what is read."""

from __future__ import annotations

import json
from functools import cache

import pytest

from local.aws.moto import Cloud
from local.deploy import create
from tests.support.failed_batches import BUCKET, STACK, STREAM, client

RESOURCES = {
    "FailuresBucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": BUCKET}},
    "UpdatesStream": {"Type": "AWS::Kinesis::Stream", "Properties": {"Name": STREAM, "ShardCount": 1}},
}


class LocalStack:
    """The stack's AWS, and what it consists of."""

    def __init__(self, cloud, stack):
        self.cloud = cloud
        self.resources = stack.resources
        self.endpoint = cloud.endpoint
        self.client = cache(cloud.client)

    def put(self, bucket, key, body):
        """Put an object."""
        self.client("s3").put_object(Bucket=self.resources[bucket], Key=key, Body=body)

    def clear(self):
        """Remove all objects."""
        s3 = self.client("s3")
        for name in (self.resources[bucket] for bucket in ("StateBucket", "DataBucket", "FailuresBucket")):
            for entry in s3.list_objects_v2(Bucket=name).get("Contents", []):
                s3.delete_object(Bucket=name, Key=entry["Key"])


@pytest.fixture(scope="session")
def made_stack(repository):
    """The template's stack, made once."""
    cloud = Cloud()
    try:
        parameters = {"StreamUrl": "http://127.0.0.1:9/", "StreamMode": "PROVISIONED", "ShardCount": "2"}
        template = repository / "template.yaml"
        yield LocalStack(
            cloud,
            create(cloud, template, name="local", parameters=parameters, secret_value="token"),
        )
    finally:
        cloud.stop()


@pytest.fixture
def local_stack(made_stack):
    """The same with empty buckets."""
    made_stack.clear()
    return made_stack


@pytest.fixture
def s3(aws):  # noqa: ARG001 - it sends boto3 to moto
    """S3 with an on-failure bucket."""
    client("s3").create_bucket(Bucket=BUCKET)
    return client("s3")


@pytest.fixture
def kinesis(aws):  # noqa: ARG001 - it sends boto3 to moto
    """Kinesis with an empty stream of one shard."""
    client("kinesis").create_stream(StreamName=STREAM, ShardCount=1)
    return client("kinesis")


@pytest.fixture
def deployed(aws):  # noqa: ARG001 - it sends boto3 to moto
    """A stack of both, as CloudFormation made it; gives S3."""
    client("cloudformation").create_stack(StackName=STACK, TemplateBody=json.dumps({"Resources": RESOURCES}))
    return client("s3")
