"""Reads objects of S3 that may be absent, and again where an answer ends too early."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from common.retries import again
from common.s3_errors import is_absent

if TYPE_CHECKING:
    from pathlib import Path

    from mypy_boto3_s3 import S3Client

ENDED_EARLY: Final = (HTTPError, BotoCoreError)
"""What reading a body raises that is cut off; botocore repeats requests by itself, and these not."""

CHUNK: Final = 1024 * 1024
"""Bytes of a body that are held."""


def get(s3: S3Client, bucket: str, key: str, **of: Any) -> Any:
    """Return the answer to GetObject, None if S3 says that the object is not there."""
    try:
        return s3.get_object(Bucket=bucket, Key=key, **of)
    except ClientError as error:
        if is_absent(error):
            return None
        raise


def download(s3: S3Client, bucket: str, key: str, target: Path, tries: int) -> Any:
    """Copy an object into a file; return the answer, whose body is read, None if the object is not there."""

    def copy() -> Any:
        got = get(s3, bucket, key)
        if got is not None:
            with target.open("wb") as file:
                for chunk in got["Body"].iter_chunks(CHUNK):
                    file.write(chunk)
        return got

    return again(copy, ENDED_EARLY, tries)
