"""An object in S3 that only a later version replaces, whoever writes and however late."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from common.s3_errors import CONFLICTS, status_of
from live.errors import SnapshotError
from live.order import Order

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import HeadObjectOutputTypeDef

_ORDER = "order"
"""The object's metadata that has its order."""


class OrderedObject:
    """An object, and what this process knows of it. Its methods raise what botocore raises."""

    def __init__(self, client: S3Client, bucket: str, key: str) -> None:
        self.key = key
        self.is_known = False
        self.order: Order | None = None
        """Of what is there, as last written or looked at; None: there is nothing, or it is not one of ours."""
        self._client = client
        self._bucket = bucket
        self._tag: str | None = None

    @property
    def is_there(self) -> bool:
        """Whether there is an object, one of ours or not, as last written or looked at."""
        return self._tag is not None

    def look(self) -> None:
        """Look up what is in S3, unless it is known."""
        if self.is_known:
            return
        self._tag = self.order = None
        try:
            found = self._client.head_object(Bucket=self._bucket, Key=self.key)
        except Exception as error:
            if status_of(error) != HTTPStatus.NOT_FOUND:
                raise
        else:
            self._tag, self.order = found["ETag"], _order_of(found)  # what is not one of ours is replaced
        self.is_known = True

    def is_before(self, order: Order) -> bool:
        """Return whether what is there may be replaced by something of that order."""
        return self.order is None or self.order < order

    def replace(self, body: bytes, order: Order) -> bool:
        """Write it if it is unchanged since it was last seen; return whether it was."""
        condition = {"IfNoneMatch": "*"} if self._tag is None else {"IfMatch": self._tag}
        self.is_known = False  # until S3 has answered
        try:
            tag = _put(self._client, self._bucket, self.key, body, order, **condition)
        except Exception as error:
            if status_of(error) in (CONFLICTS | {HTTPStatus.NOT_FOUND}):
                return False
            raise
        self._tag, self.order, self.is_known = tag, order, True
        return True


def put_once(client: S3Client, bucket: str, key: str, body: bytes, order: Order) -> None:
    """Write an object that nothing older replaces. One of the same order is the same: a retry has the same records.

    Raises
    ------
    botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError
        It is not there, or not for certain.
    """
    try:
        _put(client, bucket, key, body, order, IfNoneMatch="*")
    except Exception as error:
        if status_of(error) != HTTPStatus.PRECONDITION_FAILED:
            raise
        found = client.head_object(Bucket=bucket, Key=key)
        there = _order_of(found)
        if there is not None and there < order:  # the copy that another environment left of what was shown by then
            _put(client, bucket, key, body, order, IfMatch=found["ETag"])


def _order_of(found: HeadObjectOutputTypeDef) -> Order | None:
    """Return the order of an object; None if it is not one of ours."""
    try:
        return Order.from_text(found.get("Metadata", {}).get(_ORDER, ""))
    except SnapshotError:
        return None


def _put(client: S3Client, bucket: str, key: str, body: bytes, order: Order, **condition: Any) -> str:
    """Write an object with its order beside it; return its tag."""
    answer = client.put_object(Bucket=bucket, Key=key, Body=body, Metadata={_ORDER: order.text()}, **condition)
    return answer["ETag"]
