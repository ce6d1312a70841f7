"""A local stack that no function runs in: what commands read is written by the tests."""

from __future__ import annotations

from functools import cache

import pytest

from local.aws.moto import Cloud
from local.deploy import create


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

    def clear(self, bucket):
        """Remove all objects."""
        s3, name = self.client("s3"), self.resources[bucket]
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
    for bucket in ("StateBucket", "DataBucket", "FailuresBucket"):
        made_stack.clear(bucket)
    return made_stack
