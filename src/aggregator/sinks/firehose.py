"""The Firehose sink: window rows, packed into few records, retried until each is accepted or attempts are exhausted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from mypy_boto3_firehose import FirehoseClient

RECORD_BYTES = 256 * 1024
"""Size up to which rows are packed into a record. Firehose bills a record in steps of 5 KB (price list, ingestion by
Direct PUT): a row a record would pay 5 KB for some 900 bytes, 256 KiB waste 1 % at most, and 16 of them are a call of
4 MiB. The limit is 1,000 KiB (quotas). Rows end with a newline, so the objects in S3 are lines whatever the packing."""

CALL_RECORDS = 500
CALL_BYTES = 4 * 1024 * 1024
"""What PutRecordBatch takes at most (API reference)."""

ATTEMPTS = 6
FIRST_DELAY_SECONDS = 0.1
"""Bound of the first random wait; each next one is twice as long, 3 s in all at most."""


class SinkError(Exception):
    """A sink did not take everything; the invocation fails and is tried again."""


@dataclass(frozen=True, slots=True)
class Waiter:
    """How to wait between attempts: a sleep in seconds, and randomness in [0, 1)."""

    sleep: Callable[[float], object]
    random: Callable[[], float]


def pack(rows: Iterable[bytes], record_bytes: int = RECORD_BYTES) -> list[bytes]:
    """Join lines to records of at most `record_bytes`; a single longer line is its own record."""
    records: list[bytes] = []
    lines: list[bytes] = []
    size = 0
    for row in rows:
        if lines and size + len(row) > record_bytes:
            records.append(b"".join(lines))
            lines, size = [], 0
        lines.append(row)
        size += len(row)
    if lines:
        records.append(b"".join(lines))
    return records


class WindowRowsSink:
    """Writes records to one Firehose delivery stream."""

    def __init__(self, client: FirehoseClient, stream_name: str, waiter: Waiter) -> None:
        """`client` should not retry by itself for long: entries are retried here."""
        self._client = client
        self._stream_name = stream_name
        self._waiter = waiter

    def write(self, records: Sequence[bytes], accepted: set[int]) -> None:
        """Send the records whose place is not in `accepted`, and add each place to it as soon as Firehose took it.

        Raises
        ------
        SinkError
            Some were refused in every attempt; `accepted` says which were not.
        botocore.exceptions.ClientError
            The whole call was refused for a reason that waiting does not resolve.
        """
        pending = [place for place in range(len(records)) if place not in accepted]
        delay = FIRST_DELAY_SECONDS
        reason = ""
        for attempt in range(ATTEMPTS):
            if attempt:
                self._waiter.sleep(self._waiter.random() * delay)
                delay *= 2
            for call in _calls(records, pending):
                reason = self._put(records, call, accepted) or reason
            pending = [place for place in pending if place not in accepted]
            if not pending:
                return
        raise SinkError(
            f"Firehose {self._stream_name}: refused {len(pending)} of {len(records)} records in {ATTEMPTS} attempts; "
            f"last reason: {reason}. The invocation fails and its retry sends these only; if it goes on, look at the "
            "delivery stream's throughput quota"
        )

    def _put(self, records: Sequence[bytes], call: Sequence[int], accepted: set[int]) -> str:
        """Make one call; return a reason for a refusal, or an empty text."""
        try:
            answer = self._client.put_record_batch(
                DeliveryStreamName=self._stream_name, Records=[{"Data": records[place]} for place in call]
            )
        except self._client.exceptions.ServiceUnavailableException as error:  # over the throughput quota: wait
            return str(error)
        reason = ""
        for place, entry in zip(call, answer["RequestResponses"], strict=True):
            if entry.get("RecordId"):
                accepted.add(place)
            else:
                reason = f"{entry.get('ErrorCode', 'an answer without a RecordId')}: {entry.get('ErrorMessage', '')}"
        return reason


def _calls(records: Sequence[bytes], places: Sequence[int]) -> list[list[int]]:
    """Cut the places into calls that PutRecordBatch takes."""
    calls: list[list[int]] = []
    size = 0
    for place in places:
        length = len(records[place])
        if not calls or len(calls[-1]) >= CALL_RECORDS or size + length > CALL_BYTES:
            calls.append([])
            size = 0
        calls[-1].append(place)
        size += length
    return calls
