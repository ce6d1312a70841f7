"""Interprets a function's response for its batch, and builds what the on-failure destination gets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from local.event_source_mapping.event import rfc3339
from local.event_source_mapping.window import encode_state

if TYPE_CHECKING:
    from local.event_source_mapping.record import PendingRecord
    from local.event_source_mapping.settings import MappingSettings
    from local.runtime.invocation import InvocationResult

type Condition = Literal["RetryAttemptsExhausted", "RecordAgeExceeded"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """How far a batch got.

    `done` records from its start are processed; None means all of it, the final invocation's own work included.
    `state` is the answer's, for a mapping with a tumbling window. `reason` says what was wrong.
    """

    done: int | None
    state: bytes = b"{}"
    reason: str = ""


def interpret(
    result: InvocationResult, records: tuple[PendingRecord, ...], *, report_failures: bool, windowed: bool
) -> Verdict:
    """Read an answer as Lambda does (recorded answers: see the decision on the choices of this room)."""
    if result.function_error is not None:
        return Verdict(0, reason=_error_text(result))
    state = b"{}"
    if windowed:
        held = result.payload.get("state") if isinstance(result.payload, dict) else None
        if not isinstance(held, dict):
            return Verdict(0, reason="the answer holds no `state`, which a function with a tumbling window must return")
        state = encode_state(held)
    if not report_failures:
        return Verdict(None, state)
    return _reported(result.payload, records, state)


def _error_text(result: InvocationResult) -> str:
    if isinstance(result.payload, dict):
        return f"{result.payload.get('errorType', 'Error')}: {result.payload.get('errorMessage', '')}"
    return str(result.payload)


def _reported(payload: Any, records: tuple[PendingRecord, ...], state: bytes) -> Verdict:
    if not payload:
        return Verdict(None, state)
    if not isinstance(payload, dict):
        return Verdict(0, reason=f"the answer is no object with `batchItemFailures` but {type(payload).__name__}")
    failures = payload.get("batchItemFailures")
    if not failures:
        return Verdict(None, state)
    places = {record.sequence_number: place for place, record in enumerate(records)}
    lowest = len(records)
    for failure in failures if isinstance(failures, list) else [failures]:
        identifier = failure.get("itemIdentifier") if isinstance(failure, dict) else None
        place = places.get(identifier) if isinstance(identifier, str) else None
        if place is None:
            return Verdict(0, reason=f"`batchItemFailures` holds {failure!r}, which names no record of the batch")
        lowest = min(lowest, place)
    return Verdict(lowest, state, f"the function reported {records[lowest].sequence_number} as its first failure")


@dataclass(frozen=True, slots=True)
class Discard:
    """Records (or a window's state, when there are none) that are given up, with what is known of their last try.

    `first` and `last` bound the records, or the window's records when only its state is lost.
    """

    shard_id: str
    condition: Condition
    records: tuple[PendingRecord, ...]
    first: PendingRecord
    last: PendingRecord
    event: bytes
    invocations: int
    request_id: str | None
    function_error: str | None


def metadata(settings: MappingSettings, discard: Discard, *, now: float, request_id: str) -> dict[str, Any]:
    """Build the body for a queue or a topic; `request_id` is in where nothing was invoked.

    The shape is the developer guide's (kinesis-on-failure-destination) and that of recorded answers: expired records
    have no `responseContext`, and the count of invocations is never below 1.
    """
    body: dict[str, Any] = {
        "requestContext": {
            "requestId": discard.request_id or request_id,
            "functionArn": settings.function_arn,
            "condition": discard.condition,
            "approximateInvokeCount": max(1, discard.invocations),
        }
    }
    if discard.condition == "RetryAttemptsExhausted":
        response: dict[str, Any] = {"statusCode": 200, "executedVersion": "$LATEST"}
        if discard.function_error is not None:
            response["functionError"] = discard.function_error
        body["responseContext"] = response
    return body | {
        "version": "1.0",
        "timestamp": rfc3339(now, "milliseconds"),
        "KinesisBatchInfo": {
            "shardId": discard.shard_id,
            "startSequenceNumber": discard.first.sequence_number,
            "endSequenceNumber": discard.last.sequence_number,
            "approximateArrivalOfFirstRecord": rfc3339(discard.first.arrival, "milliseconds"),
            "approximateArrivalOfLastRecord": rfc3339(discard.last.arrival, "milliseconds"),
            "batchSize": len(discard.records),
            "streamArn": settings.stream_arn,
        },
    }


def object_key(settings: MappingSettings, shard_id: str, *, now: float, unique: str) -> str:
    """Build the key of the object in S3 that a discarded batch becomes."""
    written = rfc3339(now).rstrip("Z").replace(":", ".")
    return f"aws/lambda/{settings.uuid}/{shard_id}/{written[:10].replace('-', '/')}/{written}-{unique}"
