"""Entry point of the aggregator: one batch of a shard's tumbling window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aggregator import shown_updates, wiring
from aggregator.events import runtime_marshaller
from common import kinesis_event
from common.observability import MetricUnit, add_counts, logger, metrics

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from aggregator.aggregation import Outcome

runtime_marshaller.install()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - the decorator reads it
    """Fold the batch, write what has closed, and hand the state back.

    No single record is ever reported as failed: what cannot be decoded is counted, and a sink's failure fails the whole
    invocation, since the state advances for all records or for none.
    """
    logger.set_correlation_id(kinesis_event.window_name(event))
    outcome = wiring.aggregator().process(event)
    _measure(outcome)
    if (update_log := wiring.update_log()) is not None:
        shown_updates.show(update_log, event, outcome)
    return {"state": outcome.state, "batchItemFailures": []}


def _measure(outcome: Outcome) -> None:
    """Write the metrics. A failed invocation writes none: its retry counts the same updates again."""
    metrics.add_metric(name="UpdatesCounted", unit=MetricUnit.Count, value=outcome.counted)
    add_counts(
        (
            ("DuplicatesIgnored", outcome.duplicates),
            ("RecordsUndecodable", outcome.undecodable),
            ("EnvelopesMisplaced", outcome.misplaced),
            ("FieldsIgnored", outcome.fields_ignored),
            ("WindowRowsWritten", outcome.rows_written),
            ("WindowsSplit", outcome.splits),
            ("SnapshotsFailed", outcome.snapshots_failed),
            ("AircraftLeftOut", outcome.aircraft_left_out),
            ("WindowsClosed", int(outcome.closed)),
        )
    )
    if outcome.shown_age is not None:
        metrics.add_metric(name="UpdateAge", unit=MetricUnit.Seconds, value=outcome.shown_age)
    metrics.flush_metrics()
