"""Parses the alert patterns as the template passes them to a function: up to five JSON objects in one text."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from common import event_pattern
from common.environment import ConfigurationError

_SHOWN: Final = 200
"""Characters that an error quotes of what is not recognised as a pattern."""


class AlertPattern(NamedTuple):
    """One pattern: as it was written, and as what it says."""

    text: str
    parsed: dict[str, Any]


def parse(patterns: str) -> list[AlertPattern]:
    """Return the patterns of `ALERT_PATTERNS`, written one after the other, with white space between them.

    Each is read to where its JSON ends. The template takes patterns of one line only, as Lambda does by its API's own
    rule for a filter's pattern, `.*`; a variable changed by hand may have others.

    Raises
    ------
    ConfigurationError
        There is none, or one is not a pattern that Lambda takes: the text names the pattern and the part of it.
    """
    found: list[AlertPattern] = []
    rest = patterns.strip()
    while rest:
        try:
            parsed, end = event_pattern.read(rest)
        except event_pattern.EventPatternError as error:
            shown = rest.partition("\n")[0][:_SHOWN]
            raise ConfigurationError(
                f"ALERT_PATTERNS: pattern {len(found) + 1}, {shown}: {error}. Correct the stack's parameter "
                "AlertPattern1 to AlertPattern5 that holds it"
            ) from None
        found.append(AlertPattern(rest[:end], parsed))
        rest = rest[end:].lstrip()
    if not found:
        raise ConfigurationError(
            "ALERT_PATTERNS: not set; expected the patterns of the parameters AlertPattern1 to AlertPattern5, one a "
            "line. template.yaml sets it"
        )
    return found
