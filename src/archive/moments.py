"""Times as the feed writes them, many at a time: checked together, and left as texts for DuckDB to parse."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import msgspec

from common.normal_form import OUTERMOST_YEARS, instant
from common.target_update import Instant

if TYPE_CHECKING:
    from collections.abc import Sequence

_DIGITS: Final = bytes.maketrans(b"123456789", b"0" * 9)
_SHAPES: Final = {
    len(shape) - 1: shape
    for digits in range(7)
    for shape in [f"0000-00-00T00:00:00{'.' if digits else ''}{'0' * digits}Z,".encode()]
}
"""A time of the feed with each number of decimals, and a comma, by its length without that."""

_MINUTE: Final = len("2024-03-04T23:10")
_SECOND: Final = len("2024-03-04T23:10:")


def checked(texts: Sequence[str | None]) -> Sequence[str | None]:
    """Return these times in UTC as ISO 8601, None for None; texts already written like that are returned as they are.

    Raises
    ------
    ValueError
        One of them is no instant, or in a year that no calendar holds in every zone.
    """
    if texts and None not in texts and _are_alike(texts):  # type: ignore[arg-type]  # no None is in it
        return texts
    return [None if text is None else in_utc(_read(text)) for text in texts]


def _are_alike(texts: Sequence[str]) -> bool:
    """Return whether all are as the API writes them, with the same number of decimals; at C's speed."""
    shape = _SHAPES.get(len(texts[0]))
    joined = (",".join(texts) + ",").encode("ascii", "replace")
    if shape is None or joined.translate(_DIGITS) != shape * len(texts):
        return False
    if joined[_SECOND :: len(shape)].strip(b"012345"):  # a leap second is read by itself
        return False
    return all(map(_is_minute, {text[:_MINUTE] for text in texts}))


@lru_cache(maxsize=4_096)
def _is_minute(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).year not in OUTERMOST_YEARS
    except ValueError:
        return False


@lru_cache(maxsize=65_536)
def moment(text: str | None) -> str | None:
    """Return the time a text says, in UTC as ISO 8601, if it is an instant."""
    try:
        return checked([text])[0]
    except ValueError:
        return None


def in_utc(at: datetime) -> str:
    """Return a time as ISO 8601 in UTC, without naming the zone."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat()


def _read(text: str) -> datetime:
    """Return an instant by the rule of `common.update_decoder`: RFC 3339, or else what `normal_form.instant` takes."""
    found: datetime | None
    try:
        found = msgspec.convert(text, Instant)
    except msgspec.ValidationError:
        found = instant(text)
        if found is None:
            raise
    if found.year in OUTERMOST_YEARS:
        raise ValueError(f"{text}: no time of the feed")
    return found
