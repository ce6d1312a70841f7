"""FilterCriteria: which records of a stream a function gets to see, in EventBridge's pattern syntax.

Operators and their meaning: EventBridge user guide, "Comparison operators for use in event patterns".
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec

from local.event_source_mapping.filter_operators import PatternError, scalar_test

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["PatternError", "RecordFilter"]

type _Matcher = Callable[[Any], bool]  # takes the value a pattern stands against, or _MISSING

_MISSING: Any = object()
_LONGEST_PATTERN = 4096
"""Characters (Lambda API reference, Filter)."""
_DEEPEST = 100
"""Levels of nesting in a pattern or in data that are looked into. AWS names no limit; real ones have two or three."""


class RecordFilter:
    """Up to five patterns, of which one must match; built once, asked for every record."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self.patterns = tuple(patterns)
        parsed = [_parse(pattern) for pattern in self.patterns]
        self._matchers = [_object(pattern) for pattern in parsed]
        # A pattern without any key says nothing of the data, so data that is no JSON passes it.
        self._passes_any_bytes = any(not pattern.get("data", pattern) for pattern in parsed)

    def __call__(self, data: bytes) -> bool:
        """Tell whether a record with these bytes is handed to the function."""
        if self._passes_any_bytes:
            return True
        try:
            event = {"data": msgspec.json.decode(data)}
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return False
        if not _is_shallow(event):
            return False
        return any(matches(event) for matches in self._matchers)


def _parse(pattern: str) -> dict[str, Any]:
    if len(pattern) > _LONGEST_PATTERN:
        raise PatternError(f"a pattern has {len(pattern):,} characters; it takes at most {_LONGEST_PATTERN:,}")
    try:
        parsed = json.loads(pattern)
    except (ValueError, RecursionError) as error:
        raise PatternError(f"the pattern {pattern!r} is no JSON: {error}") from error
    if not isinstance(parsed, dict):
        raise PatternError(f"the pattern {pattern!r} is no JSON object")
    if not _is_shallow(parsed):
        raise PatternError(f"the pattern {pattern!r} is nested more than {_DEEPEST} levels deep")
    for key in _names(parsed):
        if key != "data":
            raise PatternError(f"the pattern {pattern!r} names {key!r}: of a Kinesis record only `data` is looked at")
    return parsed


def _is_shallow(value: Any) -> bool:
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
        if key == "$or" and isinstance(value, list):
            for alternative in value:
                if isinstance(alternative, dict):
                    yield from _names(alternative)
        else:
            yield key


def _object(pattern: dict[str, Any]) -> _Matcher:
    """Every key must match; of an array of objects, one element must match them all."""
    keys: list[tuple[str, _Matcher]] = []
    alternatives: list[_Matcher] = []
    for key, value in pattern.items():
        if key == "$or":
            if not isinstance(value, list) or not value or not all(isinstance(entry, dict) for entry in value):
                raise PatternError(f"`$or` is {value!r}: it must be a list of objects")
            options = [_object(entry) for entry in value]
            alternatives.append(lambda data, options=options: any(option(data) for option in options))  # type: ignore[misc]
        elif isinstance(value, dict):
            keys.append((key, _object(value)))
        elif isinstance(value, list) and value:
            keys.append((key, _leaf(value)))
        else:
            raise PatternError(f"{key!r} stands against {value!r}: it must be an object or a list with an entry")

    def matches(data: Any) -> bool:
        if isinstance(data, list) and data:
            return any(matches(element) for element in data)
        if not isinstance(data, dict):
            # Nothing to look into: only "there is no such field" can hold below here.
            data = {}
        return all(match(data.get(key, _MISSING)) for key, match in keys) and all(one(data) for one in alternatives)

    return matches


def _leaf(alternatives: list[Any]) -> _Matcher:
    """One alternative must hold, for one scalar of the value; `exists` is asked of the value as a whole."""
    tests = [scalar_test(entry) for entry in alternatives if not _is_exists(entry)]
    wanted = {_exists(entry) for entry in alternatives if _is_exists(entry)}

    def matches(value: Any) -> bool:
        scalars = list(_scalars(value))
        return bool(scalars) in wanted or any(test(scalar) for scalar in scalars for test in tests)

    return matches


def _scalars(value: Any) -> Iterable[Any]:
    """Take a value's leaves: itself, an array's elements; an object is no leaf, and what is missing has none."""
    if isinstance(value, list):
        for element in value:
            yield from _scalars(element)
    elif value is not _MISSING and not isinstance(value, dict):
        yield value


def _is_exists(entry: Any) -> bool:
    return isinstance(entry, dict) and "exists" in entry


def _exists(entry: dict[str, Any]) -> bool:
    if len(entry) != 1 or not isinstance(entry["exists"], bool):
        raise PatternError(f"{entry!r}: `exists` takes true or false, alone")
    return entry["exists"]
