"""Answers with status 200 that are none: what proxies, and half-dead servers send."""

from __future__ import annotations

import json
from dataclasses import dataclass

from tests.adversary.wire import Reply

_PAGE = b"<!DOCTYPE html><html><head><title>Sign in to the network</title></head><body>Please accept.</body></html>"

PLAIN = ("html", "empty", "cut", "null", "list", "object", "text", "truncated", "binary")
"""Ways that fit every service."""

RECORDS = (
    "no_records",
    "fewer",
    "more",
    "no_sequence",
    "null_sequence",
    "blank_sequence",
    "count_alone",
    "not_objects",
)
"""Ways that fit an answer with a list of records."""


@dataclass(frozen=True, slots=True)
class Odd:
    """Distort the healthy answer in the named way; `executed` says whether the request is carried out before."""

    way: str
    executed: bool = False


def distort(odd: Odd, healthy: Reply) -> Reply:  # noqa: PLR0911 - one line for each way
    """Return the answer that is sent instead of the healthy one."""
    match odd.way:
        case "html":
            return Reply(200, _PAGE, (("Content-Type", "text/html"),), "OK")
        case "empty":
            return Reply(200, b"", reason="OK")
        case "cut":
            return Reply(200, healthy.body[: len(healthy.body) // 2], healthy.headers, "OK")
        case "truncated":
            return Reply(200, healthy.body[: len(healthy.body) // 2], healthy.headers, "OK", len(healthy.body) + 7)
        case "null":
            return Reply(200, b"null", healthy.headers, "OK")
        case "list":
            return Reply(200, b"[]", healthy.headers, "OK")
        case "object":
            return Reply(200, b"{}", healthy.headers, "OK")
        case "text":
            return Reply(200, b"OK", (("Content-Type", "text/plain"),), "OK")
        case "binary":
            return Reply(200, bytes(range(256)), healthy.headers, "OK")
    return _distorted_records(odd.way, healthy)


def _distorted_records(way: str, healthy: Reply) -> Reply:
    content = json.loads(healthy.body)
    name = "RequestResponses" if "RequestResponses" in content else "Records"
    identifier = "RecordId" if name == "RequestResponses" else "SequenceNumber"
    records = content.get(name, [])
    match way:
        case "no_records":
            content |= {name: [], "FailedRecordCount": 3}
        case "fewer":
            content[name] = records[:-1]
        case "more":
            content[name] = records + records[:1]
        case "no_sequence":
            content[name] = [{"ShardId": "shardId-000000000000"} for _ in records]
        case "null_sequence":
            content[name] = [record | {identifier: None} for record in records]
        case "blank_sequence":
            content[name] = [record | {identifier: ""} for record in records]
        case "count_alone":
            del content[name]
        case "not_objects":
            content[name] = ["OK" for _ in records]
    return Reply(200, json.dumps(content).encode(), healthy.headers, "OK")
