"""Matches each update of an envelope against the alert patterns: the mapping's filter has seen the header only.

EventBridge's pattern syntax as event source mappings take it (EventBridge user guide, "Comparison operators for use in
event patterns"), compiled once into functions. A pattern's object becomes a test of an object, its array of
alternatives a test of a value, each alternative a test of one scalar. What the syntax does not allow was refused when
the patterns were read (`common.event_pattern`).
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from common.alert_patterns import parse
from common.event_pattern import LARGEST_NUMBER
from common.target_update import fields

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

type _Test = Callable[[Any], bool]

_MISSING: Final[Any] = object()
_NOTHING: Final[Mapping[str, Any]] = {}


class AlertPatterns:
    """The patterns of `ALERT_PATTERNS`, of which an update has to match one.

    They are compiled when first needed: a function that receives no envelope has no use for them.
    """

    def __init__(self, patterns: str) -> None:
        self._patterns = patterns

    def match(self, data: bytes) -> bool:
        """Return whether the event source mapping would have passed the update on, had it been a record by itself.

        Raises
        ------
        ConfigurationError
            There is no pattern, or one is not allowed by EventBridge's syntax.
        UndecodableUpdateError
            The data are not a JSON object.
        """
        tests, event = self._tests, {"data": fields(data)}
        return any(test(event) for test in tests)

    @cached_property
    def _tests(self) -> list[_Test]:
        return [_object(pattern) for _, pattern in parse(self._patterns)]


def _object(pattern: dict[str, Any]) -> _Test:
    """Every key has to match; where the data have an array of objects, all of them in one element."""
    tests = [_any_of(value) if key == "$or" else _key(key, value) for key, value in pattern.items()]

    def test(data: Any) -> bool:
        for one in _elements(data) if isinstance(data, list) and data else (data,):
            # In what is not an object, every field is missing.
            given = one if isinstance(one, dict) else _NOTHING
            if all(has(given) for has in tests):
                return True
        return False

    return test


def _any_of(alternatives: list[dict[str, Any]]) -> _Test:
    tests = [_object(one) for one in alternatives]
    return lambda given: any(one(given) for one in tests)


def _key(key: str, pattern: dict[str, Any] | list[Any]) -> _Test:
    test = _object(pattern) if isinstance(pattern, dict) else _alternatives(pattern)
    return lambda given: test(given.get(key, _MISSING))


def _alternatives(entries: list[Any]) -> _Test:
    """Exact values become one look-up, `exists` a question about the whole; the other operators are asked in turn."""
    exact: list[Any] = []
    operators: list[_Test] = []
    presence: set[bool] = set()
    for entry in entries:
        if not isinstance(entry, dict):
            exact.append(entry)
        elif "exists" in entry:
            presence.add(entry["exists"])
        else:
            operators.append(_operator(*next(iter(entry.items()))))
    values = _identities(exact)

    def leaf(value: Any) -> bool:
        return _identity(value) in values or any(one(value) for one in operators)

    def test(value: Any) -> bool:
        leaves = _leaves(value)
        return bool(leaves) in presence or any(map(leaf, leaves))

    return test


def _leaves(value: Any) -> list[Any]:
    """Return the scalars that a value has: of an array those of its elements, of an object none."""
    scalars = _elements(value) if isinstance(value, list) else [value]
    return [one for one in scalars if one is not _MISSING and not isinstance(one, dict)]


def _elements(array: list[Any]) -> list[Any]:
    """Return what an array holds, and in place of an array within it what that holds, however deep."""
    elements: list[Any] = []
    waiting = [iter(array)]
    while waiting:
        for element in waiting[-1]:
            if isinstance(element, list):
                waiting.append(iter(element))
                break
            elements.append(element)
        else:
            waiting.pop()
    return elements


def _identities(values: list[Any]) -> frozenset[tuple[type, Any]]:
    return frozenset(map(_identity, values))


def _identity(value: Any) -> tuple[type, Any]:
    """Return what a value is looked up by: 1 and 1.0 are the same number to EventBridge, true is another thing."""
    return (float if type(value) is int else type(value), value)


def _operator(name: str, operand: Any) -> _Test:
    if name == "anything-but":
        return _anything_but(operand)
    if name == "numeric":
        return _numeric(operand)
    test = _text_operator(name, operand)
    return lambda value: isinstance(value, str) and test(value)


def _text_operator(name: str, operand: Any) -> Callable[[str], bool]:
    find = _TEXT_OPERATORS[name]
    if isinstance(operand, dict):
        folded = find(operand["equals-ignore-case"].lower())
        return lambda value: folded(value.lower())
    return find(operand)


def _equals_ignore_case(text: str) -> Callable[[str], bool]:
    folded = text.lower()
    return lambda value: value.lower() == folded


def _wildcard(text: str) -> Callable[[str], bool]:
    r"""`*` stands for any number of characters; `\*` and `\\` for themselves.

    The text before a `*` is matched at its first place, for good (an atomic group), since a later place would leave
    less for the rest: so a pattern with many of them takes no more than one pass for each.
    """
    pieces = [""]
    for token in re.findall(r"\\[*\\]|.", text, re.DOTALL):
        if token == "*":  # noqa: S105 - no password
            pieces.append("")
        else:
            pieces[-1] += re.escape(token[-1])
    first, *others = pieces
    middle = "".join(f"(?>.*?{piece})" for piece in others[:-1])
    last = f".*{others[-1]}" if others else ""
    matches = re.compile(first + middle + last, re.DOTALL).fullmatch
    return lambda value: matches(value) is not None


_TEXT_OPERATORS: Final[dict[str, Callable[[str], Callable[[str], bool]]]] = {
    "prefix": lambda text: lambda value: value.startswith(text),
    "suffix": lambda text: lambda value: value.endswith(text),
    "equals-ignore-case": _equals_ignore_case,
    "wildcard": _wildcard,
}


def _anything_but(operand: Any) -> _Test:
    """Hold for a value that is there and is not one of these; what is no text has no prefix to be refused for."""
    if not isinstance(operand, dict):
        refused = _identities(operand if isinstance(operand, list) else [operand])
        return lambda value: _identity(value) not in refused
    ((name, texts),) = operand.items()
    tests = [_text_operator(name, text) for text in (texts if isinstance(texts, list) else [texts])]
    return lambda value: not isinstance(value, str) or not any(one(value) for one in tests)


_COMPARISONS: Final[dict[str, Callable[[float], Callable[[float], bool]]]] = {
    "=": lambda bound: lambda value: value == bound,
    "<": lambda bound: lambda value: value < bound,
    "<=": lambda bound: lambda value: value <= bound,
    ">": lambda bound: lambda value: value > bound,
    ">=": lambda bound: lambda value: value >= bound,
}


def _numeric(operand: list[Any]) -> _Test:
    """One comparison or two, as in `[">", 0, "<=", 5]`; a number beyond `LARGEST_NUMBER` is compared with none."""
    tests = [_COMPARISONS[sign](bound) for sign, bound in zip(operand[::2], operand[1::2], strict=True)]
    return lambda value: (
        type(value) in (int, float) and all(one(value) for one in tests) and abs(value) <= LARGEST_NUMBER
    )
