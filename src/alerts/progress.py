"""Progress through an envelope of several alerts, kept in the suppression table between invocations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from common.clock import Clock
    from common.kinesis_event import KinesisRecord

_KEPT_SECONDS: Final = 7 * 24 * 3600
"""MaximumRecordAgeInSeconds of an event source mapping takes up to 604,800 seconds (API reference)."""


class EnvelopeProgress:
    """One item for each envelope with more than a few alerts: the first line that is still to do.

    It saves work and decides nothing: without it each alert is found in its own subject's item.
    """

    def __init__(self, client: DynamoDBClient, table_name: str, clock: Clock) -> None:
        self._client = client
        self._table_name = table_name
        self._clock = clock

    def lines_done(self, record: KinesisRecord) -> int:
        """Return how many of the record's lines were dealt with before.

        It is read by a write, so that the function needs no permission to read the table.

        Raises
        ------
        botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError
            The table did not answer, or refused.
        """
        answer = self._client.update_item(
            TableName=self._table_name,
            Key={"rule_and_aircraft": {"S": _name(record)}},
            UpdateExpression="SET lines_done = if_not_exists(lines_done, :none), expires_at = :expires_at",
            ExpressionAttributeValues={":none": {"N": "0"}, ":expires_at": {"N": self._expires_at()}},
            ReturnConsumedCapacity="TOTAL",
            ReturnValues="ALL_NEW",
        )
        return int(answer["Attributes"]["lines_done"]["N"])

    def advance(self, record: KinesisRecord, lines_done: int) -> None:
        """Note that so many lines have been dealt with.

        Raises
        ------
        botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError
            The table did not answer, or refused.
        """
        self._client.put_item(
            TableName=self._table_name,
            Item={
                "rule_and_aircraft": {"S": _name(record)},
                "lines_done": {"N": str(lines_done)},
                "expires_at": {"N": self._expires_at()},
            },
            ReturnConsumedCapacity="TOTAL",
        )

    def _expires_at(self) -> str:
        return str(int(self._clock.now().timestamp()) + _KEPT_SECONDS)


def _name(record: KinesisRecord) -> str:
    return f"envelope#{record.shard_id}#{record.sequence_number}"
