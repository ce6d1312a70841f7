"""FilterCriteria: which records of a stream a function receives, in EventBridge's pattern syntax.

Operators and their meaning: EventBridge user guide, "Comparison operators for use in event patterns".
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec

from common import event_pattern  # what AWS refuses is one list; what a pattern means is not taken from the functions
from local.event_source_mapping.filter_operators import scalar_test

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["PatternError", "RecordFilter"]

type _Matcher = Callable[[Any], bool]  # takes the value a pattern stands against, or MISSING

MISSING: Any = object()
"""In place of a value that is not there."""
_DEEPEST = 100
"""Levels of nesting in data that are looked into. AWS names no limit; real data have two or three."""

_decode = msgspec.json.Decoder().decode


class PatternError(ValueError):
    """Lambda would refuse the pattern."""


class _OutOfRange:
    """A number that is there and that no double holds: it equals nothing, and is neither large nor small."""


class RecordFilter:
    """Up to five patterns, of which one must match; built once, asked for every record."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self.patterns = tuple(patterns)
        self._matchers = [_object(_parse(pattern)) for pattern in self.patterns]

    def __call__(self, data: bytes) -> bool:
        """Tell whether a record with these bytes is handed to the function."""
        try:
            event = {"data": decoded(data)}
        except (ValueError, RecursionError):
            return False
        if not is_shallow(event):
            return False
        return any(matches(event) for matches in self._matchers)


def decoded(data: bytes) -> Any:
    """Return a record's JSON as AWS reads it, which keeps a number as it is written; ValueError where it is none."""
    try:
        return _decode(data)
    except msgspec.MsgspecError:
        return json.loads(data, parse_int=_number, parse_float=_number, parse_constant=_refuse)


def _number(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.MsgspecError:
        return _OutOfRange()


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _parse(text: str) -> dict[str, Any]:
    try:
        pattern, end = event_pattern.read(text)
    except event_pattern.EventPatternError as error:
        raise PatternError(f"the pattern {text[:200]!r}: {error}") from None
    if len(text) > event_pattern.LONGEST_PATTERN:  # blanks count, too
        raise PatternError(
            f"a pattern has {len(text):,} characters; it takes at most {event_pattern.LONGEST_PATTERN:,}"
        )
    if text[end:].strip():
        raise PatternError(f"the pattern {text[:200]!r}: not JSON: something follows its object")
    for key in _names(pattern):
        if key != "data":
            raise PatternError(f"the pattern {text!r} names {key!r}: of a Kinesis record only `data` is looked at")
    return pattern


def is_shallow(value: Any) -> bool:
    """Tell whether the value can be looked into without end of the interpreter's stack."""
    level: list[Any] = [value]
    for _ in range(_DEEPEST):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return True
    return False


def _names(pattern: dict[str, Any]) -> Iterable[str]:
    for key, value in pattern.items():
        if key == "$or":
            for alternative in value:
                yield from _names(alternative)
        else:
            yield key


def _object(pattern: dict[str, Any]) -> _Matcher:
    """Every key must match; of an array of objects, one element must match them all."""
    keys: list[tuple[str, _Matcher]] = []
    alternatives: list[_Matcher] = []
    for key, value in pattern.items():
        if key == "$or":
            options = [_object(entry) for entry in value]
            alternatives.append(lambda data, options=options: any(option(data) for option in options))  # type: ignore[misc]
        else:
            keys.append((key, _object(value) if isinstance(value, dict) else leaf(value)))

    def matches(data: Any) -> bool:
        if isinstance(data, list) and data:
            return any(matches(element) for element in data)
        if not isinstance(data, dict):
            # Nothing to look into: only "there is no such field" can hold below here.
            data = {}
        return all(match(data.get(key, MISSING)) for key, match in keys) and all(one(data) for one in alternatives)

    return matches


def leaf(alternatives: list[Any]) -> _Matcher:
    """Return a test: one alternative must hold for one scalar of a value; `exists` is asked of the value itself."""
    tests = [scalar_test(entry) for entry in alternatives if not _is_exists(entry)]
    wanted = {entry["exists"] for entry in alternatives if _is_exists(entry)}

    def matches(value: Any) -> bool:
        scalars = list(_scalars(value))
        return bool(scalars) in wanted or any(test(scalar) for scalar in scalars for test in tests)

    return matches


def _scalars(value: Any) -> Iterable[Any]:
    """Take a value's leaves: itself, an array's elements; an object is no leaf, and what is missing has none."""
    if isinstance(value, list):
        for element in value:
            yield from _scalars(element)
    elif value is not MISSING and not isinstance(value, dict):
        yield value


def _is_exists(entry: Any) -> bool:
    return isinstance(entry, dict) and "exists" in entry
