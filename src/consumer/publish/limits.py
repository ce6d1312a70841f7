"""Kinesis's quotas for PutRecords (Kinesis API reference, PutRecords)."""

from __future__ import annotations

MAX_BATCH_RECORDS = 500
"""Records in one call."""

MAX_BATCH_BYTES = 5 * 1024 * 1024
"""Data plus partition keys of one call."""

MAX_RECORD_BYTES = 1024 * 1024
"""Data plus partition key of one record."""
