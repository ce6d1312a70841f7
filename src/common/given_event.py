"""What a function that is invoked by schedule and by hand is given: an object with names that it knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_EVENTBRIDGE: Final = frozenset(
    {"version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail"}
)
"""The names in an event from EventBridge, such as a schedule's."""

_SHOWN: Final = 200
"""Characters of an event that is none."""


class EventError(ValueError):
    """The event does not say what to do, or says it in a way that the function does not know."""


def checked(event: Any, takes: Sequence[str]) -> dict[str, Any]:
    """Return the event, which has only names that the function takes, and EventBridge's own if EventBridge sent it.

    Raises
    ------
    EventError
        It has others, of which one may be misspelt, or is no object.
    """
    expected = f"expected an object with {', '.join(takes)}, or none of them for what is done by schedule"
    if not isinstance(event, dict):
        raise EventError(f"the event: got {repr(event)[:_SHOWN]}; {expected}")
    known = {*takes, *(_EVENTBRIDGE if "source" in event else ())}
    if unknown := [repr(name)[:_SHOWN] for name in event if name not in known]:
        raise EventError(f"the event: got {', '.join(unknown)}; {expected}")
    return event


def flag(event: dict[str, Any], name: str) -> bool:
    """Return a truth value of the event, false where it has none.

    Raises
    ------
    EventError
        It is something else.
    """
    given = event.get(name, False)
    if not isinstance(given, bool):
        raise EventError(f"{name}: got {repr(given)[:_SHOWN]}; expected true or false")
    return given
