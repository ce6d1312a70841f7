"""What `ops status` reads of a stack at one moment: objects, lists of them, metrics, the consumer's status."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from live import objects
from ops import metrics, stored
from ops.duration import shown

if TYPE_CHECKING:
    from datetime import timedelta

    from ops.metrics import Query
    from ops.stack import Stack
    from ops.stored import Status

MOST_LISTED = 1_000
"""Objects of one listing; what is beyond is not counted."""


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
        return stored.get(self.stack, bucket, key)

    def status(self) -> Status | None:
        """Return what the consumer wrote about its run; None before the first one."""
        return stored.read(self.stack, "DataBucket", objects.STATUS, stored.Status)

    def list(self, bucket: str, prefix: str) -> list[dict[str, Any]]:
        """Return the first `MOST_LISTED` objects under a prefix, as S3 lists them."""
        answer = self.s3.list_objects_v2(Bucket=self.stack[bucket], Prefix=prefix, MaxKeys=MOST_LISTED)
        return [*answer.get("Contents", [])]

    def age(self, moment: datetime | None) -> float | None:
        """Return how many seconds ago a time was."""
        return None if moment is None else (self.now - moment).total_seconds()


def span_text(seconds: float | None) -> str:
    """Return seconds as people read them."""
    return "unknown" if seconds is None else shown(max(0.0, seconds))


def runbook(name: str) -> str:
    """Return where it says what to do."""
    return f"runbook: docs/operations/{name}.md"
