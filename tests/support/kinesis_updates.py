"""The updates of an event, as a function gets them that looks at one record after the other."""

from __future__ import annotations

from common.kinesis_event import records, update_payloads


def updates(event):
    """The updates of all records, each with its record's sequence number."""
    return [(record.sequence_number, data) for record in records(event) for data in update_payloads(record)]
