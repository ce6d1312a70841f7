"""The data bucket: live objects, window rows, alerts and flights, read on demand."""

from __future__ import annotations

import gzip
import io
import zlib
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from common import s3_body, s3_listing
from common.s3_errors import is_absent, status_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_s3 import S3Client

_MOST_BYTES = 64 * 1024 * 1024
"""Of one object: a larger one is not ours."""

_MOST_INFLATED = 128 * 1024 * 1024
"""Bytes of one object's lines: eight of the buffers that Firehose has in `template.yaml`, and the largest that it
takes. It lets them grow while it cannot deliver."""

_MOST_LINES = 1 << 20
"""Of one object: so many as fit into that if each has 128 bytes. A row has more than 200."""

_LONGEST_LINE = 1_024_000
"""Bytes: those of the largest record that Firehose takes, and rows are never cut."""


class DamagedObjectError(Exception):
    """An object is not what was written; what its bytes tell up to the damage is good.

    `size` is how many bytes were fetched of it.
    """

    def __init__(self, text: str, size: int) -> None:
        super().__init__(text)
        self.size = size


class Bucket:
    """Reads objects. Its methods raise what botocore raises, but for objects that are not there.

    The role may list the bucket (`FindRowsAndAlerts` in `template.yaml`), so that a 403 is a refusal.
    """

    def __init__(self, s3: S3Client, name: str) -> None:
        self._s3 = s3
        self._name = name

    def get(self, key: str, known: str | None) -> tuple[str, bytes] | None:
        """Return an object's tag and content, None if it is not there; no content if it has the `known` tag still."""
        condition = {} if known is None else {"IfNoneMatch": known}
        try:
            got = self._s3.get_object(Bucket=self._name, Key=key, **condition)  # type: ignore[arg-type]
        except ClientError as error:
            status = status_of(error)
            if status == HTTPStatus.NOT_MODIFIED and known is not None:
                return known, b""
            if is_absent(error):
                return None
            raise
        return got["ETag"], s3_body.read(got, _MOST_BYTES)

    def part(
        self, key: str, start: int, size: int, *, known: str | None = None, wanted: str | None = None
    ) -> tuple[str, bytes] | None:
        """Return an object's tag and up to `size` bytes of it from `start`; fewer at its end.

        None if it is not there, or if its tag is not the `wanted` one; no content if it still has the `known` tag.
        """
        conditions = {"IfNoneMatch": known, "IfMatch": wanted}
        given: Any = {name: tag for name, tag in conditions.items() if tag is not None}
        try:
            got = self._s3.get_object(Bucket=self._name, Key=key, Range=f"bytes={start}-{start + size - 1}", **given)
        except ClientError as error:
            status = status_of(error)
            if status == HTTPStatus.NOT_MODIFIED and known is not None:
                return known, b""
            is_replaced = status == HTTPStatus.PRECONDITION_FAILED and wanted is not None
            if is_replaced or is_absent(error):
                return None
            if status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:  # it ends before
                return wanted or "", b""
            raise
        return got["ETag"], s3_body.read(got, size)

    def keys(self, prefix: str, after: str) -> Iterator[str]:
        """Return the objects below a prefix that come after a key, in their order."""
        return (one.key for one in s3_listing.listed(self._s3, self._name, prefix, after))

    def read(self, key: str, most: int = _MOST_BYTES) -> bytes:
        """Return an object.

        Raises
        ------
        DamagedObjectError
            It has more than `most` bytes.
        """
        data = s3_body.read(self._s3.get_object(Bucket=self._name, Key=key), most + 1)
        if len(data) > most:
            raise DamagedObjectError(f"{key}: more than {most} bytes", len(data))
        return data

    def lines(self, key: str) -> Iterator[bytes]:
        """Yield an object's lines, inflated if it is gzip; one at the least, as Firehose writes nothing empty.

        Raises
        ------
        DamagedObjectError
            The lines before the damage have been yielded. More than Firehose can have written counts as damage.
        """
        data = self.read(key)
        source = gzip.GzipFile(fileobj=io.BytesIO(data)) if data[:2] == b"\x1f\x8b" else io.BytesIO(data)
        inflated = number = 0
        with source:
            try:
                while line := source.readline(_LONGEST_LINE + 1):
                    inflated, number = inflated + len(line), number + 1
                    if len(line) > _LONGEST_LINE or inflated > _MOST_INFLATED or number > _MOST_LINES:
                        raise DamagedObjectError(f"{key}: more than Firehose writes, from line {number} on", len(data))
                    yield line.rstrip(b"\n")
            except (OSError, EOFError, zlib.error) as error:
                raise DamagedObjectError(f"{key} is damaged: {error}", len(data)) from error
        if not number:
            raise DamagedObjectError(f"{key}: nothing in it", len(data))
