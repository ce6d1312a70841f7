"""The data bucket: reads the archive's objects, writes a day's flights, and records their inputs."""

from __future__ import annotations

import hashlib
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, NamedTuple

from botocore.exceptions import ClientError

from common import flight_book, s3_download, s3_listing
from common.retries import again
from common.s3_errors import status_of
from flights import days, schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from mypy_boto3_s3 import S3Client

    from flights.parts import Part

RULES: Final = "5"
"""Which rules flights are made by: another number, and the next run makes those of the last days again."""

_UPDATES: Final = "archive/updates/"
_MADE_OF: Final = "made-of"
_TRIES: Final = 3
"""Of a download that ends too early; botocore repeats requests by itself."""

TAIL: Final = 512 * 1024
"""Bytes of an object's end that are read first: all of a small hour, and what describes one of the world's."""


class Input(NamedTuple):
    """An object of the archive, and its tag: another content has another one."""

    key: str
    tag: str


class Tail(NamedTuple):
    """What is in a file of an object: its bytes from `begin` on, its last ones among them in `last`."""

    tag: str
    begin: int
    size: int
    last: bytes


class Counts(NamedTuple):
    """What a part is made of, and how many flights it has."""

    updates: int
    flights: int
    made_of: str
    """The digest of the objects that were read for it."""


class ChangedError(Exception):
    """An object was replaced while it was read, or could not be found though it is listed."""


class Store:
    """Reads and writes; raises what botocore raises."""

    def __init__(self, s3: S3Client, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def inputs(self, day: date) -> list[Input]:
        """Return the objects that the flights of a day are made of, in the order of time."""
        hours = {f"date={hour.date()}/hour={hour.hour:02}/" for hour in days.hours(day)}
        found: list[Input] = []
        for folder in sorted({hour.partition("/")[0] + "/" for hour in hours}):
            found += [
                Input(one.key, one.tag)
                for one in s3_listing.listed(self._s3, self._bucket, _UPDATES + folder)
                if one.key.removeprefix(_UPDATES).rpartition("/")[0] + "/" in hours and one.key.endswith(".parquet")
            ]
        return found

    def is_listed(self, key: str) -> bool:
        """Return whether a listing names an object now."""
        beside = key.rpartition("/")[0] + "/"
        return any(one.key == key for one in s3_listing.listed(self._s3, self._bucket, beside))

    def made_of(self, day: str) -> str | None:
        """Return what says of which objects a day's flights are made, as `digest` gives it.

        None if its two objects are not there, or say different things: two runs wrote them at a time.
        """
        parquet, book = (self._metadata(key) or {} for key in (schema.key(day), flight_book.key(day)))
        said = parquet.get(_MADE_OF)
        return said if said == book.get(_MADE_OF) else None

    def tail(self, key: str, target: Path) -> Tail | None:
        """Make a file as large as an object, with its last bytes in their place; None if S3 has none."""

        def copy() -> Tail | None:
            got = s3_download.get(self._s3, self._bucket, key, Range=f"bytes=-{TAIL}")
            if got is None:
                return None
            data = got["Body"].read()
            begin, size = _range(got["ContentRange"])
            with target.open("wb") as file:
                file.truncate(size)
                file.seek(begin)
                file.write(data)
            return Tail(got["ETag"], begin, size, data[-8:])

        return again(copy, s3_download.ENDED_EARLY, _TRIES)

    def fill(self, key: str, tag: str, target: Path, ranges: Iterable[tuple[int, int]]) -> None:
        """Write these bytes of an object into their places in a file, each range without the one it ends with.

        Raises
        ------
        ChangedError
            The object has another tag by now.
        """

        def copy(begin: int, end: int) -> None:
            span = f"bytes={begin}-{end - 1}"
            got = s3_download.get(self._s3, self._bucket, key, Range=span, IfMatch=tag)
            if got is None:
                raise ChangedError(f"{key}: has been deleted while it was read")
            with target.open("r+b") as file:
                file.seek(begin)
                for chunk in got["Body"].iter_chunks(s3_download.CHUNK):
                    file.write(chunk)

        for begin, end in ranges:
            try:
                again(partial(copy, begin, end), s3_download.ENDED_EARLY, _TRIES)
            except ClientError as error:
                if status_of(error) == HTTPStatus.PRECONDITION_FAILED:
                    raise ChangedError(f"{key}: has been replaced while it was read") from error
                raise

    def put(self, day: str, book: Path, parquet: Path, made_of: str) -> None:
        """Write a day's objects, each of which says of what it was made."""
        for path, key, content_type in (
            (book, flight_book.key(day), "application/octet-stream"),
            (parquet, schema.key(day), "application/vnd.apache.parquet"),
        ):
            with path.open("rb") as file:
                self._s3.put_object(
                    Bucket=self._bucket,
                    Key=key,
                    Body=file,
                    ContentType=content_type,
                    Metadata={_MADE_OF: made_of},
                )

    def part(self, part: Part) -> Counts | None:
        """Return what a part of a day came to, None if it is not made."""
        metadata = self._metadata(part.key)
        return None if metadata is None else _counts(metadata)

    def put_part(self, part: Part, lines: Path, counts: Counts) -> None:
        """Keep a part of a day."""
        with lines.open("rb") as file:
            self._s3.put_object(
                Bucket=self._bucket,
                Key=part.key,
                Body=file,
                ContentType="application/gzip",
                Metadata={
                    "updates": str(counts.updates),
                    "flights": str(counts.flights),
                    _MADE_OF: counts.made_of,
                },
            )

    def download_part(self, part: Part, target: Path) -> Counts | None:
        """Copy a part of a day into a file; return what it came to, None if it is not there."""
        got = s3_download.download(self._s3, self._bucket, part.key, target, _TRIES)
        return None if got is None else _counts(got["Metadata"])

    def _metadata(self, key: str) -> dict[str, str] | None:
        try:
            return self._s3.head_object(Bucket=self._bucket, Key=key)["Metadata"]
        except ClientError as error:
            if status_of(error) == HTTPStatus.NOT_FOUND:
                return None
            raise


def digest(inputs: Sequence[Input]) -> str:
    """Return what says of which objects, and by which rules, flights are made."""
    return hashlib.sha256("\n".join([RULES, *(f"{one.key} {one.tag}" for one in inputs)]).encode()).hexdigest()


def mixed(made_of: Iterable[str]) -> str:
    """Return what says of what a day is made whose pieces say this: where they differ, what no digest is."""
    found = sorted(set(made_of))
    return found[0] if len(found) == 1 else hashlib.sha256(" ".join(found).encode()).hexdigest()


def _range(content_range: str) -> tuple[int, int]:
    """Return where the bytes of an answer begin, and how many the object has: `bytes 200-1023/1024`."""
    span, _, size = content_range.removeprefix("bytes ").partition("/")
    return int(span.partition("-")[0]), int(size)


def _counts(metadata: Mapping[str, str]) -> Counts:
    return Counts(int(metadata["updates"]), int(metadata["flights"]), metadata.get(_MADE_OF, ""))
