"""The alert rules: what in a target update calls for an alert, and how that is worded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from common.target_update import TargetUpdate

STEEP_DESCENT_FEET_PER_MINUTE: Final = -6000
"""Below this a descent in flight is steep. It is in the template's default filter pattern as well."""

FASTEST_ON_GROUND_KNOTS: Final = 250
HIGHEST_ON_GROUND_FEET: Final = 15_000
"""Faster or higher nothing is on the ground, whatever it says: airliners take off below 200 knots, and the highest
airport with regular flights lies at 14,500 feet. Both are in the template's default filter pattern as well."""

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
    """One rule's verdict on one update: `rule` is its name, `title` goes into the subject, `meaning` is a sentence.

    `subject` is what an alert silences: an alert on another subject of the same aircraft is not a duplicate.
    """

    rule: str
    title: str
    meaning: str
    subject: str


def emergency_squawk(update: TargetUpdate) -> Finding | None:
    """Find an emergency code in the transponder's squawk, and say which."""
    known = EMERGENCY_SQUAWKS.get(update.squawk or "")
    if known is None:
        return None
    name, meaning = known
    # Each code has its own subject: an emergency that gets worse is news.
    return Finding("emergency_squawk", f"Squawk {update.squawk}, {name}", meaning, f"emergency_squawk:{update.squawk}")


def steep_descent(update: TargetUpdate) -> Finding | None:
    """Find a vertical rate below -6,000 ft/min in flight.

    An aircraft that does not say whether it is on the ground counts as in flight; so does one that says it is, but
    moves, or is at an altitude, as no aircraft on the ground does.
    """
    rate = update.vertical_rate
    if rate is None or rate >= STEEP_DESCENT_FEET_PER_MINUTE or _is_on_ground(update):
        return None
    return Finding(
        "steep_descent",
        f"Steep descent, {-rate:,.0f} ft/min",
        f"The aircraft loses {-rate:,.0f} feet a minute in flight; an alert is given above "
        f"{-STEEP_DESCENT_FEET_PER_MINUTE:,} feet a minute.",
        "steep_descent",
    )


def _is_on_ground(update: TargetUpdate) -> bool:
    return (
        update.on_ground is True
        and (update.speed or 0) <= FASTEST_ON_GROUND_KNOTS
        and (update.altitude_baro or 0) <= HIGHEST_ON_GROUND_FEET
    )


BUILT_IN: Final[tuple[Callable[[TargetUpdate], Finding | None], ...]] = (emergency_squawk, steep_descent)


def findings(update: TargetUpdate) -> tuple[Finding, ...]:
    """Return what there is to say about an update that one of the configured patterns matches; never empty.

    The patterns are parameters of the template, and the function does not know which of them let the update through. So
    an update that no built-in rule knows was asked for by the operator's own pattern.
    """
    found = tuple(finding for rule in BUILT_IN if (finding := rule(update)) is not None)
    return found or (
        Finding(
            "pattern",
            "Matched the configured pattern",
            "The update matched one of the patterns configured for this stack (template parameter), and none of the "
            "built-in rules.",
            "pattern",
        ),
    )
