"""One line of the Tracking Stream in, one typed message out. Never raises: a line that is no message is `Rejected`.

Messages are told apart by their only known top-level key; other keys are ignored, as the API may add some.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, datetime
from typing import Annotated

import msgspec

_TARGET_PREFIX, _TARGET_SUFFIX = b'{"target":{', b"}}"

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


_decode_target = msgspec.json.Decoder(TargetUpdate).decode
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
    """A line that is no message, and why."""

    reason: str


type Message = TargetUpdate | PositionToken | Status | Rejected


def parse(line: bytes) -> Message:
    """Return the message that a line holds.

    The usual line is `{"target":{...}}`: the object inside is cut out and decoded once. Any other spelling
    (spaces, other keys beside it) takes the second, slower way.
    """
    if line.startswith(_TARGET_PREFIX) and line.endswith(_TARGET_SUFFIX):
        data = line[len(_TARGET_PREFIX) - 1 : -1]
        try:
            target = _decode_target(data)
        except (ValueError, RecursionError):  # msgspec's errors are ValueErrors, and so is text that is no UTF-8
            pass  # the second way says what is wrong with it
        else:
            if data.isascii() or _is_utf8(data):
                return _completed(target, data)
    return _parse_any(line) if _is_utf8(line) else Rejected("not valid UTF-8")


def _parse_any(line: bytes) -> Message:
    try:
        return _typed(_decode_line(line))
    except msgspec.ValidationError as error:
        return Rejected(f"not a message of the Tracking Stream: {error}")
    except (msgspec.DecodeError, RecursionError) as error:
        return Rejected(f"not valid JSON: {error}")


def _typed(line: _Line) -> Message:
    if line.target is not msgspec.UNSET:
        if line.position_token is not msgspec.UNSET:  # taking either would lose the other
            return Rejected("both a target and a position_token in one line")
        data = bytes(line.target)
        return _completed(_decode_target(data), data)
    if line.position_token is not msgspec.UNSET:
        return PositionToken(line.position_token)
    if line.status is not msgspec.UNSET:
        return Status(line.status.level, line.status.message, line.status.code, _moment(line.status.timestamp))
    return Rejected("none of the keys target, position_token, status")


def _moment(raw: msgspec.Raw) -> datetime | None:
    """Return a time, or None for anything else: a status without one is a status all the same."""
    try:
        moment = _decode_moment(raw)
    except (ValueError, RecursionError):
        return None
    return moment if MINYEAR < moment.year < MAXYEAR else None


def _completed(target: TargetUpdate, data: bytes) -> TargetUpdate | Rejected:
    """Leave out the first and last year Python can hold: moved to UTC by their offset, they would overflow later on."""
    ingestion_time = target.ingestion_time
    if MINYEAR < target.timestamp.year < MAXYEAR and (
        ingestion_time is None or MINYEAR < ingestion_time.year < MAXYEAR
    ):
        target.data = data
        return target
    return Rejected(f"not a message of the Tracking Stream: a time outside the years {MINYEAR + 1} to {MAXYEAR - 1}")


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
