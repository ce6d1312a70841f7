"""Puts the service together, once per execution environment."""

from __future__ import annotations

import os
import time
from functools import cache
from typing import TYPE_CHECKING, Any

from api.bucket import Bucket
from api.flight_books import Books
from api.service import Service
from api.settings import Settings
from api.snapshots import Snapshots
from api.sources import Sources
from common import aws

if TYPE_CHECKING:
    from collections.abc import Mapping

S3: Mapping[str, Any] = {
    "retries": {"mode": "standard", "total_max_attempts": 2},
    "connect_timeout": 1,
    "read_timeout": 3,
    "parameter_validation": False,
    "max_pool_connections": 16,  # what `snapshots` asks for at once
}


@cache
def service() -> Service:
    """Return the process's service, made at the first request.

    Raises
    ------
    common.environment.ConfigurationError
        A setting is missing; the request fails with a text, not the import.
    """
    bucket = Bucket(aws.client("s3", S3), Settings.from_environment(os.environ).data_bucket)
    snapshots, books = Snapshots(bucket, time.monotonic), Books(bucket)
    return Service(Sources(bucket, snapshots, books, now=lambda: time.time_ns() // 1_000_000))
