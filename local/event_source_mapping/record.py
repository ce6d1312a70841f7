"""A Kinesis record on its way through a mapping: as it was read, and as it waits for its invocation."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KinesisRecord:
    """A record as GetRecords gives it; `arrival` in seconds since the epoch."""

    sequence_number: str
    partition_key: str
    data: bytes
    arrival: float


@dataclass(frozen=True, slots=True)
class PendingRecord:
    """A record that passed the filter: `encoded` is its place in the event, `received` when it was polled."""

    sequence_number: str
    arrival: float
    received: float
    encoded: bytes
