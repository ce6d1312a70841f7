"""The rules: what in a target update calls for an alert, and in which words it is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from common.target_update import TargetUpdate

STEEP_DESCENT_FEET_PER_MINUTE: Final = -6000
"""Below this a descent in flight is steep. It stands in the template's default filter pattern as well."""

EMERGENCY_SQUAWKS: Final = {
    "7500": (
        "unlawful interference",
        "The transponder says that somebody interferes unlawfully with the flight (hijack).",
    ),
    "7600": (
        "radio failure",
        "The transponder says that the crew cannot talk or listen by radio.",
    ),
    "7700": (
        "general emergency",
        "The transponder says that the crew has an emergency; the code does not say of which kind.",
    ),
}
"""The transponder codes that are the same all over the world (ICAO Annex 10, volume IV)."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule's verdict on one update: `rule` is its name, `title` goes into the subject, `meaning` is a sentence."""

    rule: str
    title: str
    meaning: str


def emergency_squawk(update: TargetUpdate) -> Finding | None:
    """Find an emergency code in the transponder's squawk, and say which."""
    known = EMERGENCY_SQUAWKS.get(update.squawk or "")
    if known is None:
        return None
    name, meaning = known
    return Finding("emergency_squawk", f"Squawk {update.squawk}, {name}", meaning)


def steep_descent(update: TargetUpdate) -> Finding | None:
    """Find a vertical rate below -6,000 ft/min in flight; without `on_ground` the aircraft counts as in flight."""
    rate = update.vertical_rate
    if rate is None or rate >= STEEP_DESCENT_FEET_PER_MINUTE or update.on_ground:
        return None
    return Finding(
        "steep_descent",
        f"Steep descent, {-rate:,.0f} ft/min",
        f"The aircraft loses {-rate:,.0f} feet a minute in flight; an alert is given above "
        f"{-STEEP_DESCENT_FEET_PER_MINUTE:,} feet a minute.",
    )


BUILT_IN: Final[tuple[Callable[[TargetUpdate], Finding | None], ...]] = (emergency_squawk, steep_descent)


def findings(update: TargetUpdate) -> tuple[Finding, ...]:
    """Return what there is to tell of an update that one of the configured patterns matches: never nothing.

    The patterns are parameters of the template, and it is not known here which one let the update through. An update
    that no built-in rule knows was therefore asked for by the operator's own pattern.
    """
    found = tuple(finding for rule in BUILT_IN if (finding := rule(update)) is not None)
    return found or (
        Finding(
            "pattern",
            "Matched the configured pattern",
            "The update matched one of the patterns configured for this stack (template parameter), and none of the "
            "built-in rules.",
        ),
    )
