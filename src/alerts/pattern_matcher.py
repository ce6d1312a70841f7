"""The configured alert patterns, asked of each update of an envelope: its filter has seen the header only.

EventBridge's pattern syntax as event source mappings take it (EventBridge user guide, "Comparison operators for use in
event patterns"), compiled once into functions. A pattern's object becomes a test of an object, its array of
alternatives a test of a value, each alternative a test of one scalar.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import msgspec

from common.alert_patterns import parse
from common.environment import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

type _Test = Callable[[Any], bool]

_MISSING: Final[Any] = object()
_NOTHING: Final[Mapping[str, Any]] = {}


class _PatternError(ValueError):
    """EventBridge's syntax does not allow this."""


class AlertPatterns:
    """The patterns of `ALERT_PATTERNS`, of which an update has to match one.

    They are compiled when first asked: a function that gets no envelope has no use for them.
    """

    def __init__(self, patterns: str) -> None:
        self._patterns = patterns

    def match(self, data: bytes) -> bool:
        """Tell whether the event source mapping would have handed over an update, had it come by itself.

        Raises
        ------
        ConfigurationError
            There is no pattern, or one is not allowed by EventBridge's syntax.
        """
        tests = self._tests
        try:
            event = {"data": msgspec.json.decode(data)}
            return any(test(event) for test in tests)
        except (ValueError, RecursionError):  # no JSON, or nested without end: a mapping's filter drops it as well
            return False

    @cached_property
    def _tests(self) -> list[_Test]:
        return [_compiled(text, pattern) for text, pattern in parse(self._patterns)]


def _compiled(text: str, pattern: dict[str, Any]) -> _Test:
    try:
        return _object(pattern)
    except _PatternError as error:
        reason = str(error)
    except RecursionError:
        reason = "it is nested too deep"
    raise ConfigurationError(
        f"ALERT_PATTERNS: the pattern {text} cannot be asked of the updates in an envelope: {reason}. Correct the "
        "stack's parameter AlertPattern1 to AlertPattern5 that holds it"
    )


def _object(pattern: dict[str, Any]) -> _Test:
    """Every key has to match; where the data have an array of objects, all of them in one element."""
    tests = [_any_of(value) if key == "$or" else _key(key, value) for key, value in pattern.items()]

    def test(data: Any) -> bool:
        if isinstance(data, list) and data:
            return any(map(test, data))
        fields = data if isinstance(data, dict) else _NOTHING  # in what is no object, every field is missing
        return all(one(fields) for one in tests)

    return test


def _any_of(alternatives: Any) -> _Test:
    if not isinstance(alternatives, list) or not alternatives or not all(isinstance(one, dict) for one in alternatives):
        raise _PatternError(f"`$or` takes an array of objects, not {alternatives!r}")
    tests = [_object(one) for one in alternatives]
    return lambda fields: any(one(fields) for one in tests)


def _key(key: str, pattern: Any) -> _Test:
    if isinstance(pattern, dict):
        test = _object(pattern)
    elif isinstance(pattern, list) and pattern:
        test = _alternatives(pattern)
    else:
        raise _PatternError(f"{key!r} takes an object or an array with an entry, not {pattern!r}")
    return lambda fields: test(fields.get(key, _MISSING))


def _alternatives(entries: list[Any]) -> _Test:
    """Exact values become one look-up, `exists` a question about the whole; the other operators are asked in turn."""
    exact: list[Any] = []
    operators: list[_Test] = []
    presence: set[bool] = set()
    for entry in entries:
        if not isinstance(entry, dict):
            exact.append(entry)
        elif len(entry) != 1:
            raise _PatternError(f"{entry!r} has to hold one operator")
        elif "exists" in entry:
            presence.add(_flag(entry["exists"]))
        else:
            operators.append(_operator(*next(iter(entry.items()))))
    values = _identities(exact)

    def leaf(value: Any) -> bool:
        return (type(value), value) in values or any(one(value) for one in operators)

    def test(value: Any) -> bool:
        leaves = _leaves(value)
        return bool(leaves) in presence or any(map(leaf, leaves))

    return test


def _leaves(value: Any) -> list[Any]:
    """Return the scalars that a value has: of an array those of its elements, of an object none."""
    if isinstance(value, list):
        return [leaf for element in value for leaf in _leaves(element)]
    return [] if value is _MISSING or isinstance(value, dict) else [value]


def _identities(values: list[Any]) -> frozenset[tuple[type, Any]]:
    """Return what to look a value up by: 1, 1.0 and true are three, since EventBridge compares how they are written."""
    if any(isinstance(value, list | dict) for value in values):
        raise _PatternError(f"{values!r} has to hold texts, numbers, true, false or null")
    return frozenset((type(value), value) for value in values)


def _flag(operand: Any) -> bool:
    if not isinstance(operand, bool):
        raise _PatternError(f"`exists` takes true or false, not {operand!r}")
    return operand


def _operator(name: str, operand: Any) -> _Test:
    if name == "anything-but":
        return _anything_but(operand)
    if name == "numeric":
        return _numeric(operand)
    test = _text_operator(name, operand)
    return lambda value: isinstance(value, str) and test(value)


def _text_operator(name: str, operand: Any) -> Callable[[str], bool]:
    find = _TEXT_OPERATORS.get(name)
    if find is None:
        raise _PatternError(
            f"{name!r} is no operator that is known here; known are anything-but, exists, numeric, "
            + ", ".join(_TEXT_OPERATORS)
        )
    if isinstance(operand, dict) and list(operand) == ["equals-ignore-case"] and name in ("prefix", "suffix"):
        folded = find(_text(name, operand["equals-ignore-case"]).lower())
        return lambda value: folded(value.lower())
    return find(_text(name, operand))


def _text(name: str, operand: Any) -> str:
    if not isinstance(operand, str):
        raise _PatternError(f"`{name}` takes a text, not {operand!r}")
    return operand


def _equals_ignore_case(text: str) -> Callable[[str], bool]:
    folded = text.lower()
    return lambda value: value.lower() == folded


def _wildcard(text: str) -> Callable[[str], bool]:
    r"""`*` stands for any number of characters; `\*` and `\\` for themselves.

    What stands before a `*` is taken at its first place, once and for all (an atomic group), since a later place would
    leave less for the rest: so a pattern with many of them takes no more than one pass for each.
    """
    tokens = re.findall(r"\\[*\\]|.", text, re.DOTALL)
    pieces = [""]
    for before, token in zip(["", *tokens], tokens, strict=False):
        if before == token == "*":
            raise _PatternError(f"the wildcard {text!r} has two * in a row")
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
    """Hold for a value that is there and is none of these; what is no text has no prefix to be refused for."""
    if not isinstance(operand, dict):
        values = operand if isinstance(operand, list) else [operand]
        refused = _identities(values)
        if not refused or any(kind not in (str, int, float) for kind, _ in refused):
            raise _PatternError(f"`anything-but` takes texts or numbers, not {operand!r}")
        return lambda value: (type(value), value) not in refused
    if len(operand) != 1:
        raise _PatternError(f"`anything-but` takes one operator, not {operand!r}")
    ((name, texts),) = operand.items()
    tests = [_text_operator(name, text) for text in (texts if isinstance(texts, list) else [texts])]
    if not tests:
        raise _PatternError("`anything-but` takes at least one text")
    return lambda value: not isinstance(value, str) or not any(one(value) for one in tests)


_COMPARISONS: Final[dict[str, Callable[[float], Callable[[float], bool]]]] = {
    "=": lambda bound: lambda value: value == bound,
    "<": lambda bound: lambda value: value < bound,
    "<=": lambda bound: lambda value: value <= bound,
    ">": lambda bound: lambda value: value > bound,
    ">=": lambda bound: lambda value: value >= bound,
}


def _numeric(operand: Any) -> _Test:
    """One comparison or two, as in `[">", 0, "<=", 5]`."""
    if not isinstance(operand, list) or len(operand) not in (2, 4):
        raise _PatternError(f"`numeric` takes one comparison or two, not {operand!r}")
    tests = []
    for sign, bound in zip(operand[::2], operand[1::2], strict=True):
        if not isinstance(sign, str) or sign not in _COMPARISONS or type(bound) not in (int, float):
            raise _PatternError(f"`numeric` takes =, <, <=, >, >= and numbers, not {operand!r}")
        tests.append(_COMPARISONS[sign](bound))
    return lambda value: type(value) in (int, float) and all(one(value) for one in tests)
