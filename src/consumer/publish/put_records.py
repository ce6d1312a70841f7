"""The PutRecords call: which entries were accepted, which to send again, and which errors are final."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from botocore import exceptions
from botocore.exceptions import ClientError, HTTPClientError

from common.printable import said
from consumer.errors import PublishError
from consumer.publish.kinesis_client import TAKEN
from consumer.rare_warning import RareWarning

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mypy_boto3_kinesis import KinesisClient

    from consumer.publish.kinesis_client import KinesisApi

_RETRYABLE = frozenset(
    {
        "InternalFailure",
        "KMSThrottlingException",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestTimeout",
        "ServiceUnavailable",
        "ThrottlingException",
    }
)
_CLIENT_ERROR, _SERVER_ERROR = 400, 500
_PASSING = frozenset({408, 425, 429})

_NOT_ACKNOWLEDGED = "Kinesis does not acknowledge what it is sent"


class Entry(Protocol):
    """What one record is sent with; without a hash key Kinesis chooses the shard by the key."""

    key: str
    data: bytes
    hash_key: str | None


class PutRecords:
    """Sends batches to one stream.

    A lost answer is ambiguous: the records may be there. They are sent again, and consumers drop what they know.
    """

    def __init__(self, kinesis: KinesisApi | KinesisClient, stream_name: str) -> None:
        """Use a client with retries switched off: a whole batch that it sent again would go unnoticed."""
        self._kinesis = kinesis
        self._stream_name = stream_name
        self._failed_calls = RareWarning()
        self._failed_records = RareWarning()

    def send(self, batch: Sequence[Entry]) -> list[str | None]:
        """Send one batch; return for each record the shard that has it now, None where Kinesis did not take it.

        Why it did not is logged, though not each time: a run that gets nowhere must not end without a word. The shard's
        id may be empty where the record has no hash key.

        Raises
        ------
        PublishError
            Sending again would not help: the stream is not there, or may not be written to.
        """
        try:
            answer = self._kinesis.put_records(
                StreamName=self._stream_name,
                Records=[
                    {"Data": record.data, "PartitionKey": record.key}
                    if record.hash_key is None
                    else {"Data": record.data, "PartitionKey": record.key, "ExplicitHashKey": record.hash_key}
                    for record in batch
                ],
            )
        except Exception as error:
            if is_temporary(error):
                self._failed_calls.warning(_NOT_ACKNOWLEDGED, reason=said(error))
                return [None] * len(batch)
            raise PublishError(
                f"Kinesis stream {self._stream_name}: PutRecords was refused ({said(error)}); the updates since the "
                "committed position token will be read again. Check that the stream exists and that the "
                "consumer's role allows kinesis:PutRecords on it"
            ) from error
        entries = answer["Records"]
        if len(entries) != len(batch):
            self._failed_calls.warning(_NOT_ACKNOWLEDGED, reason=f"{len(entries)} answers to {len(batch)} records")
            return [None] * len(batch)
        shards = [
            "" if entry is TAKEN else _shard_of(entry, record) for entry, record in zip(entries, batch, strict=True)
        ]
        if None in shards:
            self._warn_of(entries[shards.index(None)], shards.count(None), len(shards))
        return shards

    def close(self) -> None:
        """Say what was left out of the log."""
        self._failed_calls.close()
        self._failed_records.close()

    def _warn_of(self, first: Mapping[str, Any], failed: int, sent: int) -> None:
        """Log that some records of a call were not taken, and why the first of them was not."""
        self._failed_records.warning(
            "Kinesis does not take some records",
            code=said(first.get("ErrorCode") or "no sequence number, or no shard"),
            reason=said(first.get("ErrorMessage") or ""),
            records=failed,
            of=sent,
        )


def _shard_of(entry: Mapping[str, Any], record: Entry) -> str | None:
    """Return the shard that a record is in; None unless the answer has a sequence number for it.

    A record with a hash key is not assumed to be in its shard if the answer does not say which shard it is in.
    """
    if "ErrorCode" in entry or not entry.get("SequenceNumber"):
        return None
    shard_id: str = entry.get("ShardId", "")
    return shard_id if shard_id or record.hash_key is None else None


def is_temporary(error: Exception) -> bool:
    """Return whether a call to Kinesis that failed so may succeed if it is made again."""
    if isinstance(error, ClientError):
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        is_refusal = _CLIENT_ERROR <= status < _SERVER_ERROR and status not in _PASSING
        return error.response["Error"]["Code"] in _RETRYABLE or not is_refusal
    # No connection, no answer in time, connection reset.
    return isinstance(error, exceptions.ConnectionError | HTTPClientError)
