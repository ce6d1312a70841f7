"""Events of a tumbling window, as the event source mapping sends them, made of generated traffic."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_PREFIX = len(b'{"target":')
_FIRST_SEQUENCE_NUMBER = 49650123456789012345678901234567890123456789012345670000


def write(lines: Sequence[bytes], path: Path, batch: int) -> int:
    """Write events of `batch` updates each, one a line, with an empty state to be replaced; return how many."""
    batches = [lines[first : first + batch] for first in range(0, len(lines), batch)]
    path.write_text("\n".join(json.dumps(_event(lines, number)) for number, lines in enumerate(batches)), "utf-8")
    return len(batches)


def _event(lines: Sequence[bytes], number: int) -> dict[str, Any]:
    arn = "arn:aws:kinesis:us-east-1:123456789012:stream/updates"
    return {
        "Records": [
            {
                "kinesis": {
                    "kinesisSchemaVersion": "1.0",
                    "partitionKey": json.loads(line)["target"]["icao_address"],
                    "sequenceNumber": str(_FIRST_SEQUENCE_NUMBER + number * len(lines) + place),
                    "data": base64.b64encode(line[_PREFIX:-1] + b"\n").decode(),
                    "approximateArrivalTimestamp": 1709510400.25,
                },
                "eventSource": "aws:kinesis",
                "eventVersion": "1.0",
                "eventID": "shardId-000000000000:49650123456789012345678901234567890123456789012345670000",
                "eventName": "aws:kinesis:record",
                "invokeIdentityArn": "arn:aws:iam::123456789012:role/aggregator",
                "awsRegion": "us-east-1",
                "eventSourceARN": arn,
            }
            for place, line in enumerate(lines)
        ],
        "shardId": "shardId-000000000000",
        "eventSourceARN": arn,
        "window": {"start": "2024-03-04T00:00:00Z", "end": "2024-03-04T00:01:00Z"},
        "state": {},
        "isFinalInvokeForWindow": False,
        "isWindowTerminatedEarly": False,
    }
