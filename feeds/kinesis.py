"""The Kinesis client of commands: AWS's usual settings, throttles counted, errors as sentences."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

import boto3
from botocore import exceptions
from botocore.config import Config

from common.printable import printable
from feeds.errors import FeedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_kinesis import KinesisClient

_THROTTLES = frozenset({"LimitExceededException", "ProvisionedThroughputExceededException", "ThrottlingException"})
_DENIED = frozenset({"AccessDenied", "AccessDeniedException"})
_NOT_ACCEPTED = frozenset(
    {
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "UnrecognizedClientException",
    }
)
_NO_CREDENTIALS = (
    exceptions.NoCredentialsError,
    exceptions.PartialCredentialsError,
    exceptions.CredentialRetrievalError,
    exceptions.TokenRetrievalError,
    exceptions.SSOError,
)


class Kinesis:
    """Boto3's client with retries switched off, as the consumer's publisher wants it; counts what was throttled."""

    def __init__(self, stream: str, *, region: str | None, endpoint: str | None) -> None:
        """Make the client for a stream; what is None is by AWS's usual settings (environment, profile).

        Raises
        ------
        FeedError
            There is no region, or a setting is wrong.
        """
        self.throttled = 0
        self.trouble = ""
        self._stream = stream
        self._lock = threading.Lock()
        config = Config(connect_timeout=3, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 1})
        try:
            session = boto3.Session()
            # Boto3 itself reads AWS_DEFAULT_REGION alone, other AWS tools this one.
            self.region = region or os.environ.get("AWS_REGION") or session.region_name
            if not self.region:
                raise exceptions.NoRegionError
            self._client: KinesisClient = session.client(
                "kinesis", region_name=self.region, endpoint_url=endpoint, config=config
            )
        except (exceptions.BotoCoreError, ValueError) as error:
            raise FeedError(sentence(error, stream, region or "?")) from error

    def check(self, *, lists_shards: bool) -> None:
        """See that the stream is there and credentials are accepted; `lists_shards`: whether that right is needed.

        Raises
        ------
        FeedError
            It is not, or nothing can be reached.
        """
        try:
            self._client.list_shards(StreamName=self._stream, MaxResults=1)
        except exceptions.ClientError as error:
            code = error.response["Error"]["Code"]
            if code in _THROTTLES or (code in _DENIED and not lists_shards):
                return  # neither says that records cannot be put
            raise FeedError(sentence(error, self._stream, self.region)) from error
        except exceptions.BotoCoreError as error:
            raise FeedError(sentence(error, self._stream, self.region)) from error

    def put_records(self, **call: Any) -> Any:
        """Make the call, as boto3's client does, and count what was throttled."""
        try:
            answer = self._client.put_records(**call)
        except exceptions.ClientError as error:
            code = error.response["Error"]["Code"]
            self._note(code, len(call["Records"]) if code in _THROTTLES else 0)
            raise
        except exceptions.BotoCoreError as error:
            self._note(printable(str(error), 200), 0)
            raise
        codes = [entry["ErrorCode"] for entry in answer["Records"] if entry.get("ErrorCode")]
        self._note(codes[0] if codes else "", sum(code in _THROTTLES for code in codes))
        return answer

    def list_shards(self, **call: Any) -> Any:
        """Make the call, as boto3's client does."""
        return self._client.list_shards(**call)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _note(self, trouble: str, throttled: int) -> None:
        with self._lock:
            self.trouble = trouble
            self.throttled += throttled


def sentence(error: BaseException, stream: str, region: str) -> str:
    """Return what happened, to what, and what to do, for an error of a call or of one that was made because of it."""
    where = f"Kinesis stream {stream} in {region}"
    for cause in _causes(error):
        if isinstance(cause, exceptions.NoRegionError):
            return "no AWS region is set; give --region, or set AWS_REGION or a region in the profile"
        if isinstance(cause, _NO_CREDENTIALS):
            return (
                f"no AWS credentials were found ({printable(str(cause), 200)}); set AWS_PROFILE, or log in, "
                "as for any other AWS command"
            )
        if isinstance(cause, exceptions.ParamValidationError):
            return f"{stream!r} is not a stream's name; expected one such as the output UpdatesStreamName of a stack"
        if isinstance(cause, exceptions.ClientError):
            return _of_an_answer(cause, where)
        if isinstance(cause, exceptions.ConnectionError | exceptions.HTTPClientError):
            reason = printable(str(cause), 200)
            return f"{where} cannot be reached: {reason}; check the network, --region and --endpoint"
    return f"{where}: {printable(str(error), 300)}"


def _of_an_answer(error: exceptions.ClientError, where: str) -> str:
    code, message = error.response["Error"]["Code"], printable(error.response["Error"].get("Message", ""), 200)
    if code == "ResourceNotFoundException":
        return f"{where}: there is no such stream; check its name, the region and whose credentials these are"
    if code in _DENIED:
        return (
            f"{where}: access denied ({message}); the credentials need kinesis:PutRecords on it, for envelopes "
            "kinesis:ListShards too, and kms:GenerateDataKey where it is encrypted with a key of your own"
        )
    if code in _NOT_ACCEPTED:
        return f"{where}: AWS does not accept these credentials ({code}: {message}); renew them, or choose others"
    return f"{where}: {code}: {message}"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__
