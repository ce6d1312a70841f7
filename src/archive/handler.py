"""The entry point: by schedule, or with `{"hours": ["2024-03-04T23", ...]}`, which reads these hours of arrival again.

If a run leaves raw objects unread (`objects_left` in its result), the same event with the result's `read_up_to` as
`after` goes on from there.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from archive import wiring
from archive.hours import newest_first, parse
from archive.report import Report
from common.given_event import EventError, checked
from common.observability import MetricUnit, add_counts, logger, metrics

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Bring the archive up to date, and return what was done (see `archive.report.Report`).

    Raises
    ------
    ValueError
        The event names hours that do not exist, an `after` that is not a key, or something else.
    archive.archiving.UnreadError
        Some raw objects could not be read, and all others that there were are in the archive.
    """
    logger.set_correlation_id(context.aws_request_id)
    checked(event, ("hours", "after"))
    named, after = hours(event), event.get("after", "")
    if not isinstance(after, str):
        raise EventError(f"after: got {after!r}; expected the key of a raw object, as a run's `read_up_to` has it")
    arrivals = named or list(newest_first(datetime.now(UTC), wiring.settings().look_back_hours))[::-1]
    report = Report()
    try:
        wiring.run(
            arrivals, lambda: context.get_remaining_time_in_millis() / 1000, report, again=bool(named), after=after
        )
    finally:  # what is damaged is in a ledger, whatever comes afterwards: no later run says so
        add_counts(
            (
                ("UpdatesArchived", report.updates),
                ("LinesRejected", report.rejected),
                ("RawObjectsDamaged", len(report.damaged)),
            )
        )
    # Zero too: that no run says it is what its alarm is for.
    metrics.add_metric(name="RawObjectsLeft", unit=MetricUnit.Count, value=report.left)
    result = report.as_json()
    logger.info("archived", extra={"summary": result})
    return result


def hours(event: dict[str, Any]) -> list[datetime]:
    """Return the hours of arrival that an event names, in their order; none where it comes by schedule.

    Raises
    ------
    ValueError
        What it names are no hours.
    """
    if "hours" not in event:
        return []
    named = event["hours"]
    if not isinstance(named, list) or not named or not all(isinstance(text, str) for text in named):
        raise EventError(f'hours: got {named!r}; expected a list of hours of arrival, such as ["2024-03-04T23"]')
    return sorted({parse(text) for text in named})
