"""Events of a tumbling window, as the event source mapping sends them, made of generated traffic."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

SHARD_ID = "shardId-000000000000"

_PREFIX = len(b'{"target":')
_FIRST_SEQUENCE_NUMBER = 49650123456789012345678901234567890123456789012345670000


def write(lines: Sequence[bytes], path: Path, batch: int) -> int:
    """Write events of `batch` updates each, one a line, with an empty state to be replaced; return how many."""
    batches = [lines[first : first + batch] for first in range(0, len(lines), batch)]
    records = [[(_key(line), line[_PREFIX:-1] + b"\n") for line in lines] for lines in batches]
    path.write_text("\n".join(json.dumps(_event(records, number)) for number, records in enumerate(records)), "utf-8")
    return len(batches)


def write_envelopes(
    lines: Sequence[bytes], path: Path, batch: int, envelope: int, pack: Callable[[Sequence[bytes]], bytes]
) -> int:
    """Write the same with envelopes of `envelope` updates, which `pack` makes of lines as the stream sends them."""
    batches = [lines[first : first + batch] for first in range(0, len(lines), batch)]
    with path.open("w", encoding="utf-8") as file:
        for number, updates in enumerate(batches):
            parts = [updates[first : first + envelope] for first in range(0, len(updates), envelope)]
            file.write(json.dumps(_event([(_key(part[0]), pack(part)) for part in parts], number)) + "\n")
    return len(batches)


def _key(line: bytes) -> str:
    key: str = json.loads(line)["target"]["icao_address"]
    return key


def _event(records: Sequence[tuple[str, bytes]], number: int) -> dict[str, Any]:
    """Return the event of records, each with its partition key."""
    arn = "arn:aws:kinesis:us-east-1:123456789012:stream/updates"
    return {
        "Records": [
            {
                "kinesis": {
                    "kinesisSchemaVersion": "1.0",
                    "partitionKey": key,
                    "sequenceNumber": str(_FIRST_SEQUENCE_NUMBER + number * len(records) + place),
                    "data": base64.b64encode(data).decode(),
                    "approximateArrivalTimestamp": 1709510400.25,
                },
                "eventSource": "aws:kinesis",
                "eventVersion": "1.0",
                "eventID": f"{SHARD_ID}:49650123456789012345678901234567890123456789012345670000",
                "eventName": "aws:kinesis:record",
                "invokeIdentityArn": "arn:aws:iam::123456789012:role/aggregator",
                "awsRegion": "us-east-1",
                "eventSourceARN": arn,
            }
            for place, (key, data) in enumerate(records)
        ],
        "shardId": SHARD_ID,
        "eventSourceARN": arn,
        "window": {"start": "2024-03-04T00:00:00Z", "end": "2024-03-04T00:01:00Z"},
        "state": {},
        "isFinalInvokeForWindow": False,
        "isWindowTerminatedEarly": False,
    }
