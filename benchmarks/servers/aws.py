"""As much of AWS as the functions call, answered at once: PutRecords, the checkpoint's S3, and the rest.

`/records/<stream>` answers how many records a stream took. With the argument `keep`, `/calls` answers what came when,
by the machine's monotonic clock.
"""

from __future__ import annotations

import base64
import json
import sys
import threading
import time
from collections import Counter
from email.utils import formatdate
from functools import cache
from typing import TYPE_CHECKING
from zlib import crc32

from benchmarks.servers.http import answer, serve

if TYPE_CHECKING:
    import socket

    from benchmarks.servers.http import Request

_JSON = "Content-Type: application/x-amz-json-1.1"
_XML = "Content-Type: text/xml"
_NO_SUCH_KEY = b"<?xml version='1.0'?><Error><Code>NoSuchKey</Code><Message>no such key</Message></Error>"
_PUBLISHED = (
    b'<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>'
    b"00000000-0000-0000-0000-000000000000</MessageId></PublishResult></PublishResponse>"
)
_SHARDS = 4
"""What an on-demand stream begins with."""

_LISTED = json.dumps(
    {
        "Shards": [
            {
                "ShardId": f"shardId-{number:012d}",
                "HashKeyRange": {
                    "StartingHashKey": str(2**128 * number // _SHARDS),
                    "EndingHashKey": str(2**128 * (number + 1) // _SHARDS - 1),
                },
                "SequenceNumberRange": {"StartingSequenceNumber": "1"},
            }
            for number in range(_SHARDS)
        ]
    }
).encode()
_SECRET = json.dumps({"ARN": "arn", "Name": "token", "SecretString": "benchmark", "VersionId": "1" * 32}).encode()


@cache
def _took(count: int) -> bytes:
    """Return what Kinesis answers when it took so many records; sequence numbers are as long as real ones."""
    return _answered([{"SequenceNumber": "4" * 56, "ShardId": "shardId-000000000000"}] * count)


def _answered(records: list[dict[str, str]]) -> bytes:
    """Return an answer to PutRecords, without blanks, as Kinesis spells it."""
    body = json.dumps({"FailedRecordCount": 0, "Records": records}, separators=(",", ":")).encode()
    return answer(body, "200 OK", _JSON)


def _took_by_address(body: bytes) -> bytes:
    """Return what Kinesis answers to records that name their shard, which is their key as well."""
    records = [
        {"SequenceNumber": "4" * 56, "ShardId": record["PartitionKey"]} for record in json.loads(body)["Records"]
    ]
    return _answered(records)


def _accepted(count: int) -> bytes:
    """Return what Firehose answers when it took so many records."""
    body = {"FailedPutCount": 0, "RequestResponses": [{"RecordId": "0" * 56}] * count}
    return answer(json.dumps(body).encode(), "200 OK", _JSON)


class Aws:
    """Objects by path, record counts by stream, and the calls where they are kept."""

    def __init__(self, *, keep: bool) -> None:
        self._keep = keep
        self._lock = threading.Lock()
        self._objects: dict[str, bytes] = {}
        self._records: Counter[str] = Counter()
        self._calls: list[tuple[float, bytes]] = []

    def handle(self, request: Request, connection: socket.socket) -> None:
        """Answer one request."""
        connection.sendall(self._answer(request))

    def _answer(self, request: Request) -> bytes:
        match request.headers.get("x-amz-target", "").rpartition(".")[2]:
            case "PutRecords":
                return self._put_records(request.body)
            case "ListShards":
                return answer(_LISTED, "200 OK", _JSON)
            case "PutRecordBatch":
                return _accepted(request.body.count(b'"Data"'))
            case "GetSecretValue":
                return answer(_SECRET, "200 OK", _JSON)
            case "":
                return self._without_target(request)
            case _:
                return answer(b"{}", "200 OK", _JSON)

    def _put_records(self, body: bytes) -> bytes:
        arrived = time.monotonic()
        count = body.count(b'"PartitionKey"')
        # The name stands first or last, whoever wrote the body.
        stream = (body[:200] + body[-200:]).partition(b'"StreamName"')[2].split(b'"', 2)[1].decode()
        with self._lock:
            self._records[stream] += count
            if self._keep:
                self._calls.append((arrived, body))
        return _took_by_address(body) if b'"ExplicitHashKey"' in body else _took(count)

    def _without_target(self, request: Request) -> bytes:
        if request.path.startswith("/records/"):
            return answer(json.dumps(self._records[request.path.removeprefix("/records/")]).encode())
        if request.path == "/calls":
            return answer(json.dumps([[at, _updates(body)] for at, body in self._calls]).encode())
        if request.method == "POST":
            return answer(_PUBLISHED, "200 OK", _XML)
        path = request.path.partition("?")[0]
        if request.method == "PUT":
            self._objects[path] = request.body
        elif path not in self._objects:
            return answer(_NO_SUCH_KEY, "404 Not Found", _XML)
        tag = f'"{crc32(self._objects[path]):08x}"'
        if request.headers.get("if-none-match") == tag:
            return answer(b"", "304 Not Modified", f"ETag: {tag}")
        body = b"" if request.method == "PUT" else self._objects[path]
        return answer(body, "200 OK", f"ETag: {tag}", f"Last-Modified: {formatdate(usegmt=True)}")


def _updates(body: bytes) -> list[str]:
    return [base64.b64decode(record["Data"]).decode().rstrip() for record in json.loads(body)["Records"]]


def main() -> None:
    """Serve; the first argument may be `keep`."""
    serve(Aws(keep="keep" in sys.argv[1:]).handle)


if __name__ == "__main__":
    main()
