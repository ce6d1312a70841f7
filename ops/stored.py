"""Objects that a stack's functions write for others, as they are read here: typed, and named where they are damaged."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from botocore.exceptions import ClientError

from live import objects
from live.status import pause
from ops.errors import DamagedError, code

if TYPE_CHECKING:
    from ops.stack import Stack

CHECKPOINT = "checkpoint.json"

_ABSENT = {"NoSuchKey", "404"}
_LONGEST = 16 * 1024 * 1024
"""Bytes; none of them comes near, and what is larger is of somebody else."""

type Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class Range(msgspec.Struct):
    """A span of time that is being recovered."""

    start: str
    end: str


class Status(msgspec.Struct):
    """`live/status.json`: how the consumer's run is."""

    written_at: Moment | None = None
    committed_token_age_seconds: float | None = None
    source_lag_seconds: float | None = None
    received_per_second: float = 0.0
    published_per_second: float = 0.0
    reading_share: float = 0.0
    recovering_gap: Range | None = None
    run_failed: str | None = None
    visits_every_seconds: float | None = None

    @property
    def pause(self) -> float:
        """For how many seconds nothing need be written, since the stream is read periodically; 0 if it is not."""
        return pause({"visits_every_seconds": self.visits_every_seconds})


class Lease(msgspec.Struct):
    """Until when a run holds the checkpoint."""

    expires_at: Moment


class Checkpoint(msgspec.Struct):
    """`checkpoint.json`, of which the lease is read."""

    lease: Lease | None = None


class Shards(msgspec.Struct):
    """`live/shards.json`."""

    shards: dict[str, Any]
    window_seconds: int = 0


class Alert(msgspec.Struct):
    """An alert, as far as it is read here."""

    id: str
    sent_at: Moment | None = None


class Alerts(msgspec.Struct):
    """`live/alerts.json`: the newest first, each as it was written."""

    alerts: list[dict[str, Any]]


_MENDS = {
    CHECKPOINT: "docs/operations/consumer-errors.md says how to bring an older version back",
    objects.STATUS: "The consumer's next run writes it again within seconds",
    objects.SHARDS: "Remove it: the aggregator's next snapshot writes it again",
    objects.ALERTS: "Remove it: the next alert writes it again, and alerts/ in the data bucket has all of them",
}


def get(stack: Stack, bucket: str, key: str) -> bytes | None:
    """Return an object of the bucket of this logical id; None if there is no such object."""
    try:
        body = stack.client("s3").get_object(Bucket=stack[bucket], Key=key)["Body"]
        return bytes(body.read(_LONGEST))
    except ClientError as error:
        if code(error) in _ABSENT:
            return None
        raise


def read[T](stack: Stack, bucket: str, key: str, kind: type[T]) -> T | None:
    """Return what an object says; None if there is no such object.

    Raises
    ------
    DamagedError
        It is damaged.
    """
    body = get(stack, bucket, key)
    return None if body is None else decoded(body, key, kind)


def decoded[T](body: bytes, key: str, kind: type[T]) -> T:
    """Return what an object's bytes say.

    Raises
    ------
    DamagedError
        They are not what a function of the stack writes there.
    """
    try:
        return msgspec.json.decode(body, type=kind)
    except (ValueError, RecursionError) as error:
        raise DamagedError(f"{key}: damaged: {error}. {_MENDS[key]}") from error


def converted[T](value: Any, key: str, kind: type[T]) -> T:
    """Return a part of an object, with the errors of `decoded`."""
    try:
        return msgspec.convert(value, kind)
    except ValueError as error:
        raise DamagedError(f"{key}: damaged: {error}. {_MENDS[key]}") from error
