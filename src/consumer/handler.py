"""Entry point of the consumer: one scheduled invocation is one run."""

from __future__ import annotations

import os
from contextlib import closing
from typing import TYPE_CHECKING, Any

from common.clock import SystemClock
from common.environment import ConfigurationError
from common.observability import logger
from consumer import clients
from consumer.api_token import read_api_token
from consumer.checkpoint.rejected_lines import RejectedStore
from consumer.checkpoint.store import CheckpointStore
from consumer.deadline import Deadline
from consumer.errors import ConsumerError
from consumer.ingestion.handover import Handover
from consumer.ingestion.run import Run
from consumer.ingestion.status import StatusWriter
from consumer.ingestion.stop_request import StopRequest
from consumer.ingestion.telemetry import count
from consumer.publish import record_format
from consumer.publish.list_shards import ListShards
from consumer.publish.put_records import PutRecords
from consumer.settings import Settings, run_seconds
from consumer.stream.client import StreamClient

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from consumer.publish.record_format import RecordFormat


_handover = Handover()

_ANSWER_SECONDS = 0.2
"""Kept of an invocation's time for what comes after the run: its log lines, metrics and answer."""


def _record_format(settings: Settings) -> RecordFormat:
    if not settings.envelopes:
        return record_format.single()
    return record_format.envelopes(ListShards(clients.kinesis(), settings.updates_stream_name))


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Run until shortly before the invocation's time is up; return the summary (`docs/design.md`)."""
    clock = SystemClock()
    try:
        stop_request = StopRequest(clock, run_seconds(event))
        deadline = Deadline(clock, context.get_remaining_time_in_millis() / 1000 - _ANSWER_SECONDS)
        settings = Settings.from_environment(os.environ)
        s3, owner = clients.s3(), context.aws_request_id
        secrets, secret_arn = clients.secrets_manager(), settings.api_token_secret_arn
        api_token = deadline.call("the API token's secret", lambda: read_api_token(secrets, secret_arn))
        timing = settings.timing
        client = StreamClient(
            settings.stream_url, api_token, settings.filters, settings.compression, silence_seconds=timing.silence
        )
        run = Run(
            client,
            CheckpointStore(s3, settings.state_bucket, owner, clock, lease_seconds=timing.lease, deadline=deadline),
            RejectedStore(s3, settings.state_bucket, owner, clock, deadline=deadline),
            PutRecords(clients.kinesis(), settings.updates_stream_name),
            clock,
            deadline=deadline,
            stop_request=stop_request,
            start_position=settings.start_position,
            timing=timing,
            handover=_handover,
            record_format=_record_format(settings),
            status=StatusWriter(s3, settings.data_bucket, clock, deadline=deadline),
        )
        with closing(client), stop_request.on_sigterm():
            summary = run.execute().as_json()
    except (ConsumerError, ConfigurationError) as error:
        logger.error(str(error), error_class=type(error).__name__)
        count("RunsFailed")
        raise
    logger.info("run finished", **summary)
    return summary
