"""Reads an object of the state bucket: what it holds, and how old it is by S3's own clock."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from common import s3_body
from consumer.checkpoint.document import MAX_BYTES, shown
from consumer.errors import CheckpointError

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from mypy_boto3_s3 import S3Client

    from consumer.deadline import Deadline


@dataclass(frozen=True, slots=True)
class StoredObject:
    """What S3 gave: by its own clock the object was written so long ago, None if it does not say."""

    content: bytes
    etag: str
    modified: datetime
    age: timedelta | None


def read(s3: S3Client, bucket: str, key: str, deadline: Deadline | None) -> StoredObject | None:
    """Return an object, None where S3 says for certain that it is not there; not after the `deadline`.

    Raises
    ------
    CheckpointError
        It could not be read, or is larger than any checkpoint.
    """

    def get() -> StoredObject:
        answer = s3.get_object(Bucket=bucket, Key=key)
        modified = answer["LastModified"]
        content = s3_body.read(answer, MAX_BYTES + 1)
        return StoredObject(content, answer["ETag"], modified, _age(modified, answer["ResponseMetadata"]))

    try:
        found = get() if deadline is None else deadline.call("the checkpoint's read", get)
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchKey":
            return None
        raise _unreadable(bucket, key, error) from error
    except Exception as error:  # of an odd answer botocore's parsers raise whatever they stumble over
        raise _unreadable(bucket, key, error) from error
    if len(found.content) > MAX_BYTES:
        raise CheckpointError(
            f"s3://{bucket}/{key}: larger than {MAX_BYTES} bytes, which no checkpoint is; restore an older "
            "version of the object (the bucket keeps them), or delete it to start from the configured position"
        )
    return found


def _unreadable(bucket: str, key: str, error: Exception) -> CheckpointError:
    return CheckpointError(
        f"s3://{bucket}/{key}: could not be read ({shown(error)}); an unreadable checkpoint is not taken "
        "for a missing one, so nothing was read from the stream. Check the bucket and the consumer's role"
    )


def _age(modified: datetime, metadata: Any) -> timedelta | None:
    """Return how long ago the object was written, by S3's clock; None where the answer does not tell its time."""
    try:
        return parsedate_to_datetime(metadata["HTTPHeaders"]["date"]) - modified
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
