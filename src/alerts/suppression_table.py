"""The suppression table in DynamoDB: claims a window atomically, and marks it once its alert is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from alerts.suppression import Claim, Decision, History, Span, State, Window, expires_at, judge

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from common.clock import Clock

_MOST_CONFLICTS: Final = 10
"""Claims of others on the same subject, each between our look and our write: a shard's records come one by one."""


class ContendedItemError(Exception):
    """Others kept writing the item while a claim was made; the record has to be sent again."""


class SuppressionTable:
    """One item for each subject and aircraft, with the windows of its latest alerts.

    Every write is conditional on what it was decided by, and a refused one returns the item that it met, so nothing has
    to be read. That is safe against a second writer (another shard, a redrive beside the event source mapping), and
    against the repetition of the write itself when an answer was lost: the second try finds its own claim.
    """

    def __init__(self, client: DynamoDBClient, table_name: str, clock: Clock) -> None:
        self._client = client
        self._table_name = table_name
        self._clock = clock

    def claim(self, claim: Claim) -> Decision:
        """Decide on the claim by what is remembered of its subject, and take a window for it if it has to be sent.

        Raises
        ------
        botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError
            The table did not answer, or refused for another reason than its condition.
        ContendedItemError
            The item changed each time before it could be written.
        """
        history = History()
        for _ in range(_MOST_CONFLICTS):
            decision = judge(claim, history)
            if decision.history is None:
                return decision
            met = self._put(claim, decision.history)
            if met is None:
                return decision
            history = met
        raise ContendedItemError(f"suppression item {claim.item_key}: changed {_MOST_CONFLICTS} times before a write")

    def _put(self, claim: Claim, history: History) -> History | None:
        """Write the item; if it is not the one that was seen any more, return what is there."""
        expected: dict[str, Any] = {
            # An item of an earlier format has no windows, and is written over.
            "ConditionExpression": "attribute_not_exists(windows)",
        }
        if history.version > 1:
            expected = {
                "ConditionExpression": "version = :seen",
                "ExpressionAttributeValues": {":seen": {"N": str(history.version - 1)}},
            }
        try:
            self._client.put_item(
                TableName=self._table_name,
                Item={
                    "rule_and_aircraft": {"S": claim.item_key},
                    "windows": {"M": {window.update_key: _written(window) for window in history.windows}},
                    "spans": {"L": [{"L": [_number(span.first_ms), _number(span.last_ms)]} for span in history.spans]},
                    "version": _number(history.version),
                    "expires_at": _number(expires_at(history.newest_ms, claim.suppression_ms, self._clock.now())),
                },
                ReturnConsumedCapacity="TOTAL",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **expected,
            )
        except ClientError as error:
            if not _is_condition_failure(error):
                raise
            # The item as it was when the condition was checked: reading it afterwards could show a newer one.
            return _history(error.response.get("Item"))
        return None

    def mark_notified(self, claim: Claim) -> None:
        """Note that the claim's alert was sent; where the window has been forgotten, nothing is done.

        Raises
        ------
        botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError
            The table did not answer, or refused for another reason than its condition.
        """
        try:
            self._client.update_item(
                TableName=self._table_name,
                Key={"rule_and_aircraft": {"S": claim.item_key}},
                ReturnConsumedCapacity="TOTAL",
                UpdateExpression="SET windows.#update.notification_state = :notified, version = version + :one",
                ConditionExpression="attribute_exists(windows.#update)",
                ExpressionAttributeNames={"#update": claim.update_key},
                ExpressionAttributeValues={":notified": {"S": State.NOTIFIED.value}, ":one": _number(1)},
            )
        except ClientError as error:
            if not _is_condition_failure(error):
                raise


def _is_condition_failure(error: ClientError) -> bool:
    return error.response["Error"]["Code"] == "ConditionalCheckFailedException"


def _number(value: int) -> dict[str, str]:
    return {"N": str(value)}


def _written(window: Window) -> dict[str, Any]:
    return {"M": {"notification_state": {"S": window.state.value}, "event_time_ms": _number(window.event_time_ms)}}


def _history(item: Any) -> History:
    """Read an item; none, as where DynamoDB has deleted it meanwhile, is an empty history."""
    if item is None:
        return History()
    windows = {key: window["M"] for key, window in item["windows"]["M"].items()}
    return History(
        frozenset(
            Window(key, State(window["notification_state"]["S"]), int(window["event_time_ms"]["N"]))
            for key, window in windows.items()
        ),
        tuple(Span(int(first["N"]), int(last["N"])) for first, last in (span["L"] for span in item["spans"]["L"])),
        int(item["version"]["N"]),
    )
