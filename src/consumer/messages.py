"""One line of the Tracking Stream in, one typed message out. Never raises: a line that is no message is `Rejected`.

Messages are told apart by their only known top-level key; other keys are ignored, as the API may add some.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import msgspec

from common.normal_form import OUTERMOST_YEARS
from common.target_update import Address, Instant
from common.update_decoder import UndecodableUpdateError, UpdateDecoder

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

_NO_MESSAGE = "not a message of the Tracking Stream"

_Token = Annotated[str, msgspec.Meta(min_length=1)]
"""An empty token would be committed, and resuming at it would be starting anew."""


class TargetUpdate(msgspec.Struct, gc=False):
    """A valid target update: `data` is the JSON object as received, `ingestion_time` None where it is left out.

    The address stands as received, too: filters see it so. `common.normal_form` gives it the form that keys use.

    The decoder makes it, so that no second object has to be made of the first; `data` is set afterwards.
    """

    icao_address: Address
    timestamp: Instant
    ingestion_time: Instant | None = None
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


_decoder = UpdateDecoder(TargetUpdate)
decode = _decoder.fast
"""Makes an update of its JSON object, if every field is as the API writes it (`UpdateDecoder.fast`)."""
decode_leniently = _decoder.decode
"""Makes an update of its JSON object; raises UndecodableUpdateError where it is none."""

_decode_line = msgspec.json.Decoder(_Line).decode
_decode_moment = msgspec.json.Decoder(Instant).decode


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

    def __init__(self, decode_update: Callable[[bytes], TargetUpdate] = decode_leniently) -> None:
        self._decode_update = decode_update

    def parse(self, line: bytes) -> Message:
        """Return the message that a line holds, which comes without its line end."""
        try:
            message = self._typed(_decode_line(line)) if is_utf8(line) else "not valid UTF-8"
        except (msgspec.ValidationError, UndecodableUpdateError) as error:
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

    def _update(self, data: bytes) -> TargetUpdate:
        update = self._decode_update(data)
        update.data = data
        return update


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
    return None if moment.year in OUTERMOST_YEARS else moment
