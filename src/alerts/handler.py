"""Entry point of the alerts function: a batch of Kinesis records that passed the mapping's filter becomes alerts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alerts import wiring
from common.kinesis_event import batch_name, records
from common.observability import MetricUnit, add_counts, logger, metrics

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, list[dict[str, str]]]:
    """Alert on the batch's updates, and name the record from which the batch must be sent again, if any.

    Only one is named: the event source mapping goes back to the lowest sequence number, and sends everything from
    there.
    """
    logger.set_correlation_id(batch_name(event))
    result = wiring.alerter().process(records(event), lambda: context.get_remaining_time_in_millis() / 1000)
    metrics.add_metric(name="AlertsNotified", unit=MetricUnit.Count, value=result.notified)
    add_counts(
        (
            ("AlertsSuppressed", result.suppressed),
            ("RecordsUndecodable", result.undecodable),
            ("FieldsIgnored", result.fields_ignored),
            ("AlertsUnmarked", result.unmarked),
            ("AlertsUnlogged", result.unlogged),
            ("NewestAlertsFailed", result.not_shown),
            ("RecordsFailed", result.failed),  # Lambda counts no error where a batch names what failed
        )
    )
    failed = result.failed_sequence_number
    return {"batchItemFailures": [] if failed is None else [{"itemIdentifier": failed}]}
