"""FilterCriteria: which records of a stream a function gets to see, in EventBridge's pattern syntax.

Operators and their meaning: EventBridge user guide, "Comparison operators for use in event patterns".
"""

from __future__ import annotations

import itertools
import json
import re
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

type _LeafTest = Callable[[Any], bool]  # takes one scalar of the data
type _Matcher = Callable[[Any], bool]  # takes the value a pattern stands against, or _MISSING

_MISSING: Any = object()
_NUMERIC: dict[str, Callable[[float, float], bool]] = {
    "=": lambda value, bound: value == bound,
    "<": lambda value, bound: value < bound,
    "<=": lambda value, bound: value <= bound,
    ">": lambda value, bound: value > bound,
    ">=": lambda value, bound: value >= bound,
}
_LONGEST_PATTERN = 4096
"""Characters (Lambda API reference, Filter)."""
_DEEPEST = 100
"""Levels of nesting in a pattern or in data that are looked into. AWS names no limit; real ones have two or three."""
_OPERATORS = "prefix, suffix, anything-but, numeric, exists, equals-ignore-case, wildcard"


class PatternError(ValueError):
    """A filter pattern is not one that EventBridge's syntax allows."""


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
    tests = [_scalar_test(entry) for entry in alternatives if not _is_exists(entry)]
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


def _scalar_test(entry: Any) -> _LeafTest:
    if isinstance(entry, list):
        raise PatternError(f"{entry!r} is a list within a list")
    if not isinstance(entry, dict):
        return lambda value: _same(value, entry)
    if len(entry) != 1:
        raise PatternError(f"{entry!r} must hold one operator ({_OPERATORS})")
    ((operator, operand),) = entry.items()
    if operator == "anything-but":
        return _anything_but(operand)
    if operator == "numeric":
        return _numeric(operand)
    return _text_test(operator, operand)


def _same(value: Any, wanted: Any) -> bool:
    # 1, 1.0 and true are three things to EventBridge, which compares how numbers are written.
    return type(value) is type(wanted) and bool(value == wanted)


def _text_test(operator: str, operand: Any) -> _LeafTest:
    folded = operator in {"prefix", "suffix"} and isinstance(operand, dict) and set(operand) == {"equals-ignore-case"}
    text = operand["equals-ignore-case"] if folded else operand
    if operator not in {"prefix", "suffix", "equals-ignore-case", "wildcard"}:
        raise PatternError(f"{operator!r} is no operator known here ({_OPERATORS})")
    if not isinstance(text, str):
        raise PatternError(f"`{operator}` takes a string, not {operand!r}")
    if operator == "wildcard":
        return _wildcard(text)
    if operator == "equals-ignore-case":
        return lambda value: isinstance(value, str) and value.lower() == text.lower()
    compare = str.startswith if operator == "prefix" else str.endswith
    if folded:
        return lambda value: isinstance(value, str) and compare(value.lower(), text.lower())
    return lambda value: isinstance(value, str) and compare(value, text)


def _wildcard(text: str) -> _LeafTest:
    """Look for each piece at its first place behind the one before: a regular expression would try all places."""
    tokens = re.findall(r"\\[*\\]|.", text, re.DOTALL)
    if any(one == two == "*" for one, two in itertools.pairwise(tokens)):
        raise PatternError(f"the wildcard {text!r} has two * in a row")
    pieces = [""]
    for token in tokens:
        if token == "*":  # noqa: S105 - no password
            pieces.append("")
        else:
            pieces[-1] += token[-1]
    first, *middle = pieces
    if not middle:
        return lambda value: isinstance(value, str) and value == first
    last = middle.pop()

    def matches(value: Any) -> bool:
        if not isinstance(value, str) or not value.startswith(first):
            return False
        at = len(first)
        for piece in middle:
            found = value.find(piece, at)
            if found < 0:
                return False
            at = found + len(piece)
        return len(value) - at >= len(last) and value.endswith(last)

    return matches


def _anything_but(operand: Any) -> _LeafTest:
    """The field must be there, and be none of these."""
    if isinstance(operand, dict):
        if len(operand) != 1:
            raise PatternError(f"`anything-but` takes one operator, not {operand!r}")
        ((operator, texts),) = operand.items()
        refused = [_text_test(operator, text) for text in (texts if isinstance(texts, list) else [texts])]
    else:
        values = operand if isinstance(operand, list) else [operand]
        if not all(isinstance(value, str | int | float) and not isinstance(value, bool) for value in values):
            raise PatternError(f"`anything-but` takes strings or numbers, not {operand!r}")
        refused = [lambda value, other=other: _same(value, other) for other in values]  # type: ignore[misc]
    if not refused:
        raise PatternError("`anything-but` takes at least one value")
    return lambda value: not any(test(value) for test in refused)


def _numeric(operand: Any) -> _LeafTest:
    """One comparison or two, as in [">", 0, "<=", 5]."""
    if not isinstance(operand, list) or len(operand) not in {2, 4}:
        raise PatternError(f"`numeric` takes one comparison or two, not {operand!r}")
    tests = list(zip(operand[::2], operand[1::2], strict=True))
    for operator, bound in tests:
        if (
            not isinstance(operator, str)
            or operator not in _NUMERIC
            or not isinstance(bound, int | float)
            or isinstance(bound, bool)
        ):
            raise PatternError(f"`numeric` takes =, <, <=, >, >= and numbers, not {operand!r}")

    def matches(value: Any) -> bool:
        if not isinstance(value, int | float) or isinstance(value, bool):
            return False
        return all(_NUMERIC[operator](value, bound) for operator, bound in tests)

    return matches
