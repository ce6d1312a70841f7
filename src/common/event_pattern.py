"""Which filter patterns Lambda takes: refused here is what AWS would refuse, before anything is deployed.

The rules are those of AWS's published matcher, github.com/aws/event-ruler (its README and its compiler of JSON rules).
Refused as well are its operators `cidr` and `exactly`, for which an update has no use.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST_PATTERN: Final = 4096
"""Characters (Lambda API reference, Filter)."""

_DEEPEST: Final = 100
"""Levels of nesting that are looked into. AWS names no limit; real patterns have two or three."""

LARGEST_NUMBER: Final = 5_000_000_000
_DECIMALS: Final = 6
"""Numbers are compared between -5e9 and 5e9, to six places."""

_TEXT_OPERATORS: Final = ("prefix", "suffix", "equals-ignore-case", "wildcard")
_OPERATORS: Final = (*_TEXT_OPERATORS, "anything-but", "numeric", "exists")

_RESERVED: Final = frozenset(
    (
        *(*_OPERATORS, "exactly", "cidr", "html", "=", "<", "<=", ">", ">=", "regex"),
        *("not-wildcard", "not-equals-ignore-case", "ip-address-in-range", "ip-address-not-in-range"),
        *("date-after", "date-on-or-after", "date-before", "date-on-or-before", "in-date-range"),
    )
)
"""Names that no field inside `$or` may have."""


class EventPatternError(ValueError):
    """AWS would refuse the pattern; the text names the part of it, and says what was expected."""


def read(text: str) -> tuple[dict[str, Any], int]:
    """Return the pattern that a text begins with, and where it ends.

    Raises
    ------
    EventPatternError
        It is not JSON, or AWS would refuse it.
    """
    try:
        pattern, end = _decode(text)
    except EventPatternError:
        raise
    except (ValueError, RecursionError) as error:
        raise EventPatternError(f"not JSON: {error}") from None
    if not isinstance(pattern, dict):
        raise EventPatternError(f"{_shown(pattern)} is not a JSON object")
    if end > LONGEST_PATTERN:
        raise EventPatternError(f"it has {end:,} characters; a pattern takes at most {LONGEST_PATTERN:,}")
    if not _is_shallow(pattern):
        raise EventPatternError(f"it is nested more than {_DEEPEST} levels deep")
    _check_object("", pattern, in_or=False)
    return pattern, end


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    for name in fields:
        if sum(1 for other, _ in pairs if other == name) > 1:
            raise EventPatternError(f"{name}: is named twice in one object; put the alternatives into one array")
    return fields


def _refuse_constant(name: str) -> None:
    raise EventPatternError(f"{name} is not a JSON number")


_decode = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse_constant).raw_decode


def _is_shallow(pattern: Any) -> bool:
    level = [pattern]
    for _ in range(_DEEPEST):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return True
    return False


def _inside(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _check_object(place: str, pattern: dict[str, Any], *, in_or: bool) -> set[str]:
    """Check an object of fields; return the places of all fields that are asked for in it."""
    if not pattern:
        raise EventPatternError(f"{place or 'the pattern'}: is an empty object; it has to ask for a field")
    asked: set[str] = set()
    for name, value in pattern.items():
        inner = f"{place}.{name}" if place else name
        if name == "$or":
            fields = _check_or(inner, place, value)
        elif in_or and name in _RESERVED:
            raise EventPatternError(f"{inner}: no field inside $or may have this name")
        elif isinstance(value, dict):
            fields = _check_object(inner, value, in_or=in_or)
        elif isinstance(value, list):
            _check_alternatives(inner, value)
            fields = {inner}
        else:
            raise EventPatternError(f"{inner}: is {_shown(value)}; expected an array of alternatives or an object")
        for twice in sorted(asked & fields):
            raise EventPatternError(f"{twice}: is asked for twice, in $or and beside it")
        asked |= fields
    return asked


def _check_or(name: str, place: str, alternatives: Any) -> set[str]:
    if not isinstance(alternatives, list) or not all(isinstance(one, dict) for one in alternatives):
        raise EventPatternError(f"{name}: is {_shown(alternatives)}; expected an array of objects")
    if len(alternatives) < 2:  # noqa: PLR2004 - one is no alternative
        raise EventPatternError(f"{name}: has {len(alternatives)} objects; expected at least two")
    return set().union(*(_check_object(place, one, in_or=True) for one in alternatives))


def _check_alternatives(place: str, alternatives: list[Any]) -> None:
    if not alternatives:
        raise EventPatternError(f"{place}: is an empty array; expected at least one alternative")
    for one in alternatives:
        if isinstance(one, list):
            raise EventPatternError(f"{place}: {_shown(one)} is an array within an array")
        if isinstance(one, dict):
            name, operand = _operator(place, one)
            _check_operator(f"{place}: {name}", name, operand)


def _operator(place: str, expression: dict[str, Any], known: tuple[str, ...] = _OPERATORS) -> tuple[str, Any]:
    if len(expression) != 1:
        raise EventPatternError(f"{place}: {_shown(expression)} holds {len(expression)} operators; expected one")
    ((name, operand),) = expression.items()
    if name not in known:
        raise EventPatternError(f"{place}: {_shown(name)} is not an operator; expected one of {', '.join(known)}")
    return name, operand


def _check_operator(place: str, name: str, operand: Any) -> None:
    if name == "exists":
        if not isinstance(operand, bool):
            raise EventPatternError(f"{place} is {_shown(operand)}; expected true or false")
    elif name == "numeric":
        _check_numeric(place, operand)
    elif name == "anything-but":
        _check_anything_but(place, operand)
    elif name in ("prefix", "suffix") and isinstance(operand, dict):
        inner, text = _operator(place, operand, ("equals-ignore-case",))
        _check_text(f"{place}: {inner}", inner, text)
    else:
        _check_text(place, name, operand)


def _check_text(place: str, name: str, operand: Any) -> None:
    if not isinstance(operand, str):
        raise EventPatternError(f"{place} is {_shown(operand)}; expected a text")
    if name != "wildcard":
        return
    plain = re.sub(r"\\[*\\]", "", operand)
    if "\\" in plain:
        raise EventPatternError(rf"{place} is {_shown(operand)}; a backslash stands before * or another one only")
    if re.search(r"\*\*", re.sub(r"\\[*\\]", "x", operand)):
        raise EventPatternError(f"{place} is {_shown(operand)}; expected no two * in a row")


def _check_anything_but(place: str, operand: Any) -> None:
    if isinstance(operand, dict):
        name, texts = _operator(place, operand, _TEXT_OPERATORS)
        for text in texts if isinstance(texts, list) else [texts]:
            _check_text(f"{place}: {name}", name, text)
            if not text and name in ("prefix", "suffix"):
                raise EventPatternError(f"{place}: {name} is an empty text, which every text has")
        if texts == []:
            raise EventPatternError(f"{place}: {name} is an empty array; expected at least one text")
        return
    values = operand if isinstance(operand, list) else [operand]
    numbers = [value for value in values if _is_number(value)]
    if not values or len(numbers) not in (0, len(values)) or not all(isinstance(v, str) for v in values if not numbers):
        raise EventPatternError(f"{place} is {_shown(operand)}; expected texts or numbers, all of one type")
    for value in numbers:
        _check_bound(place, value)


def _check_numeric(place: str, operand: Any) -> None:
    """One comparison, or a range: `>` or `>=` with its bound first, then `<` or `<=` with a higher one."""
    match operand:
        case [("=" | "<" | "<=" | ">" | ">="), bound]:
            _check_bound(place, bound)
        case [(">" | ">="), low, ("<" | "<="), high]:
            _check_bound(place, low)
            _check_bound(place, high)
            if low >= high:
                raise EventPatternError(f"{place} is {_shown(operand)}; expected the lower bound below the higher one")
        case _:
            raise EventPatternError(
                f"{place} is {_shown(operand)}; expected one comparison (=, <, <=, > or >= and a number), or a range "
                'from low to high such as [">", 0, "<=", 5]'
            )


def _check_bound(place: str, value: Any) -> None:
    if not _is_number(value):
        raise EventPatternError(f"{place}: {_shown(value)} is not a number")
    if not -LARGEST_NUMBER <= value <= LARGEST_NUMBER:
        raise EventPatternError(f"{place}: {_shown(value)} lies outside of -5e9 to 5e9, where numbers are compared")
    exponent = Decimal(str(value)).normalize().as_tuple().exponent
    if isinstance(exponent, int) and exponent < -_DECIMALS:
        raise EventPatternError(f"{place}: {_shown(value)} has more than {_DECIMALS} decimals")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 100 else f"{text[:100]}..."  # noqa: PLR2004 - what a line of text has room for
