"""On-failure objects: what Lambda writes for a discarded batch, and which records can go back into the stream."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from common import envelope
from common.icao_address import normalized

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX = "aws/lambda/"
"""Below it Lambda puts them: `aws/lambda/<event source mapping>/<shard>/YYYY/MM/DD/...`."""

MOST_RECORD_BYTES = 1024 * 1024  # a record's data and key (API reference, PutRecords)


class ObjectError(Exception):
    """One object cannot be sent again: the message names it and says what to do."""


@dataclass(frozen=True)
class Failure:
    """One on-failure object: its key, which function gave its records up and why, and what goes back, as (key, data).

    `error` is Lambda's name for how the last attempt ended, empty where there was none. `window` is None, or says whose
    state it holds: an object without records is all that is left of a window that could not be closed, and nothing of
    it can go back. `left_out` says of lines that cannot go back which and why.

    Envelopes are opened: one names the shard it was put into, and put anywhere else it would be skipped. The
    updates in it go back as single records, each keyed by its aircraft, wherever the shards are by now.
    """

    key: str
    function: str
    condition: str
    error: str
    attempts: int
    records: list[tuple[str, bytes]]
    window: str | None
    left_out: list[str] = field(default_factory=list)

    @property
    def function_name(self) -> str:
        """The function's name, the last part of its ARN."""
        return self.function.rpartition(":")[2]

    def reason(self) -> str:
        """Return why the records were given up, for people."""
        if self.condition == "RecordAgeExceeded":
            return "RecordAgeExceeded: not reached in time; the function was behind, throttled, or off"
        how = f", the last one with {self.error}" if self.error else ", the last one with records reported as failed"
        return f"{self.condition}: {self.attempts} attempts{how}"


class _Context(msgspec.Struct):
    function: str = msgspec.field(name="functionArn")
    condition: str
    attempts: int = msgspec.field(name="approximateInvokeCount", default=0)


class _Response(msgspec.Struct):
    error: str | None = msgspec.field(name="functionError", default=None)


class _Kinesis(msgspec.Struct):
    key: str = msgspec.field(name="partitionKey")
    data: str


class _Record(msgspec.Struct):
    event_id: str = msgspec.field(name="eventID")
    kinesis: _Kinesis


class _Event(msgspec.Struct):
    records: list[_Record] = msgspec.field(name="Records")
    window: dict[str, str] | None = None


class _Object(msgspec.Struct):
    """What is needed of an on-failure object; the rest, whatever it is, is skipped."""

    context: _Context = msgspec.field(name="requestContext")
    payload: msgspec.Raw
    response: _Response | None = msgspec.field(name="responseContext", default=None)
    batch: dict[str, Any] = msgspec.field(name="KinesisBatchInfo", default_factory=dict)


class _Update(msgspec.Struct):
    icao_address: str


_decode_object = msgspec.json.Decoder(_Object).decode
_decode_event = msgspec.json.Decoder(_Event).decode
_decode_update = msgspec.json.Decoder(_Update).decode


def read_failure(key: str, body: bytes) -> Failure:
    """Return what an on-failure object holds.

    Raises
    ------
    ObjectError
        It is no such object, or came with neither records nor a window.
    """
    try:
        content = _decode_object(body)
        payload = bytes(content.payload)
        event = _decode_event(json.loads(payload) if payload.startswith(b'"') else payload)
        failure = Failure(
            key,
            content.context.function,
            content.context.condition,
            (content.response.error if content.response else None) or "",
            content.context.attempts,
            [],
            None if event.records else _window(event.window or {}, content.batch),
        )
        for number, record in enumerate(event.records, start=1):
            for place, (partition_key, data) in enumerate(_singles(record), start=1):
                problem = _problem(partition_key, data)
                if problem is None:
                    failure.records.append((str(partition_key), data))
                else:
                    failure.left_out.append(f"record {number}, line {place}: {problem}")
    except (ValueError, KeyError, RecursionError) as error:
        raise ObjectError(
            f"{key}: not read ({type(error).__name__}: {str(error)[:200]}); expected what Lambda writes to an "
            "on-failure destination in S3, with requestContext and payload. Look at it; it stays where it is"
        ) from error
    except envelope.UnknownVersionError as error:
        raise ObjectError(f"{key}: {error}. Redrive with the tools of that version") from error
    return failure


def _window(window: dict[str, str], batch: dict[str, Any]) -> str:
    return (
        f"{window['start']} to {window['end']}, {batch['shardId']}, sequence numbers {batch['startSequenceNumber']} "
        f"to {batch['endSequenceNumber']}"
    )


def _singles(record: _Record) -> Iterator[tuple[str | None, bytes]]:
    """Yield what a record becomes, as (partition key, data); None is the key of what has no address."""
    data = base64.b64decode(record.kinesis.data, validate=True)
    lines = None
    if envelope.is_envelope(data):
        with suppress(envelope.BrokenEnvelopeError):  # it goes back as it is, for the consumers to count
            lines, _ = envelope.lines(data, record.event_id.partition(":")[0])
    if lines is None:
        yield record.kinesis.key, data
        return
    for line in lines.split(b"\n")[:-1]:
        try:
            yield normalized(_decode_update(line).icao_address), envelope.distinct(line) + b"\n"
        except (ValueError, RecursionError):
            yield None, line


def _problem(key: str | None, data: bytes) -> str | None:
    if key is None:
        return f"no icao_address could be read of its {len(data):,} bytes"
    if not 0 < len(key) <= 256:  # noqa: PLR2004 - API reference, PutRecords
        return f"a partition key takes 1 to 256 characters, and its icao_address has {len(key):,}"
    if len(data) + len(key.encode()) > MOST_RECORD_BYTES:
        return f"with its key it has {len(data) + len(key.encode()):,} bytes; a record takes {MOST_RECORD_BYTES:,}"
    return None
