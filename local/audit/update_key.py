"""The key of an update by `docs/design.md`: an independent and plain implementation of what an update is.

The functions have their own (`common.target_update`); a test compares the two.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, NamedTuple

import msgspec

_LONGEST_ADDRESS = 32
_FIRST_YEAR, _LAST_YEAR = 2, 9998
_SECONDS = slice(16, 19)
"""Where `2016-12-31T23:59:60Z` has its seconds."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Key(NamedTuple):
    """What tells an update from others, the address in upper case without padding, times in microseconds since 1970."""

    icao_address: str
    timestamp: int
    ingestion_time: int | None


class _Fields(msgspec.Struct):
    icao_address: msgspec.Raw = msgspec.Raw(b"null")
    timestamp: msgspec.Raw = msgspec.Raw(b"null")
    ingestion_time: msgspec.Raw = msgspec.Raw(b"null")


_fields = msgspec.json.Decoder(_Fields).decode
_text = msgspec.json.Decoder(str).decode
_rfc3339 = msgspec.json.Decoder(Annotated[datetime, msgspec.Meta(tz=True)]).decode


def key_of(update: bytes) -> Key | None:
    """Return the key of an update, one JSON object; None for what is no update."""
    try:
        given: _Fields | None = _fields(update)
    except (ValueError, RecursionError):
        given = _with_half_pairs(update)
    if given is None:
        return None
    address = (_decoded(_text, given.icao_address) or "").strip().upper()
    timestamp = _instant(given.timestamp)
    if timestamp is None or not 0 < len(address) <= _LONGEST_ADDRESS:
        return None
    return Key(address, timestamp, _instant(given.ingestion_time))


def _with_half_pairs(update: bytes) -> _Fields | None:
    """Read what the other decoder refuses: JSON's grammar allows half a surrogate pair, which is in no text."""
    try:
        found = json.loads(update)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    names = [name for name in _Fields.__struct_fields__ if name in found]
    return _Fields(**{name: msgspec.Raw(json.dumps(found[name]).encode()) for name in names})


def _instant(raw: msgspec.Raw) -> int | None:
    """Return an ISO 8601 time, which is UTC if it names no zone; a leap second is the second after :59."""
    moment = _decoded(_rfc3339, raw)
    if moment is None:
        text = (_decoded(_text, raw) or "").strip().upper()
        is_leap = text[_SECONDS] == ":60"
        if is_leap:
            text = f"{text[: _SECONDS.start]}:59{text[_SECONDS.stop :]}"
        try:
            read = datetime.fromisoformat(text)
            moment = (read if read.tzinfo else read.replace(tzinfo=UTC)) + timedelta(seconds=is_leap)
        except (ValueError, OverflowError):
            return None
    return (moment - _EPOCH) // timedelta(microseconds=1) if _FIRST_YEAR <= moment.year <= _LAST_YEAR else None


def _decoded(decode: Any, raw: msgspec.Raw) -> Any:
    try:
        return decode(raw)
    except (ValueError, RecursionError):
        return None
