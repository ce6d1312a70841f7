"""Entry point: by schedule the days that have changed, on demand the days that the event names.

`{"days": ["2024-03-04", "2024-03-05"]}` makes the flights of these days, whether or not anything has changed; with
`"only_changed": true` those for which the archive has other objects than they were made of.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from common.observability import MetricUnit, logger, metrics
from flights import days, wiring
from flights.making import as_json

if TYPE_CHECKING:
    from datetime import date

    from aws_lambda_powertools.utilities.typing import LambdaContext


class EventError(Exception):
    """The event names no days as it should."""


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Make flights; return what became of each day."""

    def remaining() -> float:
        return context.get_remaining_time_in_millis() / 1_000

    logger.set_correlation_id(context.aws_request_id)
    making = wiring.making()
    if "days" in event:
        made = making.days(_named(event["days"]), remaining, only_changed=event.get("only_changed") is True)
    else:
        made = making.changed(datetime.now(UTC).date(), remaining)
    metrics.add_metric("FlightsMade", MetricUnit.Count, sum(one.flights or 0 for one in made))
    metrics.flush_metrics()
    report = as_json(made)
    logger.info("flights", extra={"days": report})
    return {"days": report}


def _named(given: Any) -> list[date]:
    takes = 'expected {"days": [...]} with days such as "2024-03-04"'
    if not isinstance(given, list):
        raise EventError(f"days: got {given!r}; {takes}")
    try:
        return [days.parsed(str(one)) for one in given]
    except ValueError as error:
        raise EventError(f"days: got {given!r}; {takes}") from error
