"""Refuses alert patterns by which an envelope's header could miss an update that they match.

An event source mapping filters envelopes by their header. A pattern that asks for something the header does not hold
makes the mapping drop the envelope, and the alert is silently lost; so the consumer does not start with such a pattern.
What is allowed follows from `envelope_writer`: a pattern is allowed if, whenever it matches an update, it also matches
every header made of that update and any others, as long as the update's fields have the types that the API gives them;
`on_ground` may also be null, and `squawk` a number.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from common.alert_patterns import parse
from common.environment import ConfigurationError
from consumer.publish.envelope_writer import ON_GROUND, RANGES, SQUAWK, VALUES

if TYPE_CHECKING:
    from collections.abc import Iterator

_OF_TEXTS: Final = frozenset({"prefix", "suffix", "equals-ignore-case", "wildcard", "anything-but"})
"""Operators that ask one value at a time, and never how many there are."""

_ONE_SIDED: Final = frozenset({"<", "<=", ">", ">="})


def check(patterns: str) -> None:
    """Return if every pattern of `ALERT_PATTERNS` finds in a header what it finds in an update.

    Raises
    ------
    ConfigurationError
        One could miss an update, or is not a pattern that Lambda takes; the text names the pattern and the field, and
        says what to do.
    """
    for text, pattern in parse(patterns):
        for problem in problems(pattern):
            raise ConfigurationError(
                f"ALERT_PATTERNS: with RecordFormat=envelope the pattern {text} would miss updates that it matches, "
                f"and no alert would be sent: {problem}. Change it in the stack's parameters AlertPattern1 to "
                "AlertPattern5, or set RecordFormat=single"
            )


def problems(pattern: dict[str, Any]) -> Iterator[str]:
    """Yield what each part of a pattern asks, where a header could miss an update that the pattern matches.

    The pattern is one that Lambda takes (`common.event_pattern.read`).
    """
    for key, value in pattern.items():
        if key == "$or":
            for alternative in value:
                yield from problems(alternative)
        elif key == "data" and isinstance(value, dict):
            yield from _of_fields(value)
        else:
            yield f"{key}: a pattern takes the one key data, and an object under it"


def _of_fields(pattern: dict[str, Any], *, in_flight_too: bool = False) -> Iterator[str]:
    """Find what is wrong with an object of fields.

    `in_flight_too` says that another alternative takes `on_ground` false where this one takes it absent or null.
    """
    for field, value in pattern.items():
        if field == "$or":
            for one in value:
                covered = any(_takes_in_flight(other, one) for other in value)
                yield from _of_fields(one, in_flight_too=covered)
        elif isinstance(value, dict):
            yield f"{field}: an envelope's header holds no objects"
        elif field in VALUES:
            yield from _of_texts(field, value)
        elif field in RANGES:
            yield from _of_range(field, value)
        elif field == ON_GROUND:
            yield from _of_on_ground(value, in_flight_too=in_flight_too)
        else:
            yield f"{field}: an envelope's header holds {', '.join((*VALUES, *RANGES, ON_GROUND))} only"


def _of_texts(field: str, alternatives: list[Any]) -> Iterator[str]:
    for one in alternatives:
        if isinstance(one, str) or _is_exists(one, there=True) or (field == SQUAWK and type(one) is int):
            continue
        if _is_exists(one, there=False):
            yield (
                f"{field}: an envelope holds many updates, and its header lists the field as soon as one of them has "
                "it; exists false is only found where none has"
            )
        elif not (isinstance(one, dict) and len(one) == 1 and one.keys() <= _OF_TEXTS):
            listed = "codes" if field == SQUAWK else "texts"
            yield (
                f"{field}: an envelope's header lists the {listed} there are, and {_shown(one)} asks for something else"
            )


def _of_range(field: str, alternatives: list[Any]) -> Iterator[str]:
    for one in alternatives:
        if not (_is_exists(one, there=True) or _is_one_sided(one)):
            yield (
                f"{field}: an envelope's header holds the lowest and the highest value only, among which {_shown(one)} "
                'may find none; one-sided bounds such as {"numeric": ["<", -4000]} are sure to'
            )


def _of_on_ground(alternatives: list[Any], *, in_flight_too: bool) -> Iterator[str]:
    for one in alternatives:
        if isinstance(one, bool) or _is_exists(one, there=True):
            continue
        if one is not None and not _is_exists(one, there=False):
            yield f"{ON_GROUND}: an envelope's header lists true and false, and {_shown(one)} asks for something else"
        elif not (in_flight_too or _holds_false(alternatives)):
            yield (
                f"{ON_GROUND}: in an envelope's header an update without it counts as false, so {_shown(one)} needs "
                "false beside it"
            )


def _takes_in_flight(other: dict[str, Any], one: dict[str, Any]) -> bool:
    """Tell whether `other` matches what `one` matches, but with `on_ground` false instead of absent or null."""
    return _holds_false(other.get(ON_GROUND)) and all(
        field in one and one[field] == value for field, value in other.items() if field != ON_GROUND
    )


def _holds_false(alternatives: Any) -> bool:
    return isinstance(alternatives, list) and any(one is False for one in alternatives)


def _is_exists(alternative: Any, *, there: bool) -> bool:
    return isinstance(alternative, dict) and alternative.get("exists") is there and len(alternative) == 1


def _is_one_sided(alternative: Any) -> bool:
    if not isinstance(alternative, dict) or list(alternative) != ["numeric"]:
        return False
    comparison = alternative["numeric"]
    match comparison:
        case [str(sign), int() | float()]:
            return sign in _ONE_SIDED
    return False


def _shown(alternative: Any) -> str:
    return json.dumps(alternative)
