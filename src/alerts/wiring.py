"""Puts the alerter together, once per execution environment."""

from __future__ import annotations

import os
import time
from functools import cache
from typing import TYPE_CHECKING

from alerts.alert_log import AlertLog
from alerts.alerter import Alerter
from alerts.newest_alerts import NewestAlerts
from alerts.pattern_matcher import AlertPatterns
from alerts.progress import EnvelopeProgress
from alerts.settings import Settings
from alerts.suppression_table import SuppressionTable
from alerts.timeouts import OPTIONS
from alerts.topic import AlertsTopic
from common import aws, update_log
from common.clock import SystemClock
from common.observability import logger

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client


@cache
def alerter() -> Alerter:
    """Return the process's alerter, made at the first invocation.

    Raises
    ------
    common.environment.ConfigurationError
        A setting is missing or wrong; the invocation fails with a text, not the import.
    """
    settings = Settings.from_environment(os.environ)
    clock = SystemClock()
    dynamodb: DynamoDBClient = aws.client("dynamodb", OPTIONS)
    s3: S3Client = aws.client("s3", OPTIONS)
    return Alerter(
        SuppressionTable(dynamodb, settings.suppression_table_name, clock),
        EnvelopeProgress(dynamodb, settings.suppression_table_name, clock),
        AlertsTopic(aws.client("sns", OPTIONS), settings.alerts_topic_arn),
        AlertLog(s3, settings.data_bucket, NewestAlerts(s3, settings.data_bucket)),
        wanted=AlertPatterns(settings.alert_patterns).match,
        suppression=settings.suppression,
        clock=clock,
        pause=time.sleep,
        update_log=update_log.at_debug(logger, time.monotonic),
    )
