"""Decodes target updates into any type that has some of their fields: at once, or field by field where that fails."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from common.icao_address import normalized
from common.normal_form import (
    MAX_ADDRESS,
    OUTERMOST_YEARS,
    Addressed,
    Timed,
    are_addressed,
    are_within_years,
    instant,
)

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Mapping
    from datetime import datetime

_ESCAPE = re.compile(rb"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|(u[dD][89a-fA-F]..)|.)", re.DOTALL)
"""What may be half a surrogate pair is the group, and what is not one is skipped with its backslash."""
_MENDED = b"\\ufffd"
_LONGEST_NUMBER = 32
"""Characters of a number that may be a squawk; a longer one is nobody's."""
_decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_text = msgspec.json.Decoder(str).decode


class UndecodableUpdateError(ValueError):
    """The bytes are not a target update; the text says what was expected, and has a few hundred characters at most."""


class DecodedUpdate(Addressed, Timed, Protocol):
    """What every type of an update has."""


class UpdateDecoder[Update: DecodedUpdate]:
    """Decodes target updates into any type that has some of the fields, `icao_address` and `timestamp` too.

    A field whose JSON name differs from its own is not one of the feed's, and is left alone.
    """

    def __init__(self, update_type: type[Update]) -> None:
        """`update_type` is a `msgspec.Struct`; what is not said of a field has a default there."""
        self.fast = msgspec.json.Decoder(update_type).decode
        """Decodes what is as the API writes it, texts as they stand; raises ValueError or RecursionError otherwise."""
        self._type = update_type
        self._decoders = {
            field.name: msgspec.json.Decoder(field.type).decode
            for field in msgspec.structs.fields(update_type)  # type: ignore[arg-type]  # no protocol can say Struct
            if field.encode_name == field.name
        }

    def decode(self, data: bytes, ignored: Counter[str] | None = None) -> Update:
        """Decode at once, or else as `leniently` does. Texts as they stand."""
        try:
            update = self.fast(data)
            if are_within_years([update]) and are_addressed([update]):
                return update
        except (ValueError, RecursionError):  # msgspec's errors are ValueErrors; nesting too deep a RecursionError
            pass
        return self.leniently(data, ignored)

    def leniently(self, data: bytes, ignored: Counter[str] | None = None) -> Update:
        """Decode field by field, leaving out what does not fit; `ignored` counts that by name. Texts stay as they are.

        Raises
        ------
        UndecodableUpdateError
            The bytes are no JSON object, or it lacks an `icao_address` or a `timestamp`.
        """
        given = decode_object(data)
        found: dict[str, object] = {}
        for name, decode_field in self._decoders.items():
            if name not in given:
                continue
            raw, value = given[name], None
            if raw is not None:
                with suppress(ValueError, RecursionError):
                    value = decode_field(raw)
            mend = _MENDERS.get(name)
            if mend is not None and raw is not None:
                value = mend(raw, value)
            if value is not None:
                found[name] = value
            elif ignored is not None and (raw is None or bytes(raw) != b"null"):
                ignored[name] += 1
        for name, takes in _REQUIRED.items():
            if name not in found:
                raise UndecodableUpdateError(f"{name}: got {_shown(given.get(name))}; expected {takes}")
        return self._type(**found)


def decode_object(data: bytes) -> Mapping[str, msgspec.Raw | None]:
    """Return the fields of a JSON object, each as it was written; None where a text holds half a surrogate pair.

    JSON's grammar allows half a pair, but no text can hold one.

    Raises
    ------
    UndecodableUpdateError
        The bytes are no JSON object.
    """
    try:
        return _decode_object(data)
    except (ValueError, RecursionError) as error:
        reason = str(error)
    with suppress(ValueError, RecursionError):
        mended = without_halves(data)
        if mended != data:
            given = _decode_object(mended).items()
            return {name: None if _MENDED in bytes(raw) else raw for name, raw in given}
    raise UndecodableUpdateError(f"expected one target update as a JSON object; {reason}")


def without_halves(data: bytes) -> bytes:
    """Return the JSON with U+FFFD for each half of a surrogate pair; the same if there is none."""
    return _ESCAPE.sub(_mend_half, data)


def _mend_half(escape: re.Match[bytes]) -> bytes:
    return escape[0] if escape[1] is None else _MENDED


def _shown(raw: msgspec.Raw | None) -> str:
    """Return a value as an error's text quotes it: its beginning, and nothing that a terminal would act on."""
    if raw is None:
        return "nothing"
    return bytes(raw)[:80].decode("ascii", errors="backslashreplace").replace("\x7f", "\\x7f")


def _address(raw: msgspec.Raw, value: Any) -> str | None:
    """Return an address, if it is one without its padding, as it was written."""
    text = _text(raw) if value is None else value
    return text if text is not None and 0 < len(normalized(text)) <= MAX_ADDRESS else None


def _callsign(raw: msgspec.Raw, value: Any) -> str | None:
    """Return a callsign that is too long only with its padding without it."""
    if value is None and (text := _text(raw)) is not None and len(text.strip()) <= 64:  # noqa: PLR2004 - as `Code`
        return text.strip()
    return value  # type: ignore[no-any-return]  # decoded as a text, or None


def _squawk(raw: msgspec.Raw, value: Any) -> str | int | None:
    """Return a code that was written as a number in its four digits, unless numbers are what is asked for."""
    if value is None and len(raw) <= _LONGEST_NUMBER and bytes(raw)[:1].isdigit():
        code = float(bytes(raw))
        if code.is_integer() and code < 10_000:  # noqa: PLR2004 - a squawk has four digits
            return f"{code:04.0f}"
    return value  # type: ignore[no-any-return]  # decoded as a text, or None


def _instant(raw: msgspec.Raw, value: Any) -> datetime | None:
    """Return an instant that is not RFC 3339, too; without a zone it is UTC, as all times of the feed are."""
    if value is None and (text := _text(raw)) is not None:
        value = instant(text)
    return None if value is None or value.year in OUTERMOST_YEARS else value


def _text(raw: msgspec.Raw) -> str | None:
    try:
        return _decode_text(raw)
    except (ValueError, RecursionError):
        return None


_REQUIRED = {"icao_address": f"a text of 1 to {MAX_ADDRESS} characters", "timestamp": "an RFC 3339 time"}
_MENDERS: dict[str, Callable[[msgspec.Raw, Any], object]] = {
    "icao_address": _address,
    "callsign": _callsign,
    "squawk": _squawk,
    "timestamp": _instant,
    "ingestion_time": _instant,
}
