"""AWS clients, made when first needed and kept as long as the process lives."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient


def _config(attempts: int) -> Config:
    """Return timeouts that leave a run time to react, and `attempts` per call, the first one included."""
    return Config(
        connect_timeout=3,
        read_timeout=5,
        max_pool_connections=4,
        retries={"mode": "standard", "total_max_attempts": attempts},
    )


@cache
def s3() -> S3Client:
    """Return the client for the checkpoint and the rejected lines."""
    return boto3.client("s3", config=_config(3))


@cache
def secrets_manager() -> SecretsManagerClient:
    """Return the client for the API token."""
    return boto3.client("secretsmanager", config=_config(3))


@cache
def kinesis() -> KinesisClient:
    """Return the client for PutRecords, without retries of its own: the publisher decides what is sent again."""
    return boto3.client("kinesis", config=_config(1))
