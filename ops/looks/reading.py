"""What `ops status` reads of a stack at one moment: objects, lists of them, metrics, the consumer's status."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import ClientError

from live import objects
from ops import metrics
from ops.duration import shown
from ops.errors import code

if TYPE_CHECKING:
    from datetime import timedelta

    from ops.metrics import Query
    from ops.stack import Stack

MOST_LISTED = 1_000
"""Objects of one listing; what is beyond is not counted."""

_ABSENT = {"NoSuchKey", "404"}


class Reading:
    """A stack at the moment `now`, with metrics of the last `span`."""

    def __init__(self, stack: Stack, span: timedelta) -> None:
        self.stack = stack
        self.span = span
        self.s3 = stack.client("s3")
        self.now = datetime.now(UTC)

    def metrics(self, queries: dict[str, Query]) -> dict[str, float]:
        """Return the value of each query that has one, by the query's key."""
        return metrics.read(self.stack.client("cloudwatch"), queries, self.now, self.span)

    def get(self, bucket: str, key: str) -> bytes | None:
        """Return an object of the bucket of this logical id; None if there is no such object."""
        try:
            return bytes(self.s3.get_object(Bucket=self.stack[bucket], Key=key)["Body"].read())
        except ClientError as error:
            if code(error) in _ABSENT:
                return None
            raise

    def status(self) -> dict[str, Any] | None:
        """Return what the consumer wrote about its run; None before the first one."""
        body = self.get("DataBucket", objects.STATUS)
        return None if body is None else msgspec.json.decode(body, type=dict[str, Any])

    def list(self, bucket: str, prefix: str) -> list[dict[str, Any]]:
        """Return the first `MOST_LISTED` objects under a prefix, as S3 lists them."""
        answer = self.s3.list_objects_v2(Bucket=self.stack[bucket], Prefix=prefix, MaxKeys=MOST_LISTED)
        return [*answer.get("Contents", [])]

    def age(self, moment: str | None) -> float | None:
        """Return how many seconds ago an ISO 8601 time was."""
        return None if moment is None else (self.now - datetime.fromisoformat(moment)).total_seconds()


def span_text(seconds: float | None) -> str:
    """Return seconds as people read them."""
    return "unknown" if seconds is None else shown(max(0.0, seconds))


def runbook(name: str) -> str:
    """Return where it says what to do."""
    return f"runbook: docs/operations/{name}.md"
