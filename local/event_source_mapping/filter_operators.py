"""The operators of filter patterns: each becomes a test of one scalar of the data."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    type LeafTest = Callable[[Any], bool]  # takes one scalar of the data

_NUMERIC: dict[str, Callable[[float, float], bool]] = {
    "=": lambda value, bound: value == bound,
    "<": lambda value, bound: value < bound,
    "<=": lambda value, bound: value <= bound,
    ">": lambda value, bound: value > bound,
    ">=": lambda value, bound: value >= bound,
}
_OPERATORS = "prefix, suffix, anything-but, numeric, exists, equals-ignore-case, wildcard"


class PatternError(ValueError):
    """A filter pattern is not one that EventBridge's syntax allows."""


def scalar_test(entry: Any) -> LeafTest:
    """Return the test that one alternative of a pattern stands for: a value, or an object of one operator.

    Raises
    ------
    PatternError
        It is neither, or the operator takes something else.
    """
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


def _text_test(operator: str, operand: Any) -> LeafTest:
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


def _wildcard(text: str) -> LeafTest:
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


def _anything_but(operand: Any) -> LeafTest:
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


def _numeric(operand: Any) -> LeafTest:
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
