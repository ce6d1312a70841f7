"""The alert patterns as the template hands them to a function: up to five JSON objects in one text."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from common.environment import ConfigurationError


class AlertPattern(NamedTuple):
    """One pattern: as it was written, and as what it says."""

    text: str
    parsed: dict[str, Any]


def _no_json(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


_decode = json.JSONDecoder(parse_constant=_no_json).raw_decode


def parse(patterns: str) -> list[AlertPattern]:
    """Return the patterns of `ALERT_PATTERNS`, which stand one behind the other with blanks and line ends between.

    Each is read to where its JSON ends. The template takes patterns of one line only, as Lambda does by its API's own
    rule for a filter's pattern, `.*`; a variable changed by hand may have others.

    Raises
    ------
    ConfigurationError
        There is none, or one is no JSON object.
    """
    found: list[AlertPattern] = []
    rest = patterns.strip()
    while rest:
        try:
            parsed, end = _decode(rest)
        except (ValueError, RecursionError) as error:
            raise ConfigurationError(
                f"ALERT_PATTERNS: got {rest!r}; expected JSON objects, one a line: {error}"
            ) from None
        if not isinstance(parsed, dict):
            raise ConfigurationError(f"ALERT_PATTERNS: got {rest[:end]!r}; expected JSON objects, one a line")
        found.append(AlertPattern(rest[:end], parsed))
        rest = rest[end:].lstrip()
    if not found:
        raise ConfigurationError(
            "ALERT_PATTERNS: not set; expected the patterns of the parameters AlertPattern1 to AlertPattern5, one a "
            "line. template.yaml sets it"
        )
    return found
