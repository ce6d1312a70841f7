"""Lists objects of S3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from common.acknowledgements import UnacknowledgedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_s3 import S3Client


class Listed(NamedTuple):
    """An object as a bucket lists it: another content has another tag; its size is in bytes."""

    key: str
    tag: str
    size: int


def listed(s3: S3Client, bucket: str, prefix: str, after: str = "") -> Iterator[Listed]:
    """Yield the objects below a prefix, in the order of their keys; those that come after a key, if one is given.

    Raises
    ------
    common.acknowledgements.UnacknowledgedError
        An entry lacks what S3 says of each object.
    """
    start: Any = {"StartAfter": after} if after else {}
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, **start):
        for entry in page.get("Contents", []):
            yield _listed(entry)


def _listed(entry: Any) -> Listed:
    lacking = [name for name in ("Key", "ETag", "Size") if name not in entry]
    if lacking:
        wrong = f"has an entry ({entry.get('Key', 'of no name')}) without {', '.join(lacking)}"
        raise UnacknowledgedError(operation="ListObjectsV2", wrong=wrong)
    return Listed(entry["Key"], entry["ETag"], entry["Size"])
