"""AWS clients, made when first needed and kept as long as the process lives."""

from __future__ import annotations

import os
import socket
from functools import cache
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.exceptions import NoCredentialsError, NoRegionError
from botocore.httpsession import URLLib3Session

from common import aws
from consumer.publish.kinesis_client import KinesisApi
from consumer.publish.publisher import CALLS_IN_FLIGHT

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient


_TIMEOUTS: Any = (3, 5)
"""Seconds to connect and to read that leave a run time to react (the session's stub knows only one for both)."""

_SEND_AT_ONCE: Any = (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
"""As botocore's own clients have it: the headers and the body of a call are two writes, and without this the second
waits for the first one's acknowledgement, which the other side may delay by 40 ms. Any: the session's stub knows
texts only."""


def _config(attempts: int) -> Config:
    """Return the time-outs, and `attempts` per call, the first one included."""
    return Config(
        connect_timeout=_TIMEOUTS[0],
        read_timeout=_TIMEOUTS[1],
        retries={"mode": "standard", "total_max_attempts": attempts},
    )


@cache
def s3() -> S3Client:
    """Return the client for the checkpoint and the rejected lines."""
    client: S3Client = aws.client("s3", _config(3))
    return client


@cache
def secrets_manager() -> SecretsManagerClient:
    """Return the client for the API token."""
    client: SecretsManagerClient = aws.client("secretsmanager", _config(3))
    return client


@cache
def kinesis() -> KinesisApi:
    """Return the client for PutRecords, without retries of its own: the publisher decides what is sent again."""
    session = aws.session()
    region, credentials = session.get_config_variable("region"), session.get_credentials()
    if region is None:
        raise NoRegionError
    if credentials is None:
        raise NoCredentialsError
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    endpoint = os.environ.get("AWS_ENDPOINT_URL_KINESIS") or os.environ.get("AWS_ENDPOINT_URL")
    http = URLLib3Session(timeout=_TIMEOUTS, max_pool_connections=CALLS_IN_FLIGHT, socket_options=[_SEND_AT_ONCE])
    return KinesisApi(endpoint or f"https://kinesis.{region}.{suffix}", region, credentials, http)
