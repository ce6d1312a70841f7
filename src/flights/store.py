"""The data bucket: the archive's objects to read, a day's flights to write, and of what they were made."""

from __future__ import annotations

import hashlib
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from common import flight_book
from common.s3_errors import status_of
from flights import days, schema

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from pathlib import Path

    from mypy_boto3_s3 import S3Client

RULES: Final = "1"
"""Which rules flights are made by: another number, and the next run makes those of the last days again."""

_UPDATES: Final = "archive/updates/"
_MADE_OF: Final = "made-of"
_TRIES: Final = 3
"""Of a download that ends too early; botocore repeats requests by itself."""

_CHUNK: Final = 1024 * 1024


class Input(NamedTuple):
    """An object of the archive, and its tag: another content has another one."""

    key: str
    tag: str


class Store:
    """Reads and writes; raises what botocore raises."""

    def __init__(self, s3: S3Client, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def inputs(self, day: date) -> list[Input]:
        """Return the objects that the flights of a day are made of, in the order of time."""
        hours = {f"{hour:date=%Y-%m-%d/hour=%H/}" for hour in days.hours(day)}
        found: list[Input] = []
        for folder in sorted({hour.partition("/")[0] + "/" for hour in hours}):
            pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=_UPDATES + folder)
            found += [
                Input(listed["Key"], listed["ETag"])
                for page in pages
                for listed in page.get("Contents", [])
                if listed["Key"].removeprefix(_UPDATES).rpartition("/")[0] + "/" in hours
                and listed["Key"].endswith(".parquet")
            ]
        return found

    def is_made_of(self, day: date, inputs: Sequence[Input]) -> bool:
        """Return whether the day's flights are there already, made of just these objects by these rules."""
        try:
            head = self._s3.head_object(Bucket=self._bucket, Key=schema.key(f"{day:%Y-%m-%d}"))
        except ClientError as error:
            if status_of(error) == HTTPStatus.NOT_FOUND:
                return False
            raise
        return head["Metadata"].get(_MADE_OF) == _digest(inputs)

    def download(self, key: str, target: Path) -> bool:
        """Copy an object into a file; return False if it is not there any more."""
        for attempt in range(_TRIES):
            try:
                with target.open("wb") as file:
                    for chunk in self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].iter_chunks(_CHUNK):
                        file.write(chunk)
            except ClientError as error:
                if status_of(error) == HTTPStatus.NOT_FOUND:
                    return False
                raise
            except (HTTPError, BotoCoreError):
                if attempt == _TRIES - 1:
                    raise
            else:
                break
        return True

    def put(self, day: date, book: Path, parquet: Path, inputs: Sequence[Input]) -> None:
        """Write a day's objects. The Parquet object, which says of what they were made, comes last."""
        text = f"{day:%Y-%m-%d}"
        with book.open("rb") as file:
            self._s3.put_object(
                Bucket=self._bucket, Key=flight_book.key(text), Body=file, ContentType="application/octet-stream"
            )
        with parquet.open("rb") as file:
            self._s3.put_object(
                Bucket=self._bucket,
                Key=schema.key(text),
                Body=file,
                ContentType="application/vnd.apache.parquet",
                Metadata={_MADE_OF: _digest(inputs)},
            )


def _digest(inputs: Sequence[Input]) -> str:
    return hashlib.sha256("\n".join([RULES, *(f"{one.key} {one.tag}" for one in inputs)]).encode()).hexdigest()
