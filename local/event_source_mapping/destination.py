"""The on-failure destination: an object in S3, or a message to a queue or a topic."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local.event_source_mapping.failure import Discard, metadata, object_key

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

    from local.event_source_mapping.settings import MappingSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationClients:
    """The clients a destination may need; give the one that belongs to the mapping's destination."""

    s3: S3Client | None = None
    sqs: SQSClient | None = None
    sns: SNSClient | None = None


class Destination:
    """Where a mapping's discarded batches go."""

    def __init__(self, settings: MappingSettings, clients: DestinationClients) -> None:
        self._settings = settings
        self._clients = clients
        self._queue_url: str | None = None
        service = "" if settings.on_failure is None else settings.on_failure.split(":")[2]
        if service and getattr(clients, service) is None:
            raise ValueError(
                f"the on-failure destination is {settings.on_failure}: DestinationClients needs `{service}`"
            )
        self._service = service

    def send(self, discard: Discard, now: float) -> bool:
        """Hand a discarded batch over; return whether anything took it: a mapping without a destination drops it.

        Raises
        ------
        botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError
            When the destination cannot be reached or refuses.
        """
        arn = self._settings.on_failure
        if arn is None:
            return False
        body = metadata(self._settings, discard, now=now, request_id=str(uuid.uuid4()))
        if self._service == "s3":
            assert self._clients.s3 is not None
            # The event is written already; only the metadata around it is.
            text = json.dumps(body).encode()[:-1] + b', "payload": ' + discard.event + b"}"
            key = object_key(self._settings, discard.shard_id, now=now, unique=str(uuid.uuid4()))
            self._clients.s3.put_object(Bucket=arn.rpartition(":")[2], Key=key, Body=text)
        elif self._service == "sqs":
            assert self._clients.sqs is not None
            self._clients.sqs.send_message(QueueUrl=self._url(self._clients.sqs, arn), MessageBody=json.dumps(body))
        else:
            assert self._clients.sns is not None
            self._clients.sns.publish(TopicArn=arn, Message=json.dumps(body))
        return True

    def _url(self, client: SQSClient, arn: str) -> str:
        if self._queue_url is None:
            account, name = arn.split(":")[4:6]
            self._queue_url = client.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)["QueueUrl"]
        return self._queue_url
