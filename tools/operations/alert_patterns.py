"""Checks the alert patterns among a stack's parameters, as Lambda and the consumer will."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from common import event_pattern
from consumer.publish import pattern_validation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NAMES: Final = tuple(f"AlertPattern{number}" for number in range(1, 6))

_ENVIRONMENT: Final = 4096
"""Bytes of all environment variables of a function (Lambda quotas); the patterns are one of them."""


def problems(values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield a parameter's name and a sentence for each alert pattern that would not work in the stack.

    `values` are the stack's parameters by name, with the template's defaults among them.
    """
    patterns = {name: text for name in NAMES if (text := values.get(name, "").strip())}
    in_envelopes = values.get("RecordFormat") == "envelope"
    for name, text in patterns.items():
        try:
            pattern, end = event_pattern.read(text)
        except event_pattern.EventPatternError as error:
            yield name, f"Lambda takes no such pattern: {error}"
            continue
        if end < len(text):
            yield name, f"has {text[end:].strip()[:80]} behind the pattern; write one pattern a parameter"
        for problem in pattern_validation.problems(pattern) if in_envelopes else ():
            yield name, f"with RecordFormat=envelope it misses updates, and the consumer refuses to start: {problem}"
    size = len("\n".join(patterns.values()).encode())
    if size >= _ENVIRONMENT:
        together = (
            f"have {size:,} bytes together; all environment variables of a function have {_ENVIRONMENT:,} at most"
        )
        yield f"{NAMES[0]} to {NAMES[-1]}", together
