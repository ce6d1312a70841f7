"""The state of the Kinesis stream and the functions: throughput, throttling, errors, event source mappings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ops.duration import shown
from ops.finding import ATTENTION, OK, Finding
from ops.looks.reading import runbook
from ops.metrics import Query

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ops.looks.reading import Reading

_SHARD_RECORDS, _SHARD_BYTES = 1_000, 1024 * 1024  # a second in (Kinesis quotas)
_NEARLY_FULL = 0.9

_PAGES = {
    "ApiFunction": "api-errors",
    "ArchiveFunction": "archive-behind",
    "FlightsFunction": "flights-errors",
}
"""The runbook for errors of a function that no event source mapping invokes, by its logical id."""


class StreamingLooks:
    """Looks at what carries updates, and at what works on them."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def stream(self) -> Iterator[Finding]:
        """Look at how much of its shards is used, and whether it throttles."""
        name = self._reading.stack["UpdatesStream"]
        summary = self._reading.stack.client("kinesis").describe_stream_summary(StreamName=name)[
            "StreamDescriptionSummary"
        ]
        shards = summary["OpenShardCount"]
        mode = summary.get("StreamModeDetails", {}).get("StreamMode", "PROVISIONED")
        dimensions = {"StreamName": name}
        queries = {
            "records": Query("AWS/Kinesis", "IncomingRecords", dimensions, "Sum"),
            "bytes": Query("AWS/Kinesis", "IncomingBytes", dimensions, "Sum"),
            "write_throttles": Query("AWS/Kinesis", "WriteProvisionedThroughputExceeded", dimensions, "Sum"),
            "read_throttles": Query("AWS/Kinesis", "ReadProvisionedThroughputExceeded", dimensions, "Sum"),
        }
        values = self._reading.metrics(queries)
        seconds = self._reading.span.total_seconds()
        used = max(
            values.get("records", 0.0) / seconds / shards / _SHARD_RECORDS,
            values.get("bytes", 0.0) / seconds / shards / _SHARD_BYTES,
        )
        facts = {"status": summary["StreamStatus"], "mode": mode, "shards": shards, "used": round(used, 4), **values}
        text = f"{summary['StreamStatus']}, {mode}, {shards} shards, {100 * used:.0f} % of their capacity used"
        if throttles := values.get("write_throttles"):
            yield Finding(
                "stream", ATTENTION, f"{text}; {throttles:,.0f} writes throttled", runbook("stream-throttled"), facts
            )
        elif used > _NEARLY_FULL and mode == "PROVISIONED":
            yield Finding("stream", ATTENTION, text, runbook("resharding"), facts)
        else:
            yield Finding("stream", OK, text, "", facts)

    def function(self, logical_id: str) -> Iterator[Finding]:
        """Look at a function's invocations, and at the mappings that bring it records."""
        part = logical_id.removesuffix("Function").lower()
        if part == "consumer":
            part = "consumer's runs"  # what it says of itself is `consumer`
        name = self._reading.stack[logical_id]
        dimensions = {"FunctionName": name}
        wanted = (
            ("invocations", "Invocations", "Sum"),
            ("errors", "Errors", "Sum"),
            ("throttles", "Throttles", "Sum"),
            ("duration_ms", "Duration", "Maximum"),
            ("iterator_age_ms", "IteratorAge", "Maximum"),
            ("concurrent", "ConcurrentExecutions", "Maximum"),
        )
        values = self._reading.metrics({key: Query("AWS/Lambda", metric, dimensions, of) for key, metric, of in wanted})
        mappings = self._reading.stack.client("lambda").list_event_source_mappings(FunctionName=name)[
            "EventSourceMappings"
        ]
        off = [one for one in mappings if one.get("State") not in {"Enabled", None}]
        facts: dict[str, Any] = {**values, "mappings": [one.get("State") for one in mappings]}
        text = f"{values['invocations']:,.0f} invocations" if "invocations" in values else "no metrics yet"
        if "iterator_age_ms" in values:
            text += f", iterator age {shown(values['iterator_age_ms'] / 1_000)}"
        if off:
            said = f"its event source mapping is {off[0]['State']} ({off[0].get('LastProcessingResult', 'no result')})"
            yield Finding(part, ATTENTION, said, runbook("iterator-age"), facts)
        elif values.get("errors") and logical_id != "ConsumerFunction":  # its last run is a part of its own
            page = _PAGES.get(logical_id, "stream-function-errors")
            yield Finding(part, ATTENTION, f"{text}, {values['errors']:,.0f} errors", runbook(page), facts)
        elif values.get("throttles") and mappings:
            said = f"{text}, {values['throttles']:,.0f} throttled"
            yield Finding(part, ATTENTION, said, runbook("stream-functions-throttled"), facts)
        else:
            yield Finding(part, OK, text, "", facts)
