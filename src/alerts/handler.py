"""The entry point: a batch of Kinesis records that passed the event source mapping's filter becomes alerts."""

from __future__ import annotations

import os
import time
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from alerts.alert_log import AlertLog
from alerts.alerter import Alerter
from alerts.newest_alerts import NewestAlerts
from alerts.pattern_matcher import AlertPatterns
from alerts.progress import EnvelopeProgress
from alerts.settings import Settings
from alerts.suppression_table import SuppressionTable
from alerts.timeouts import CONFIG, OPTIONS
from alerts.topic import AlertsTopic
from common import aws
from common.clock import SystemClock
from common.kinesis_event import records
from common.lazy_client import LazyClient
from common.observability import MetricUnit, logger, metrics

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext
    from mypy_boto3_s3 import S3Client


@cache
def alerter() -> Alerter:
    """Return the process's alerter, wired from the environment on the first invocation."""
    settings = Settings.from_environment(os.environ)
    clock, dynamodb = SystemClock(), aws.client("dynamodb", CONFIG)
    s3 = cast("S3Client", LazyClient("s3", OPTIONS))  # most batches send nothing, and have nothing to log
    return Alerter(
        SuppressionTable(dynamodb, settings.suppression_table_name, clock),
        EnvelopeProgress(dynamodb, settings.suppression_table_name, clock),
        AlertsTopic(aws.client("sns", CONFIG), settings.alerts_topic_arn),
        AlertLog(s3, settings.data_bucket, NewestAlerts(s3, settings.data_bucket)),
        wanted=AlertPatterns(settings.alert_patterns).match,
        suppression=settings.suppression,
        clock=clock,
        pause=time.sleep,
    )


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, list[dict[str, str]]]:
    """Alert on the batch's updates, and name the record from which on the batch must be sent again, if any.

    Only one is named: the event source mapping goes back to the lowest sequence number, and sends all from there on.
    """
    result = alerter().process(records(event), lambda: context.get_remaining_time_in_millis() / 1000)
    for name, value in (
        ("AlertsNotified", result.notified),
        ("AlertsSuppressed", result.suppressed),
        ("RecordsUndecodable", result.undecodable),
        ("FieldsIgnored", result.fields_ignored),
        ("AlertsUnmarked", result.unmarked),
        ("AlertsUnlogged", result.unlogged),
        ("NewestAlertsFailed", result.not_shown),
        ("RecordsFailed", result.failed),  # Lambda counts no error where a batch names what failed
    ):
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)
    failed = result.failed_sequence_number
    return {"batchItemFailures": [] if failed is None else [{"itemIdentifier": failed}]}
