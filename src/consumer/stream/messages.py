"""One line of the Tracking Stream in, one typed message out. Never raises: a line that is not a message is `Rejected`.

A message is recognised by its only known top-level key; other keys are ignored, since the API may add some.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import msgspec

from common import envelope
from common.normal_form import OUTERMOST_YEARS
from common.target_update import Address, Instant
from common.update_decoder import UndecodableUpdateError, UpdateDecoder, without_halves
from consumer.stream.top_level_keys import top_level_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    type _AsReceived = bytes
else:
    _AsReceived = msgspec.Raw  # of which the decoder takes any value, should a key ever have that name

_NO_MESSAGE = "not a message of the Tracking Stream"

_HALF_A_PAIR = "a text holds half a surrogate pair, which most readers of JSON refuse"
"""Why such a line is rejected though JSON's grammar allows it: `docs/decisions/half-a-surrogate-pair.md`."""

_EACH_COUNTS = frozenset({"target", "position_token"})
"""Keys that make a message of a line; a status beside one of them is ignored."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

MAX_TOKEN_CHARACTERS = 4096
"""Of a position token: it goes into the head of a request, of which servers take some 8 KiB."""

Token = Annotated[str, msgspec.Meta(max_length=MAX_TOKEN_CHARACTERS, pattern=r"\S")]
"""An empty or blank one would be committed, and resuming at it would be starting over."""


class StreamUpdate(msgspec.Struct, gc=False):
    """A valid target update: `data` is the JSON object as received, `ingestion_time` None where it is left out.

    The address stands as received, too: filters see it so. `common.normal_form` gives it the form that keys use.

    The decoder makes it, so that no second object has to be made of the first; `data` is set afterwards.
    """

    icao_address: Address
    timestamp: Instant
    ingestion_time: Instant | None = None
    data: _AsReceived = msgspec.field(default=b"", name="(as received)")


class _Line(msgspec.Struct):
    target: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    position_token: Token | msgspec.UnsetType = msgspec.UNSET
    status: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_decoder = UpdateDecoder(StreamUpdate)
decode = _decoder.fast
"""Makes an update of its JSON object, if every field is as the API writes it (`UpdateDecoder.fast`)."""
decode_leniently = _decoder.decode
"""Makes an update of its JSON object; raises UndecodableUpdateError where it is not an update."""

_decode_line = msgspec.json.Decoder(_Line).decode
_decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_text = msgspec.json.Decoder(str).decode
_decode_code = msgspec.json.Decoder(int).decode
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
    """A line that is not a message, and why; of one too long `line` is the beginning, `length` (bytes) that of all."""

    reason: str
    line: bytes
    length: int


type Message = StreamUpdate | PositionToken | Status | Rejected


class MessageParser:
    """Tells one line at a time, in the plain way (`batch_parser` is the fast one); `decode_update` makes updates."""

    def __init__(self, decode_update: Callable[[bytes], StreamUpdate] = decode_leniently) -> None:
        self._decode_update = decode_update

    def parse(self, line: bytes) -> Message:
        """Return the message that a line holds, which comes without its line end."""
        try:
            message = self._typed(line) if is_utf8(line) else "not valid UTF-8"
        except (msgspec.ValidationError, UndecodableUpdateError) as error:
            message = f"{_NO_MESSAGE}: {error}"
        except (msgspec.DecodeError, RecursionError) as error:
            message = _HALF_A_PAIR if _holds_half_a_pair(line) else f"not valid JSON: {error}"
        return Rejected(message, line, len(line)) if isinstance(message, str) else message

    def _typed(self, text: bytes) -> StreamUpdate | PositionToken | Status | str:
        """Return the message, or why there is none."""
        line = _decode_line(text)
        if sum(name in _EACH_COUNTS for name in top_level_keys(text)) > 1:  # taking one would lose the others
            return "more than one message in one line"
        if line.target is not msgspec.UNSET:
            return self._update(bytes(line.target))
        if line.position_token is not msgspec.UNSET:
            return PositionToken(line.position_token)
        if line.status is not msgspec.UNSET:
            return _status(_decode_object(line.status))
        return "none of the keys target, position_token, status"

    def _update(self, data: bytes) -> StreamUpdate:
        update = self._decode_update(data)
        update.data = envelope.distinct(data)
        return update


def are_distinct(objects: Sequence[bytes]) -> bool:
    """Return whether none of the objects as received, at least one, begins as an envelope does."""
    # The largest one alone is looked at first: names of fields begin with a letter before `v`, as far as is known.
    return max(objects) < envelope.PREFIX or not any(data.startswith(envelope.PREFIX) for data in objects)


def is_utf8(data: bytes) -> bool:
    """Return whether the bytes are valid UTF-8, which msgspec asks of the texts that it reads alone."""
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _holds_half_a_pair(line: bytes) -> bool:
    """Return whether it is for nothing else that a line is no message."""
    mended = without_halves(line)
    try:
        return mended != line and _decode_line(mended) is not None
    except (ValueError, RecursionError):
        return False


def without_mark(line: bytes) -> bytes:
    """Return the line without a byte order mark, with which a stream or a file that went into it may begin."""
    return line.removeprefix(_BYTE_ORDER_MARK)


def _status(fields: dict[str, msgspec.Raw]) -> Status:
    """Return a status; a field that is missing or of another type costs no other."""
    moment = _or_none(_decode_moment, fields.get("timestamp"))
    return Status(
        level=_or_none(_decode_text, fields.get("level")) or "INFO",
        message=_or_none(_decode_text, fields.get("message")) or "",
        code=_or_none(_decode_code, fields.get("code")),
        timestamp=None if moment is None or moment.year in OUTERMOST_YEARS else moment,
    )


def _or_none[T](decode_field: Callable[[msgspec.Raw], T], raw: msgspec.Raw | None) -> T | None:
    try:
        return None if raw is None else decode_field(raw)
    except (ValueError, RecursionError):
        return None
