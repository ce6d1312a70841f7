"""The operators of filter patterns: each becomes a test of one scalar of the data.

What AWS would refuse has been refused before (`common.event_pattern`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    type LeafTest = Callable[[Any], bool]  # takes one scalar of the data

_LARGEST = 5_000_000_000
"""Numbers are compared between this and its negative (github.com/aws/event-ruler, README, numeric matching)."""

_NUMERIC: dict[str, Callable[[float, float], bool]] = {
    "=": lambda value, bound: value == bound,
    "<": lambda value, bound: value < bound,
    "<=": lambda value, bound: value <= bound,
    ">": lambda value, bound: value > bound,
    ">=": lambda value, bound: value >= bound,
}


def scalar_test(entry: Any) -> LeafTest:
    """Return the test that one alternative of a pattern stands for: a value, or an object of one operator."""
    if not isinstance(entry, dict):
        return lambda value: _same(value, entry)
    ((operator, operand),) = entry.items()
    if operator == "anything-but":
        return _anything_but(operand)
    if operator == "numeric":
        return _numeric(operand)
    return _text_test(operator, operand)


def _same(value: Any, wanted: Any) -> bool:
    # 1 and 1.0 are one number to EventBridge, which looks for a number by its value and by how it is written.
    if _is_number(value) and _is_number(wanted):
        return bool(value == wanted)
    return type(value) is type(wanted) and bool(value == wanted)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text_test(operator: str, operand: Any) -> LeafTest:
    folded = isinstance(operand, dict)
    text = operand["equals-ignore-case"] if folded else operand
    if operator == "wildcard":
        return _wildcard(text)
    if operator == "equals-ignore-case":
        return lambda value: isinstance(value, str) and value.lower() == text.lower()
    compare = str.startswith if operator == "prefix" else str.endswith
    if folded:
        return lambda value: isinstance(value, str) and compare(value.lower(), text.lower())
    return lambda value: isinstance(value, str) and compare(value, text)


def _wildcard(text: str) -> LeafTest:
    """Look for each piece at its first place behind the one before: a regular expression would try all places."""
    pieces = [""]
    for token in re.findall(r"\\[*\\]|.", text, re.DOTALL):
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


def _anything_but(operand: Any) -> LeafTest:
    """The field must be there, and be none of these."""
    if isinstance(operand, dict):
        ((operator, texts),) = operand.items()
        refused = [_text_test(operator, text) for text in (texts if isinstance(texts, list) else [texts])]
    else:
        values = operand if isinstance(operand, list) else [operand]
        refused = [lambda value, other=other: _same(value, other) for other in values]  # type: ignore[misc]
    return lambda value: not any(test(value) for test in refused)


def _numeric(operand: list[Any]) -> LeafTest:
    """One comparison or two, as in [">", 0, "<=", 5]; a number outside of -5e9 to 5e9 is none that is compared."""
    tests = list(zip(operand[::2], operand[1::2], strict=True))
    return lambda value: (
        _is_number(value)
        and abs(value) <= _LARGEST
        and all(_NUMERIC[operator](value, bound) for operator, bound in tests)
    )
