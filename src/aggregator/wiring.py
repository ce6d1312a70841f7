"""Makes the aggregator with its AWS clients, once per execution environment."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from aggregator.aggregation import Aggregator
from aggregator.delivery import DeliveryLog
from aggregator.latest_state import THREADS, LatestStateSink
from aggregator.window_rows import Waiter, WindowRowsSink
from common.observability import logger

if TYPE_CHECKING:
    from aggregator.settings import Settings

DYNAMODB = Config(
    max_pool_connections=THREADS,
    # The standard mode backs off with jitter, up to 20 s between attempts, on throttling and on errors of the service.
    retries={"mode": "standard", "total_max_attempts": 8},
    connect_timeout=2,
    read_timeout=5,
    parameter_validation=False,  # a third of a write's processor time; the items are made in one place, and tested
)
FIREHOSE = Config(
    retries={"mode": "standard", "total_max_attempts": 3},
    connect_timeout=2,
    read_timeout=10,
    parameter_validation=False,
)


def make(settings: Settings) -> Aggregator:
    """Return an aggregator that writes to the settings' resources."""
    dynamodb = boto3.client("dynamodb", config=DYNAMODB)
    firehose = boto3.client("firehose", config=FIREHOSE)
    # Jitter needs to be different on each side, not unguessable.
    waiter = Waiter(sleep=time.sleep, random=random.random)
    return Aggregator(
        rows_sink=WindowRowsSink(firehose, settings.window_rows_stream_name, waiter),
        state_sink=LatestStateSink(dynamodb, settings.aircraft_table_name),
        deliveries=DeliveryLog(dynamodb, settings.aircraft_table_name),
        log=logger,
        clock=time.time,
    )
