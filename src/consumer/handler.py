"""Entry point of the consumer: one scheduled invocation is one run."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from common.clock import SystemClock
from common.environment import ConfigurationError
from common.observability import logger
from consumer import wiring
from consumer.deadline import Deadline
from consumer.errors import ConsumerError
from consumer.ingestion.stop_request import StopRequest
from consumer.ingestion.telemetry import count
from consumer.settings import Settings, run_seconds

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

_ANSWER_SECONDS = 0.2
"""Kept of an invocation's time for what comes after the run: its log lines, metrics and answer."""


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Run until shortly before the invocation's time is up; return the summary (`docs/design.md`)."""
    logger.set_correlation_id(context.aws_request_id)  # the run's: the lease and rejected lines bear it, too
    clock = SystemClock()
    try:
        stop_request = StopRequest(clock, run_seconds(event))
        deadline = Deadline(clock, context.get_remaining_time_in_millis() / 1000 - _ANSWER_SECONDS)
        settings = Settings.from_environment(os.environ)
        with (
            wiring.run(settings, context.aws_request_id, clock, deadline=deadline, stop_request=stop_request) as run,
            stop_request.on_sigterm(),
        ):
            summary = run.execute().as_json()
    except (ConsumerError, ConfigurationError) as error:
        logger.error(str(error), error_class=type(error).__name__)
        count("RunsFailed")
        raise
    logger.info("run finished", **summary)
    return summary
