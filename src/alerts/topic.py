"""The SNS topic that alerts are published to."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

    from alerts.notification import Notification


class AlertsTopic:
    """Publishes notifications, with the attributes that a subscription's filter policy can pick by."""

    def __init__(self, client: SNSClient, topic_arn: str) -> None:
        self._client = client
        self._topic_arn = topic_arn

    def publish(self, notification: Notification) -> None:
        """Send one notification.

        Raises
        ------
        botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError
            SNS refused, or did not answer. Without an answer the notification may have been sent all the same.
        """
        self._client.publish(
            TopicArn=self._topic_arn,
            Subject=notification.subject,
            Message=notification.text,
            MessageAttributes={
                "rule": {"DataType": "String", "StringValue": notification.rule},
                "icao_address": {"DataType": "String", "StringValue": notification.icao_address},
            },
        )
