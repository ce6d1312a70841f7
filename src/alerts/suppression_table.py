"""The suppression table in DynamoDB: claims a window atomically, and marks it once its alert is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from alerts.suppression import Claim, Decision, State, Verdict, Window, expires_at, judge_refused

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    from common.clock import Clock


class SuppressionTable:
    """One item for each rule and aircraft.

    The conditional writes are safe against a second writer too (a redrive beside the event source mapping), and
    against their own repetition when an answer was lost: the second try finds its own claim.
    """

    def __init__(self, client: DynamoDBClient, table_name: str, clock: Clock) -> None:
        self._client = client
        self._table_name = table_name
        self._clock = clock

    def claim(self, claim: Claim) -> Decision:
        """Take the window for this update if none is there or it has ended, and decide what to do.

        Raises
        ------
        botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError
            The table did not answer, or refused for another reason than its condition.
        """
        try:
            self._client.put_item(
                TableName=self._table_name,
                Item={
                    "rule_and_aircraft": {"S": claim.item_key},
                    "notification_state": {"S": State.PENDING.value},
                    "update_key": {"S": claim.update_key},
                    "suppressed_until_ms": {"N": str(claim.suppressed_until_ms)},
                    "expires_at": {"N": str(expires_at(claim, self._clock.now()))},
                },
                ConditionExpression="attribute_not_exists(rule_and_aircraft) OR suppressed_until_ms <= :event_time",
                ExpressionAttributeValues={":event_time": {"N": str(claim.event_time_ms)}},
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            if not _is_condition_failure(error):
                raise
            # The item as it was when the condition was checked: reading it afterwards could show a newer one.
            return judge_refused(claim, _window(error.response["Item"]))  # type: ignore[typeddict-item]  # the stubs lack it
        return Decision(Verdict.NOTIFY, Window(claim.update_key, State.PENDING, claim.suppressed_until_ms))

    def mark_notified(self, claim: Claim) -> None:
        """Note that the claim's alert was sent; a window that has passed to another update is left as it is.

        Raises
        ------
        botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError
            The table did not answer, or refused for another reason than its condition.
        """
        try:
            self._client.update_item(
                TableName=self._table_name,
                Key={"rule_and_aircraft": {"S": claim.item_key}},
                UpdateExpression="SET notification_state = :notified",
                ConditionExpression="update_key = :update_key",
                ExpressionAttributeValues={
                    ":notified": {"S": State.NOTIFIED.value},
                    ":update_key": {"S": claim.update_key},
                },
            )
        except ClientError as error:
            if not _is_condition_failure(error):
                raise


def _is_condition_failure(error: ClientError) -> bool:
    return error.response["Error"]["Code"] == "ConditionalCheckFailedException"


def _window(item: dict[str, AttributeValueTypeDef]) -> Window:
    return Window(
        update_key=item["update_key"]["S"],
        state=State(item["notification_state"]["S"]),
        suppressed_until_ms=int(item["suppressed_until_ms"]["N"]),
    )
