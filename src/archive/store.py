"""The data bucket: raw objects to read, the archive's objects and ledgers to replace on condition."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from archive import ledger as ledgers
from archive.hours import RAW_PREFIX, archive_key, folder, ledger_key
from archive.ledger import Ledger
from common import s3_download, s3_listing
from common.s3_errors import CONFLICTS, status_of

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from mypy_boto3_s3 import S3Client

    from common.s3_listing import Listed

_TRIES: Final = 4
"""Of a download that ends too early; botocore repeats requests by itself."""


class ChangedError(Exception):
    """Somebody else has written the object meanwhile: read it again."""


class NotAsListedError(Exception):
    """What S3 gives is not what it has listed."""


class Store:
    """Reads and writes. A tag names a version of an object; None is the one that is not there.

    The methods raise what botocore raises, `ChangedError` where they replace.
    """

    def __init__(self, s3: S3Client, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def raw_objects(self, arrival: datetime) -> list[Listed]:
        """Return the raw objects of an hour of arrival, in the order of their keys."""
        return list(s3_listing.listed(self._s3, self._bucket, RAW_PREFIX + folder(arrival)))

    def ledger(self, arrival: datetime) -> tuple[Ledger, str | None]:
        """Return the ledger of an hour of arrival and its tag; what cannot be read as one counts as empty.

        The worst consequence is that objects are read again, which changes nothing.
        """
        found = s3_download.get(self._s3, self._bucket, ledger_key(arrival))
        if found is None:
            return Ledger(), None
        try:
            return ledgers.decode(found["Body"].read()), found["ETag"]
        except ValueError:
            return Ledger(), found["ETag"]

    def put_ledger(self, arrival: datetime, ledger: Ledger, tag: str | None) -> None:
        """Replace the ledger that has this tag."""
        self._put(ledger_key(arrival), ledgers.encode(ledger), "application/json", tag)

    def download(self, raw: Listed, target: Path) -> str:
        """Copy a raw object into a file; return its tag.

        Raises
        ------
        NotAsListedError
            It is not there, or of another size than was listed: it was cut off on its way, or has been replaced.
        """
        tag = self._download(raw.key, target)
        if tag is None:
            raise NotAsListedError("listed, and not there when it was read")
        size = target.stat().st_size
        if size != raw.size:
            raise NotAsListedError(f"listed with {raw.size:,} bytes, and came with {size:,}")
        return tag

    def download_archived(self, hour: int, target: Path) -> str | None:
        """Copy an hour's object into a file; return its tag, None if there is none."""
        return self._download(archive_key(hour), target)

    def _download(self, key: str, target: Path) -> str | None:
        found = s3_download.download(self._s3, self._bucket, key, target, _TRIES)
        return None if found is None else str(found["ETag"])

    def put_archived(self, hour: int, source: Path, tag: str | None) -> None:
        """Replace the hour's object that has this tag by a file."""
        with source.open("rb") as file:
            self._put(archive_key(hour), file, "application/vnd.apache.parquet", tag)

    def _put(self, key: str, body: Any, content_type: str, tag: str | None) -> None:
        condition: Any = {"IfNoneMatch": "*"} if tag is None else {"IfMatch": tag}
        try:
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=body, ContentType=content_type, **condition)
        except ClientError as error:
            status = status_of(error)
            if status in CONFLICTS or (status == HTTPStatus.NOT_FOUND and tag is not None):
                raise ChangedError(key) from None
            raise
