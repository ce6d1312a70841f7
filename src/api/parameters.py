"""The parameters of a request: each says what it takes, reads its text, and describes itself in OpenAPI's words."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from api import problems
from common.normal_form import instant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

type Values = dict[str, Any]
"""Parameters by name; one that was not given has its default."""

_FIRST_YEAR, _LAST_YEAR = 1970, 9998
"""Whatever their zones, times of these years have a number."""

_VALUE = "~?[0-9A-Za-z\u00c0-\u024f][0-9A-Za-z\u00c0-\u024f .&'()/+-]{0,63}"
LIST = f"^{_VALUE}(,{_VALUE}){{0,49}}$"
"""Up to fifty values, each a code or a name."""

_FRACTION = r"(\.[0-9]{1,24})?([eE]-[0-9]{1,3})?"
"""As languages print a double: 0.30000000000000004, 0.0000012345678901234567 (JavaScript), 1.2345678901234567e-05."""

_LATITUDE = rf"-?(90(\.0+)?|[0-8]?[0-9]{_FRACTION})"
_LONGITUDE = rf"-?(180(\.0+)?|1[0-7][0-9]{_FRACTION}|[0-9]{{1,2}}{_FRACTION})"
BOX = f"^{_LONGITUDE},{_LATITUDE},{_LONGITUDE},{_LATITUDE}$"
"""Four numbers of degrees. That south is not above north no pattern can say."""

_NUMBER = re.compile(r"[+-]?\d{1,20}(\.\d{0,24})?([eE][+-]?\d{1,3})?", re.ASCII)
"""JSON's numbers, and signs and dots as people write them; no infinity, and nothing of any length."""

_LONGEST_TEXT = 64


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter. `read` turns its text into a value, and raises ValueError for what it does not take."""

    name: str
    description: str
    takes: str
    """Completes *expected ...* in an error."""
    read: Callable[[str], Any]
    schema: dict[str, Any]
    default: Any = None
    is_in: str = "query"

    def value(self, text: str) -> Any:
        """Return the value.

        Raises
        ------
        ProblemError
            It does not take this text.
        """
        try:
            return self.read(text)
        except (ValueError, OverflowError):
            raise problems.wrong_parameter(self.name, text, self.takes) from None


def read_query(given: Iterable[tuple[str, str]], parameters: Iterable[Parameter]) -> Values:
    """Return the values of all parameters of a query.

    Raises
    ------
    ProblemError
        One is unknown, given twice, or has a value it does not take.
    """
    known = {one.name: one for one in parameters if one.is_in == "query"}
    values: Values = {name: one.default for name, one in known.items()}
    seen = set()
    for name, text in given:
        if name not in known:
            takes = f"one of {', '.join(known)}" if known else "no parameter"
            raise problems.wrong_parameter(name[:_LONGEST_TEXT], text, takes)
        if name in seen:
            raise problems.wrong_parameter(name, text, "to be given once; separate several values by commas")
        seen.add(name)
        values[name] = known[name].value(text)
    return values


def number(text: str, low: float, high: float) -> float:
    """Return a number within both bounds, inclusive; ValueError otherwise."""
    value = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not low <= value <= high:
        raise ValueError(text)
    return value


def integer(low: int, high: int) -> Callable[[str], int]:
    """Return a reader of whole numbers within both bounds, inclusive."""

    def read(text: str) -> int:
        if not re.fullmatch(r"[+-]?\d{1,9}", text, re.ASCII):
            raise ValueError(text)
        return int(number(text, low, high))

    return read


def flag(text: str) -> bool:
    """Return True for `true` and False for `false`."""
    return {"true": True, "false": False}[text] if text in {"true", "false"} else _refuse(text)


def _refuse(text: str) -> bool:
    raise ValueError(text)


def names(text: str) -> frozenset[str]:
    """Return the values of a list as `LIST` has it, in upper case and without blanks around them."""
    if not re.fullmatch(LIST, text):
        raise ValueError(text)
    return frozenset(one.strip().upper() for one in text.split(","))


def moment(text: str) -> int:
    """Return milliseconds since the epoch for an RFC 3339 time; a blank in place of the `+` is a plus."""
    when = instant(text.replace(" ", "+")) if "T" in text.upper() else None
    if when is None or not _FIRST_YEAR <= when.year <= _LAST_YEAR:
        raise ValueError(text)
    return round(when.timestamp() * 1_000)


def bounding_box(text: str) -> tuple[float, float, float, float]:
    """Return west, south, east and north of `west,south,east,north`; west > east crosses 180 degrees."""
    if not re.fullmatch(BOX, text):
        raise ValueError(text)
    west, south, east, north = text.split(",")
    box = (number(west, -180, 180), number(south, -90, 90), number(east, -180, 180), number(north, -90, 90))
    if box[1] > box[3]:
        raise ValueError(text)
    return box
