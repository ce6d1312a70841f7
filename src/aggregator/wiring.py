"""Makes the aggregator, once per execution environment, with AWS clients that come into being when they are used.

An invocation in the middle of a window calls S3 alone, and most environments never write to the others.
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any, cast

from aggregator.aggregation import Aggregator
from aggregator.sinks.aircraft_table import THREADS, AircraftTable
from aggregator.sinks.delivery_log import DeliveryLog
from aggregator.sinks.firehose import Waiter, WindowRowsSink
from aggregator.sinks.live_snapshots import LiveSnapshots
from common.lazy_client import LazyClient
from common.observability import logger

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_firehose import FirehoseClient
    from mypy_boto3_s3 import S3Client

    from aggregator.settings import Settings
    from aggregator.sinks.live_snapshots import Progress
    from aggregator.state.window_part import WindowPart
    from common.kinesis_event import TumblingWindow

DYNAMODB: Mapping[str, Any] = dict(  # noqa: C408 - they are keyword arguments of botocore's Config
    max_pool_connections=THREADS,
    # The standard mode backs off with jitter, up to 20 s between attempts, on throttling and on errors of the service.
    retries={"mode": "standard", "total_max_attempts": 8},
    connect_timeout=2,
    read_timeout=5,
    parameter_validation=False,  # a third of a write's processor time; the items are made in one place, and tested
)
FIREHOSE: Mapping[str, Any] = dict(  # noqa: C408 - as above
    retries={"mode": "standard", "total_max_attempts": 3},
    connect_timeout=2,
    read_timeout=10,
    parameter_validation=False,
)


S3: Mapping[str, Any] = dict(  # noqa: C408 - as above
    # A snapshot may cost an invocation some seconds at most: the next one writes it again.
    retries={"mode": "standard", "total_max_attempts": 2},
    connect_timeout=1,
    read_timeout=2,
    parameter_validation=False,
)


class NoStates:
    """In place of the table of latest states where it is switched off."""

    def write(self, part: WindowPart, now: float) -> int:  # noqa: ARG002 - as `AircraftTable` has it
        """Write nothing."""
        return 0


class NoSnapshots:
    """In place of the live objects where there is no bucket for them."""

    def write(self, window: TumblingWindow, progress: Progress) -> None:
        """Write nothing."""


def make(settings: Settings) -> Aggregator:
    """Return an aggregator that writes to the settings' resources."""
    dynamodb = cast("DynamoDBClient", LazyClient("dynamodb", DYNAMODB))
    firehose = cast("FirehoseClient", LazyClient("firehose", FIREHOSE))
    bucket = settings.data_bucket
    live = NoSnapshots() if bucket is None else LiveSnapshots(cast("S3Client", LazyClient("s3", S3)), bucket, time.time)
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
