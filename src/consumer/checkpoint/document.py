"""The checkpoint document: its fields, and the validation of what is read back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from common.printable import printable
from consumer.checkpoint.position import Moment, Position, TimeRange
from consumer.errors import CheckpointError
from consumer.stream.messages import Token  # noqa: TC001 - msgspec reads the annotations

if TYPE_CHECKING:
    from datetime import datetime

VERSION = 1

MAX_BYTES = 64 * 1024
"""What is read of a checkpoint: twice what the largest one takes, a thousand frontier keys and a token."""

YEARS = range(1970, 9999)
"""Of its moments: counting with others would leave what Python's calendar holds."""

_ERROR_CHARACTERS = 500
"""Of what AWS, or what answers in its place, says in one error."""


class Lease(msgspec.Struct, frozen=True):
    """Who holds the checkpoint, and until when."""

    owner: str
    expires_at: Moment


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """The object as it is written; `docs/design.md` shows one."""

    version: int
    position_token: Token | None = None
    token_received_at: Moment | None = None
    newest_ingestion_time: Moment | None = None
    frontier: tuple[str, ...] = ()
    gap: TimeRange | None = None
    retry_at: Moment | None = None
    lease: Lease | None = None

    @classmethod
    def of(cls, position: Position | None, lease: Lease | None, retry_at: datetime | None) -> Checkpoint:
        """Return what says so."""
        if position is None:
            return cls(version=VERSION, retry_at=retry_at, lease=lease)
        return cls(
            version=VERSION,
            position_token=position.position_token,
            token_received_at=position.token_received_at,
            newest_ingestion_time=position.newest_ingestion_time,
            frontier=position.frontier,
            gap=position.gap,
            retry_at=retry_at,
            lease=lease,
        )

    def moments(self) -> list[datetime]:
        """Return all times of the position that it holds."""
        held = [self.token_received_at, self.newest_ingestion_time]
        held += [self.gap.start, self.gap.end] if self.gap else []
        return [moment for moment in held if moment is not None]

    @property
    def position(self) -> Position | None:
        """Where to go on from; None before the first commit."""
        if self.position_token is None or self.token_received_at is None:
            return None
        return Position(
            position_token=self.position_token,
            token_received_at=self.token_received_at,
            newest_ingestion_time=self.newest_ingestion_time,
            frontier=self.frontier,
            gap=self.gap,
        )


def decode(content: bytes, name: str) -> Checkpoint:
    """Return the checkpoint that an object holds; errors call it by `name`.

    Raises
    ------
    CheckpointError
        It is not one of this version, or holds what no run has written.
    """
    try:
        checkpoint = msgspec.json.decode(content, type=Checkpoint)
    except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors, as is text that is no UTF-8
        raise CheckpointError(
            f"{name}: not a checkpoint ({shown(error)}); restore an older version of the object "
            "(the bucket keeps them), or delete it to start from the configured position"
        ) from error
    if checkpoint.version != VERSION:
        raise CheckpointError(
            f"{name}: version {checkpoint.version}, expected {VERSION}; "
            "it was written by another release of this function: deploy that one, or a newer one"
        )
    if (checkpoint.position_token is None) != (checkpoint.token_received_at is None):
        raise CheckpointError(
            f"{name}: holds one of position_token and token_received_at; expected both, or neither before "
            "the first commit; restore an older version of the object (the bucket keeps them)"
        )
    odd = [moment.isoformat() for moment in checkpoint.moments() if moment.year not in YEARS]
    if odd:
        raise CheckpointError(
            f"{name}: holds the time {odd[0]}; expected years from {YEARS[0]} to {YEARS[-1]}; restore an "
            "older version of the object (the bucket keeps them)"
        )
    return checkpoint


def shown(error: Exception) -> str:
    """Return an error as a text for people quotes it."""
    return printable(f"{type(error).__name__}: {error}", _ERROR_CHARACTERS)
