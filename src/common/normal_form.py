"""Normal forms of addresses, callsigns and times, as keys and comparisons use them."""

from __future__ import annotations

from datetime import MAXYEAR, MINYEAR, UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from msgspec.structs import force_setattr

from common.icao_address import normalized

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_ADDRESS = 32
"""Characters of an address. An ICAO address has 6; the bound only has to keep it a usable key."""

OUTERMOST_YEARS = frozenset({MINYEAR, MAXYEAR})
"""No instant lies there: moved to UTC by its offset it could leave the years that Python can hold."""

_SECONDS = slice(len("2016-12-31T23:59"), len("2016-12-31T23:59:60"))


class Addressed(Protocol):
    """Whatever has an aircraft's address, as the feed writes it."""

    @property
    def icao_address(self) -> str:
        """In any case, and perhaps padded."""


class Named(Addressed, Protocol):
    """And a callsign."""

    @property
    def callsign(self) -> str | None:
        """Perhaps padded, or blank."""


class Timed(Protocol):
    """Whatever has an update's two times."""

    @property
    def timestamp(self) -> datetime:
        """When it was measured, as its sender says."""

    @property
    def ingestion_time(self) -> datetime | None:
        """When the provider received it."""


def addresses(updates: Sequence[Addressed]) -> list[str]:
    """Return the updates' addresses in the form that keys use; of thousands of them at 0.05 us each."""
    given = [update.icao_address for update in updates]
    return given if _are_usual(given) else list(map(normalized, given))


def are_addressed(updates: Sequence[Addressed]) -> bool:
    """Return whether every address is one in the form that keys use: not blank, and not too long."""
    given = [update.icao_address for update in updates]
    return _are_usual(given) or all(0 < len(normalized(text)) <= MAX_ADDRESS for text in given)


def _are_usual(texts: Sequence[str]) -> bool:
    """Return whether all are letters and digits in upper case: asked of all of them at once, at C's speed."""
    joined = "".join(texts)
    return joined.isascii() and joined.isalnum() and joined == joined.upper()


def normalize(updates: Sequence[Named]) -> bool:
    """Give the updates their addresses in the form that keys use, and callsigns without padding, None where blank.

    Return False, with nothing changed, if one has an address that is not one in that form.
    """
    given = [update.icao_address for update in updates]
    if not _are_usual(given):
        if not are_addressed(updates):
            return False
        for update, text in zip(updates, map(normalized, given), strict=True):
            force_setattr(update, "icao_address", text)  # type: ignore[arg-type]  # whatever is decoded is a Struct
    callsigns = [update.callsign for update in updates]
    if "" in callsigns or not "".join(filter(None, callsigns)).isalnum():
        for update, callsign in zip(updates, callsigns, strict=True):
            if callsign is not None and (not callsign or callsign != callsign.strip()):
                force_setattr(update, "callsign", callsign.strip() or None)  # type: ignore[arg-type]
    return True


def are_within_years(updates: Sequence[Timed]) -> bool:
    """Return whether no time of the updates lies in `OUTERMOST_YEARS`."""
    years = {update.timestamp.year for update in updates}
    years |= {time.year for update in updates if (time := update.ingestion_time) is not None}
    return years.isdisjoint(OUTERMOST_YEARS)


def instant(text: str) -> datetime | None:
    """Return the instant of an ISO 8601 text; without a zone it is UTC, as all times of the feed are.

    A leap second is the second after :59, as POSIX counts. Returns None for anything that is not an instant.
    """
    text = text.strip().upper()
    is_leap = text[_SECONDS] == ":60"
    if is_leap:
        text = f"{text[: _SECONDS.start]}:59{text[_SECONDS.stop :]}"
    try:
        read = datetime.fromisoformat(text)
        read = read if read.tzinfo else read.replace(tzinfo=UTC)
        return read + timedelta(seconds=is_leap)
    except (ValueError, OverflowError):
        return None
