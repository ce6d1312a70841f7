"""The checkpoint object in S3: the position up to which Kinesis has every update, with lease and fencing.

Every write is conditional on the object being the one this consumer wrote or read last. So of two consumers only one
can go on writing, whatever their clocks say; the lease only spares the other one the attempt.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
from botocore.exceptions import ClientError

from common.clock import rfc3339
from common.printable import said
from consumer.checkpoint import document
from consumer.checkpoint.document import Checkpoint, Lease, shown
from consumer.checkpoint.position import Position
from consumer.checkpoint.stored_object import read
from consumer.errors import CheckpointError, LeaseHeldError, LeaseLostError
from consumer.stream.messages import MAX_TOKEN_CHARACTERS
from consumer.timing import LEASE_SECONDS, LONGEST_RETRY_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import PutObjectRequestTypeDef

    from common.clock import Clock
    from consumer.deadline import Deadline

KEY = "checkpoint.json"
LEGACY_KEY = "last_position_token"
"""Where the provider's sample client keeps its token, as plain text."""

_WAITS = (0.1, 0.5)
"""Seconds between the attempts of a write, each after S3 said that another one was under way."""

_LOOK_SECONDS = 0.1
"""How soon such a wait notices that the deadline was brought forward."""

_TIMED_WRITES = 8

_CLOCKS_DIFFER = timedelta(minutes=1)
"""What the clocks of two consumers differ by at most."""

_DATE_RESOLUTION = timedelta(seconds=2)
"""S3 gives its times in whole seconds: of the answer, and of the last write."""


@dataclass(frozen=True, slots=True)
class _Stored:
    checkpoint: Checkpoint
    etag: str
    age: timedelta | None


class CheckpointStore:
    """One consumer's hold on the checkpoint; used by one thread at a time."""

    def __init__(  # noqa: PLR0913 - where, who, and for how long
        self,
        s3: S3Client,
        bucket: str,
        owner: str,
        clock: Clock,
        *,
        lease_seconds: float = LEASE_SECONDS,
        deadline: Deadline | None = None,
    ) -> None:
        """Hold the lease in the name of `owner`, which must be unique to this run (the request id).

        No call outlasts the `deadline`, whatever S3 does; without a deadline, the client's time-outs bound a call.
        """
        self.retry_at: datetime | None = None
        """Before then the stream's server does not want to be asked again; kept for the runs that follow.

        Another thread than the one that writes may set it.
        """
        self._s3 = s3
        self._bucket = bucket
        self._owner = owner
        self._clock = clock
        self._lease_seconds = lease_seconds
        self._position: Position | None = None
        self._etag: str | None = None
        self._lease_ends = 0.0  # by the monotonic clock
        self._is_lost = False
        self._deadline = deadline
        self._write_seconds: deque[float] = deque(maxlen=_TIMED_WRITES)

    @property
    def owner(self) -> str:
        """In whose name the lease is held."""
        return self._owner

    @property
    def is_held(self) -> bool:
        """Whether the lease is this consumer's to give back."""
        return self._lease_ends > 0

    @property
    def slowest_write(self) -> float:
        """Seconds that the longest of the last few writes took: what the last ones may take, too."""
        return max(self._write_seconds, default=0.0)

    @property
    def lease_is_valid(self) -> bool:
        """Whether the lease has not run out, by this machine's clock."""
        return self._clock.monotonic() < self._lease_ends

    @property
    def may_be_anothers(self) -> bool:
        """Whether another consumer may hold the lease: it has taken it, or this one's has run out.

        False once this consumer has given it back: errors at the end of a run are the run's own.
        """
        return self._is_lost or (self.is_held and not self.lease_is_valid)

    def acquire(self, ended: Container[str] = ()) -> Position | None:
        """Take the lease; return the position to go on from, None if there is none yet.

        Until one is committed it is the token of the provider's sample client, if that is in the bucket. Only a
        definite "no such key" means that there is none. A lease held by one of the `ended` owners does not count: they
        are earlier runs of this process that could not give it back.

        Raises
        ------
        LeaseHeldError
            Another consumer's lease has not run out.
        LeaseLostError
            Another consumer took the lease in the same moment.
        CheckpointError
            The object could not be read, or is not a checkpoint of this version.
        """
        stored = self._read()
        if stored is not None:
            lease = stored.checkpoint.lease
            if lease is not None and lease.owner not in ended and self._is_in_force(lease, stored.age):
                raise LeaseHeldError(
                    f"{self._name}: {said(lease.owner)} holds the lease until {rfc3339(lease.expires_at)}; "
                    "nothing was read, the next tick of the schedule tries again"
                )
            self._position, self._etag = stored.checkpoint.position, stored.etag
            self.retry_at = _if_ahead(stored.checkpoint.retry_at, self._clock.now())
        # The client's token is not written: the next run must know as well whose it is.
        position = self._position or self._read_legacy()
        self._write(self._position)
        return position

    def commit(self, position: Position, *, last: bool = False) -> None:
        """Write a new position, and renew the lease, or give it back with the `last` one.

        Raises
        ------
        LeaseLostError
            Another consumer has written the object since: nothing was committed.
        CheckpointError
            It could not be written.
        """
        self._write(position, lease=not last)

    def renew(self) -> None:
        """Renew the lease; raises as `commit` does."""
        self._write(self._position)

    def release(self) -> None:
        """Give the lease back, so that the next run starts at once; raises as `commit` does."""
        self._write(self._position, lease=False)

    def _is_in_force(self, lease: Lease, age: timedelta | None) -> bool:
        """Return whether another consumer may be at work.

        A live consumer's lease ends within `LEASE_SECONDS`, if its clock and ours agree to a minute: a lease until 2099
        is nobody's. Should somebody hold it all the same, the next conditional write shows it. A live consumer has also
        written the object within the last `LEASE_SECONDS`, by S3's own clock.
        """
        if lease.owner == self._owner:
            return False
        ends_in = lease.expires_at - self._clock.now()
        if not timedelta() < ends_in <= timedelta(seconds=LEASE_SECONDS) + _CLOCKS_DIFFER:
            return False
        return age is None or age <= timedelta(seconds=LEASE_SECONDS) + _DATE_RESOLUTION

    @property
    def _name(self) -> str:
        return f"checkpoint s3://{self._bucket}/{KEY}"

    def _write(self, position: Position | None, *, lease: bool = True) -> None:
        begun, now = self._clock.monotonic(), self._clock.now()
        held = Lease(self._owner, now + timedelta(seconds=self._lease_seconds)) if lease else None
        retry_at = _if_ahead(self.retry_at, now)  # which is the reader's to set, at any moment
        self._etag = self._put(Checkpoint.of(position, held, retry_at))
        self._position = position
        self._lease_ends = begun + self._lease_seconds if lease else 0.0
        self._write_seconds.append(self._clock.monotonic() - begun)

    def _call[T](self, what: str, function: Callable[[], T]) -> T:
        return function() if self._deadline is None else self._deadline.call(what, function)

    def _put(self, checkpoint: Checkpoint) -> str:
        request: PutObjectRequestTypeDef = {
            "Bucket": self._bucket,
            "Key": KEY,
            "Body": msgspec.json.encode(checkpoint),
            "ContentType": "application/json",
        }
        if self._etag is None:
            request["IfNoneMatch"] = "*"
        else:
            request["IfMatch"] = self._etag
        for wait in (*_WAITS, None):
            try:
                return self._call("the checkpoint's write", lambda: self._s3.put_object(**request)["ETag"])
            except ClientError as error:
                code = error.response["Error"]["Code"]
                if code == "ConditionalRequestConflict" and wait is not None:
                    self._wait(wait)  # another write is under way: S3 asks to try again
                    continue
                if code in ("PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"):
                    return self._recognise(checkpoint, error)
                raise self._unwritable(error) from error
            except Exception as error:  # no answer, no time, or an answer without an ETag, which acknowledges nothing
                raise self._unwritable(error) from error
        raise AssertionError  # the last attempt returns or raises

    def _wait(self, seconds: float) -> None:
        """Wait so long, or until the deadline."""
        ends_at = self._clock.monotonic() + seconds
        while (left := ends_at - self._clock.monotonic()) > 0 and not (self._deadline and self._deadline.is_over):
            self._clock.sleep(min(left if self._deadline is None else self._deadline.cut(left), _LOOK_SECONDS))

    def _recognise(self, checkpoint: Checkpoint, error: ClientError) -> str:
        """Return the ETag if the object is what we were writing: the write was done, only its answer was lost.

        If it is as we read or wrote it last, nobody has taken it over: S3 just did not write it.
        """
        stored = self._read()
        if stored is not None and stored.checkpoint == checkpoint:
            return stored.etag
        if (stored.etag if stored else None) == self._etag:
            raise self._unwritable(error) from error
        holder = stored.checkpoint.lease if stored else None
        until = holder and holder.expires_at.isoformat()
        who = f"{said(holder.owner)} holds the lease until {until}" if holder else "it is no longer ours"
        self._lease_ends, self._is_lost = 0.0, True
        raise LeaseLostError(f"{self._name}: changed under us ({who}); stopping without committing")

    def _read(self) -> _Stored | None:
        found = read(self._s3, self._bucket, KEY, self._deadline)
        if found is None:
            return None
        return _Stored(document.decode(found.content, self._name), found.etag, found.age)

    def _read_legacy(self) -> Position | None:
        found = read(self._s3, self._bucket, LEGACY_KEY, self._deadline)
        if found is None:
            return None
        token = found.content.decode(errors="replace").strip()
        if len(token) > MAX_TOKEN_CHARACTERS:
            raise CheckpointError(
                f"s3://{self._bucket}/{LEGACY_KEY}: {len(token)} characters; expected a position token of at most "
                f"{MAX_TOKEN_CHARACTERS}. Replace the object, or delete it to start from the configured position"
            )
        if not token:
            return None
        return Position(position_token=token, token_received_at=found.modified, is_left_by_client=True)

    def _unwritable(self, error: Exception) -> CheckpointError:
        return CheckpointError(
            f"{self._name}: could not be written ({shown(error)}); what was read since the last commit "
            "will be read again. Check the bucket and the consumer's role"
        )


def _if_ahead(retry_at: datetime | None, now: datetime) -> datetime | None:
    """Return a time that has not come yet; one further ahead than any that is written is of a wrong clock."""
    longest = timedelta(seconds=LONGEST_RETRY_SECONDS) + _CLOCKS_DIFFER
    return retry_at if retry_at is not None and timedelta() < retry_at - now <= longest else None
