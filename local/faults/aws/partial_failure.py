"""Partial failures of batches: removes entries from the request, and inserts their errors into the response."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import msgspec


@dataclass(frozen=True, slots=True)
class _Shape:
    results: str
    failures: str
    refusal: dict[str, str]


_SHAPES = {
    "PutRecords": _Shape(
        "Records",
        "FailedRecordCount",
        {"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "Rate exceeded for shard"},
    ),
    "PutRecordBatch": _Shape(
        "RequestResponses",
        "FailedPutCount",
        {"ErrorCode": "ServiceUnavailableException", "ErrorMessage": "Slow down."},
    ),
}
_ENTRIES = "Records"  # both operations call them so


def entries(body: bytes) -> int:
    """Return how many entries a batch has."""
    return len(msgspec.json.decode(body, type=dict[str, Any])[_ENTRIES])


def of_hot_keys(body: bytes, share: float) -> frozenset[int]:
    """Return which entries of a PutRecords have a partition key among this share of all keys: always the same ones."""
    found = msgspec.json.decode(body, type=dict[str, Any])[_ENTRIES]
    hot = share * 256
    return frozenset(
        number
        for number, entry in enumerate(found)
        if blake2b(entry["PartitionKey"].encode(), digest_size=1).digest()[0] < hot
    )


def without(body: bytes, refused: frozenset[int]) -> bytes:
    """Return the batch without some of its entries."""
    batch = msgspec.json.decode(body, type=dict[str, Any])
    batch[_ENTRIES] = [entry for number, entry in enumerate(batch[_ENTRIES]) if number not in refused]
    return msgspec.json.encode(batch)


def with_refusals(operation: str, answer: bytes, refused: frozenset[int]) -> bytes:
    """Return the answer to the whole batch, given that to the entries that were carried out.

    An empty `answer` is that to a batch of which nothing was left to carry out.
    """
    shape = _SHAPES[operation]
    reply = msgspec.json.decode(answer, type=dict[str, Any]) if answer else {}
    carried_out = iter(reply.get(shape.results, []))
    count = len(reply.get(shape.results, [])) + len(refused)
    reply[shape.results] = [shape.refusal if number in refused else next(carried_out) for number in range(count)]
    reply[shape.failures] = reply.get(shape.failures, 0) + len(refused)
    return msgspec.json.encode(reply)
