"""The PutRecords call: which entries Kinesis took, which to send again, and what is final."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from consumer.errors import PublishError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mypy_boto3_kinesis import KinesisClient

    from consumer.kinesis_api import KinesisApi
    from consumer.sequencer import Record

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
_SERVER_ERROR = 500


class PutRecords:
    """Sends batches to one stream.

    A lost answer is ambiguous: the records may be there. They are sent again, and consumers drop what they know.
    """

    def __init__(self, kinesis: KinesisApi | KinesisClient, stream_name: str) -> None:
        """Use a client without retries of its own: a whole batch sent again by it could not be told apart."""
        self._kinesis = kinesis
        self._stream_name = stream_name

    def send(self, batch: Sequence[Record]) -> list[bool]:
        """Send one batch; return for each record whether Kinesis has acknowledged it.

        Raises
        ------
        PublishError
            Sending again would not help: the stream is not there, or may not be written to.
        """
        try:
            answer = self._kinesis.put_records(
                StreamName=self._stream_name,
                Records=[{"Data": record.data, "PartitionKey": record.key} for record in batch],
            )
        except ClientError as error:
            code = error.response["Error"]["Code"]
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            if code in _RETRYABLE or status >= _SERVER_ERROR:
                return [False] * len(batch)
            raise PublishError(
                f"Kinesis stream {self._stream_name}: PutRecords was refused ({error}); the updates since the "
                "committed position token will be read again. Check that the stream exists and that the "
                "consumer's role allows kinesis:PutRecords on it"
            ) from error
        except (exceptions.ConnectionError, HTTPClientError):  # no connection, no answer in time, connection reset
            return [False] * len(batch)
        except BotoCoreError as error:
            raise PublishError(f"Kinesis stream {self._stream_name}: PutRecords could not be sent: {error}") from error
        return ["ErrorCode" not in entry for entry in answer["Records"]]
