"""One line of the Tracking Stream in, one typed message out. Never raises: a line that is no message is `Rejected`.

Messages are told apart by their only known top-level key; other keys are ignored, as the API may add some.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, datetime
from typing import TYPE_CHECKING, Annotated

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_NO_MESSAGE = "not a message of the Tracking Stream"

_OUTERMOST_YEARS = frozenset({MINYEAR, MAXYEAR})

_Key = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
"""A Kinesis partition key has 1 to 256 characters (Kinesis API reference, PutRecords)."""

_Moment = Annotated[datetime, msgspec.Meta(tz=True)]

_Token = Annotated[str, msgspec.Meta(min_length=1)]
"""An empty token would be committed, and resuming at it would be starting anew."""


class TargetUpdate(msgspec.Struct, gc=False):
    """A valid target update: `data` is the JSON object as received, `ingestion_time` None where it is left out.

    The decoder makes it, so that no second object has to be made of the first; `data` is set afterwards.
    """

    icao_address: _Key
    timestamp: _Moment
    ingestion_time: _Moment | None = None
    data: bytes = msgspec.field(default=b"", name="(as received)")  # no key of the API


class _Status(msgspec.Struct):
    timestamp: msgspec.Raw = msgspec.Raw()
    level: str = "INFO"
    message: str = ""
    code: int | None = None


class _Line(msgspec.Struct):
    target: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    position_token: _Token | msgspec.UnsetType = msgspec.UNSET
    status: _Status | msgspec.UnsetType = msgspec.UNSET


decode = msgspec.json.Decoder(TargetUpdate).decode
"""Makes an update of its JSON object; raises msgspec.DecodeError or RecursionError where it is none."""

_decode_line = msgspec.json.Decoder(_Line).decode
_decode_moment = msgspec.json.Decoder(_Moment).decode


@dataclass(frozen=True, slots=True)
class PositionToken:
    """Where the stream stands: everything before it has been delivered."""

    token: str


@dataclass(frozen=True, slots=True)
class Status:
    """A word of the server's: a welcome (code 100), a keep-alive, a warning or an error; and its time, if it says."""

    level: str
    message: str
    code: int | None
    timestamp: datetime | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """A line that is no message, and why; of one too long `line` is the beginning, `length` (bytes) that of all."""

    reason: str
    line: bytes
    length: int


type Message = TargetUpdate | PositionToken | Status | Rejected


class MessageParser:
    """Tells one line at a time, in the plain way (`consumer.runs` is the fast one); `decode_update` makes updates."""

    def __init__(self, decode_update: Callable[[bytes], TargetUpdate] = decode) -> None:
        self._decode_update = decode_update

    def parse(self, line: bytes) -> Message:
        """Return the message that a line holds, which comes without its line end."""
        try:
            message = self._typed(_decode_line(line)) if is_utf8(line) else "not valid UTF-8"
        except msgspec.ValidationError as error:
            message = f"{_NO_MESSAGE}: {error}"
        except (msgspec.DecodeError, RecursionError) as error:
            message = f"not valid JSON: {error}"
        return Rejected(message, line, len(line)) if isinstance(message, str) else message

    def _typed(self, line: _Line) -> TargetUpdate | PositionToken | Status | str:
        """Return the message, or why there is none."""
        if line.target is not msgspec.UNSET:
            if line.position_token is not msgspec.UNSET:  # taking either would lose the other
                return "both a target and a position_token in one line"
            return self._update(bytes(line.target))
        if line.position_token is not msgspec.UNSET:
            return PositionToken(line.position_token)
        if line.status is not msgspec.UNSET:
            return Status(line.status.level, line.status.message, line.status.code, _moment(line.status.timestamp))
        return "none of the keys target, position_token, status"

    def _update(self, data: bytes) -> TargetUpdate | str:
        update = self._decode_update(data)
        if not are_within_years([update]):
            return f"{_NO_MESSAGE}: a time outside the years {MINYEAR + 1} to {MAXYEAR - 1}"
        update.data = data
        return update


def are_within_years(updates: Sequence[TargetUpdate]) -> bool:
    """Return whether no time lies in the first or last year Python can hold.

    Moved to UTC by their offset, such times would overflow later on.
    """
    years = {update.timestamp.year for update in updates}
    years |= {time.year for update in updates if (time := update.ingestion_time) is not None}
    return years.isdisjoint(_OUTERMOST_YEARS)


def is_utf8(data: bytes) -> bool:
    """Return whether the bytes are valid UTF-8, which msgspec asks of the texts that it reads alone."""
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _moment(raw: msgspec.Raw) -> datetime | None:
    """Return a time, or None for anything else: a status without one is a status all the same."""
    try:
        moment = _decode_moment(raw)
    except (ValueError, RecursionError):
        return None
    return None if moment.year in _OUTERMOST_YEARS else moment
