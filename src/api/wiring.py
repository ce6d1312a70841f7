"""Makes the service, once per execution environment."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from botocore.config import Config

from api.bucket import Bucket
from api.service import Service
from api.snapshots import Snapshots
from common import aws

if TYPE_CHECKING:
    from api.settings import Settings


def make(settings: Settings) -> Service:
    """Return a service that reads the settings' bucket."""
    config = Config(
        retries={"mode": "standard", "total_max_attempts": 2},
        connect_timeout=1,
        read_timeout=3,
        parameter_validation=False,
    )
    bucket = Bucket(aws.client("s3", config), settings.data_bucket)
    return Service(bucket, Snapshots(bucket, time.monotonic), lambda: time.time_ns() // 1_000_000)
