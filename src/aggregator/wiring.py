"""Puts the aggregator together, once per execution environment.

An invocation in the middle of a window calls only S3, and most environments never write to the other services.
"""

from __future__ import annotations

import os
import random
import time
from functools import cache
from typing import TYPE_CHECKING, Any

from aggregator.aggregation import Aggregator
from aggregator.settings import Settings
from aggregator.sinks.aircraft_table import THREADS, AircraftTable
from aggregator.sinks.delivery_log import DeliveryLog
from aggregator.sinks.firehose import Waiter, WindowRowsSink
from aggregator.sinks.live_snapshots import LiveSnapshots
from common import aws
from common import update_log as update_logs
from common.observability import logger

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_firehose import FirehoseClient
    from mypy_boto3_s3 import S3Client

    from aggregator.sinks.live_snapshots import Progress
    from aggregator.state.window_part import WindowPart
    from common.kinesis_event import TumblingWindow
    from common.update_log import UpdateLog

DYNAMODB: Mapping[str, Any] = {
    "max_pool_connections": THREADS,
    # The standard mode backs off with jitter, up to 20 s between attempts, on throttling and on errors of the service.
    "retries": {"mode": "standard", "total_max_attempts": 8},
    "connect_timeout": 2,
    "read_timeout": 5,
    "parameter_validation": False,  # a third of a write's processor time; the items are made in one place, and tested
}
FIREHOSE: Mapping[str, Any] = {
    "retries": {"mode": "standard", "total_max_attempts": 3},
    "connect_timeout": 2,
    "read_timeout": 10,
    "parameter_validation": False,
}
S3: Mapping[str, Any] = {
    # A snapshot may cost an invocation some seconds at most: the next one writes it again.
    "retries": {"mode": "standard", "total_max_attempts": 2},
    "connect_timeout": 1,
    "read_timeout": 2,
    "parameter_validation": False,
}


class NoStates:
    """Replaces the table of latest states where that is switched off."""

    def write(self, part: WindowPart, now: float) -> int:  # noqa: ARG002 - as `AircraftTable` has it
        """Write nothing."""
        return 0


class NoSnapshots:
    """Replaces the live objects where no bucket is set."""

    def write(self, window: TumblingWindow, progress: Progress) -> int:  # noqa: ARG002 - as `LiveSnapshots` has it
        """Write nothing."""
        return 0


@cache
def aggregator() -> Aggregator:
    """Return the process's aggregator, made at the first invocation.

    Raises
    ------
    common.environment.ConfigurationError
        A setting is missing; the invocation fails with a text, not the import.
    """
    settings = Settings.from_environment(os.environ)
    dynamodb: DynamoDBClient = aws.client("dynamodb", DYNAMODB)
    firehose: FirehoseClient = aws.client("firehose", FIREHOSE)
    s3: S3Client = aws.client("s3", S3)
    bucket = settings.data_bucket
    live = NoSnapshots() if bucket is None else LiveSnapshots(s3, bucket, time.time)
    # Jitter needs to be different on each side, not unguessable.
    waiter = Waiter(sleep=time.sleep, random=random.random)
    return Aggregator(
        rows_sink=WindowRowsSink(firehose, settings.window_rows_stream_name, waiter),
        state_sink=AircraftTable(dynamodb, settings.aircraft_table_name) if settings.latest_states else NoStates(),
        live_sink=live,
        deliveries=DeliveryLog(dynamodb, settings.aircraft_table_name),
        log=logger,
        clock=time.time,
    )


@cache
def update_log() -> UpdateLog | None:
    """Return what shows single updates, where the log's level is DEBUG."""
    return update_logs.at_debug(logger, time.monotonic)
