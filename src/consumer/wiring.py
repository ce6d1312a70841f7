"""Puts a run together, and keeps what the runs of one process share: clients, and the handover to the next run."""

from __future__ import annotations

import os
import socket
import time
from contextlib import closing, contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from botocore.exceptions import NoCredentialsError
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies

from common import aws, update_log
from common.observability import logger
from consumer.api_token import read_api_token
from consumer.checkpoint.rejected_lines import RejectedStore
from consumer.checkpoint.store import CheckpointStore
from consumer.ingestion import own_processor
from consumer.ingestion.handover import Handover
from consumer.ingestion.run import Run
from consumer.ingestion.status import StatusWriter
from consumer.publish import record_format
from consumer.publish.calls import CALLS_IN_FLIGHT
from consumer.publish.kinesis_client import KinesisApi
from consumer.publish.put_records import PutRecords
from consumer.publish.shard_map import ListShards
from consumer.stream.client import StreamClient

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient

    from common.clock import Clock
    from common.update_log import UpdateLog
    from consumer.deadline import Deadline
    from consumer.ingestion.stop_request import StopRequest
    from consumer.publish.record_format import RecordFormat
    from consumer.settings import Settings

_TIMEOUTS: Any = (3, 5)
"""Seconds to connect and to read that leave a run time to react (the session's stub knows only one for both)."""

_OPTIONS: Mapping[str, Any] = {
    "connect_timeout": _TIMEOUTS[0],
    "read_timeout": _TIMEOUTS[1],
    "retries": {"mode": "standard", "total_max_attempts": 3},
}

_SEND_AT_ONCE: Any = (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
"""As botocore's own clients have it: the headers and the body of a call are two writes, and without this the second
waits for the first one's acknowledgement, which the other side may delay by 40 ms. Any: the session's stub knows
texts only."""


@contextmanager
def run(
    settings: Settings, owner: str, clock: Clock, *, deadline: Deadline, stop_request: StopRequest
) -> Iterator[Run]:
    """Give a run of the `owner`, the invocation's request id; its connection to the stream is closed at the end.

    Raises
    ------
    consumer.errors.ApiTokenError
        The API token could not be read, or there is none.
    common.environment.ConfigurationError
        The update processor of the settings is not there.
    """
    processor = own_processor.load(settings.update_processor)
    store, timing = s3(), settings.timing
    api_token = deadline.call(
        "the API token's secret", lambda: read_api_token(secrets_manager(), settings.api_token_secret_arn)
    )
    client = StreamClient(
        settings.stream_url, api_token, settings.filters, settings.compression, silence_seconds=timing.silence
    )
    with closing(client), _record_format(settings) as format_of_records:
        yield Run(
            client,
            CheckpointStore(store, settings.state_bucket, owner, clock, lease_seconds=timing.lease, deadline=deadline),
            RejectedStore(store, settings.state_bucket, owner, clock, redactor=client.redactor, deadline=deadline),
            PutRecords(kinesis(), settings.updates_stream_name),
            clock,
            deadline=deadline,
            stop_request=stop_request,
            start_position=settings.start_position,
            timing=timing,
            handover=_handover(),
            record_format=format_of_records,
            status=StatusWriter(
                store,
                settings.data_bucket,
                clock,
                deadline=deadline,
                settings={
                    "visits_every_seconds": settings.visit_seconds,
                    "stream_delay_seconds": round(settings.stream_delay.total_seconds()),
                },
            ),
            stop_when_caught_up=settings.stop_when_caught_up,
            delay=settings.stream_delay,
            update_log=_update_log(),
            own_processor=processor,
        )


@cache
def s3() -> S3Client:
    """Return the process's client for the checkpoint, the rejected lines and the status."""
    client: S3Client = aws.client("s3", _OPTIONS)
    return client


@cache
def secrets_manager() -> SecretsManagerClient:
    """Return the process's client for the API token."""
    client: SecretsManagerClient = aws.client("secretsmanager", _OPTIONS)
    return client


@cache
def kinesis() -> KinesisApi:
    """Return the process's client for PutRecords, without retries: the publisher decides what is sent again."""
    endpoint, credentials = aws.endpoint("kinesis"), aws.session().get_credentials()
    if credentials is None:
        raise NoCredentialsError
    own = aws.session()
    http = URLLib3Session(  # its trust and its proxies are those of botocore's own clients
        verify=own.get_config_variable("ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE") or True,  # type: ignore[arg-type]  # the stub knows no file
        proxies=get_environ_proxies(endpoint),
        timeout=_TIMEOUTS,
        max_pool_connections=CALLS_IN_FLIGHT,
        socket_options=[_SEND_AT_ONCE],
    )
    return KinesisApi(endpoint, own.get_config_variable("region"), credentials, http)


@cache
def _handover() -> Handover:
    return Handover()


@cache
def _update_log() -> UpdateLog | None:
    return update_log.at_debug(logger, time.monotonic)


@contextmanager
def _record_format(settings: Settings) -> Iterator[RecordFormat]:
    if not settings.envelopes:
        yield record_format.single()
        return
    with closing(ListShards(kinesis(), settings.updates_stream_name)) as list_shards:
        yield record_format.envelopes(list_shards)
