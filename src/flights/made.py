"""What became of a day, as a run reports it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from flights import days

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from flights.parts import Plan


class Made(NamedTuple):
    """What became of a day; `flights` is None if there was nothing to do, or if it is to be made by its `plan`."""

    day: date
    updates: int = 0
    flights: int | None = None
    plan: Plan | None = None
    is_due: bool = True
    """Whether now, or when its hours are over."""


def as_json(made: Iterable[Made]) -> dict[str, Any]:
    """Return what became of each day, for the function's answer and log."""
    return {str(one.day): _as_json(one) for one in made}


def _as_json(made: Made) -> Any:
    if made.plan is not None:
        waits = {} if made.is_due else {"waits_until": f"{days.complete(made.day):%Y-%m-%dT%H:%MZ}"}
        return {"parts": len(made.plan.parts), **waits}
    return "unchanged" if made.flights is None else {"updates": made.updates, "flights": made.flights}
