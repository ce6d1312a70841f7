"""Entry point: by schedule the days that have changed, on demand the days that the event names.

`{"days": ["2024-03-04", "2024-03-05"]}` makes the flights of these days, whether or not anything has changed; with
`"only_changed": true` only the days for which the archive has other objects than those they were made of.

`"in_parts": true` with either leaves days that are too large for one run to the state machine: it plans them, and
returns the plans as `large`. `{"part": ...}`, with a part of a plan, makes that part; `{"join": ...}`, with a plan
whose parts are made, makes the day of them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from common.given_event import EventError, checked, flag
from common.observability import MetricUnit, logger, metrics
from flights import days, parts, wiring
from flights.made import as_json

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from aws_lambda_powertools.utilities.typing import LambdaContext


_TAKES: Final = ("days", "only_changed", "in_parts", "part", "join", "part_workers")
"""The names in an event; the last one is the state machine's own."""


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Make flights; return what became of each day.

    Raises
    ------
    common.given_event.EventError
        The event names no days, no part or no plan as it should, or something else.
    """

    def remaining() -> float:
        return context.get_remaining_time_in_millis() / 1_000

    logger.set_correlation_id(context.aws_request_id)
    checked(event, _TAKES)
    in_parts, is_only_changed = flag(event, "in_parts"), flag(event, "only_changed")
    making = wiring.making()
    if "part" in event:
        counts = making.part(_taken(parts.as_part, event, "part"))
        logger.info("part of a day's flights", extra={"part": event["part"], **counts._asdict()})
        return counts._asdict()
    if "join" in event:
        made = [making.join(_taken(parts.as_plan, event, "join"))]
    elif "days" in event:
        made = making.days(_named(event["days"]), remaining, only_changed=is_only_changed, in_parts=in_parts)
    else:
        made = making.changed(datetime.now(UTC), remaining, in_parts=in_parts)
    metrics.add_metric("FlightsMade", MetricUnit.Count, sum(one.flights or 0 for one in made))
    metrics.flush_metrics()
    report = as_json(made)
    logger.info("flights", extra={"days": report})
    return {"days": report, "large": [msgspec.to_builtins(one.plan) for one in made if one.plan and one.is_due]}


def _taken[Of](read: Callable[[Any], Of], event: dict[str, Any], name: str) -> Of:
    try:
        return read(event[name])
    except msgspec.ValidationError as error:
        raise EventError(f"{name}: {error}; expected what a run with in_parts has returned") from error


def _named(given: Any) -> list[date]:
    takes = 'expected {"days": [...]} with days such as "2024-03-04"'
    if not isinstance(given, list):
        raise EventError(f"days: got {given!r}; {takes}")
    try:
        return [days.parsed(str(one)) for one in given]
    except ValueError as error:
        raise EventError(f"days: got {given!r}; {takes}") from error
