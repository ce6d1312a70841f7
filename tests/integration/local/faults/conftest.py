"""Fixtures for the proxy: one before an empty moto, and clients that speak through it without retries of their own."""

from __future__ import annotations

import boto3
import pytest
from botocore.config import Config

from local.aws.moto import credentials
from local.faults.aws.plan import Fault, FaultPlan, FaultRule
from local.faults.aws.proxy import AwsProxy

CALLER = "ConsumerFunction"


class EagerClock:
    """Waits for nothing, and remembers for how long it was asked to."""

    def __init__(self):
        self.waits = []

    def now(self):
        return 0.0

    def wait(self, event, seconds):
        self.waits.append(seconds)
        return event.is_set()


@pytest.fixture
def clock():
    """A clock on which no time passes."""
    return EagerClock()


@pytest.fixture
def proxy(aws, clock):
    """A proxy without faults."""
    with AwsProxy(aws, clock=clock) as running:
        yield running


@pytest.fixture
def client(proxy):
    """Make a client through the proxy: `client("s3", caller="AlertsFunction")`."""
    made = []

    def make(service, *, caller=CALLER, endpoint=None, **config):
        own = credentials(caller)
        made.append(
            boto3.client(
                service,
                endpoint_url=endpoint or proxy.url,
                aws_access_key_id=own["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key="x",
                config=Config(retries={"mode": "standard", "total_max_attempts": 1}, **config),
            )
        )
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def inject(proxy):
    """Inject one rule: `inject("kinesis", FaultKind.RESET, calls={1}, share=0.3)`."""

    def do(service, kind, *, calls=None, seed=0, operation=None, **parameters):
        of_rule = {name: parameters.pop(name) for name in ("caller", "probability") if name in parameters}
        rule = FaultRule(
            service=service,
            operation=operation,
            calls=None if calls is None else frozenset(calls),
            fault=Fault(kind=kind, **parameters),
            **of_rule,
        )
        proxy.inject(FaultPlan((rule,), seed))

    return do


@pytest.fixture
def stream(client):
    """A Kinesis stream of one shard, and what is in it."""
    kinesis = client("kinesis", caller="Operator")
    kinesis.create_stream(StreamName="updates", ShardCount=1)

    def records():
        iterator = kinesis.get_shard_iterator(
            StreamName="updates", ShardId="shardId-000000000000", ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        return [record["Data"] for record in kinesis.get_records(ShardIterator=iterator)["Records"]]

    return records


@pytest.fixture
def bucket(client):
    """The name of an empty bucket."""
    client("s3", caller="Operator").create_bucket(Bucket="state")
    return "state"
