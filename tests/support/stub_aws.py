"""S3 and Kinesis as far as the consumer asks for them, and as slow and unwilling as a test wants: nothing of moto."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.httpsession import URLLib3Session

from consumer.publish.kinesis_client import KinesisApi
from tests.support.http_server import LoopbackServer

if TYPE_CHECKING:
    from collections.abc import Callable

_RANGE = 2**128


class StubAws(LoopbackServer):
    """Used as a context manager; `refuses(shard_id, data)` says whether Kinesis throttles a record.

    `delay` is called before each answer of S3 with the method and the key; it may wait. `objects` are S3's: by key the
    body, ETag and time of the last write.
    """

    def __init__(self, shards: int = 1) -> None:
        self.refuses = lambda _shard, _data: False
        self.delay = lambda _method, _key: None
        self.now = lambda: datetime.now(UTC)
        self.etag: str | None = None
        """What is sent in the place of every ETag of a write; nothing is sent if it is empty."""
        self.records: list[tuple[str, bytes]] = []
        self.objects: dict[str, tuple[bytes, str, datetime]] = {}
        self.keeps: Callable[[str], bool] = lambda _key: True
        self.puts: list[tuple[str, int, int]] = []
        """Each write's key, bytes and lines."""
        self.lock = threading.Lock()
        width = _RANGE // shards
        self._shards = [(f"shardId-{number:012d}", number * width) for number in range(shards)]
        self._width = width
        super().__init__(self._handler(), name="stub-aws")

    def s3(self, session: botocore.session.Session | None = None) -> Any:
        """A client as the consumer's own: three tries, some seconds each. A session reads what calls there are once."""
        return (session or botocore.session.get_session()).create_client(
            "s3",
            region_name="us-east-1",
            endpoint_url=self.url,
            aws_access_key_id="stub",
            aws_secret_access_key="stub",
            config=Config(
                connect_timeout=3,
                read_timeout=5,
                retries={"mode": "standard", "total_max_attempts": 3},
                s3={"addressing_style": "path"},
            ),
        )

    def kinesis(self) -> KinesisApi:
        """A client as the consumer's own."""
        return KinesisApi(self.url, "us-east-1", Credentials("stub", "stub"), URLLib3Session(max_pool_connections=8))

    @property
    def checkpoint(self) -> dict[str, Any]:
        """The checkpoint as it lies in S3."""
        found: dict[str, Any] = json.loads(self.objects["checkpoint.json"][0])
        return found

    def put_records(self, request: dict[str, Any]) -> dict[str, Any]:
        """PutRecords: each record by itself taken or throttled."""
        answers: list[dict[str, Any]] = []
        for record in request["Records"]:
            data = base64.b64decode(record["Data"])
            digest = hashlib.md5(record["PartitionKey"].encode(), usedforsecurity=False).digest()
            hash_key = int(record.get("ExplicitHashKey") or int.from_bytes(digest))
            shard_id = self._shards[min(hash_key // self._width, len(self._shards) - 1)][0]
            if self.refuses(shard_id, data):
                answers.append({"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "throttled"})
                continue
            with self.lock:
                self.records.append((shard_id, data))
                number = len(self.records)
            answers.append({"SequenceNumber": str(number), "ShardId": shard_id})
        failed = sum("ErrorCode" in answer for answer in answers)
        return {"FailedRecordCount": failed, "Records": answers}

    def list_shards(self) -> dict[str, Any]:
        """ListShards: all of them, open."""
        return {
            "Shards": [
                {
                    "ShardId": shard_id,
                    "HashKeyRange": {
                        "StartingHashKey": str(lowest),
                        "EndingHashKey": str(
                            _RANGE - 1 if shard_id == self._shards[-1][0] else lowest + self._width - 1
                        ),
                    },
                    "SequenceNumberRange": {"StartingSequenceNumber": "0"},
                }
                for shard_id, lowest in self._shards
            ]
        }

    def put_object(self, key: str, body: bytes, if_match: str | None, if_none_match: str | None) -> tuple[int, str]:
        """Write an object unless the condition fails; return the status and the ETag."""
        with self.lock:
            stored = self.objects.get(key)
            if (if_none_match and stored) or (if_match and (stored is None or stored[1] != if_match)):
                return 412, ""
            etag = f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}-{len(self.puts)}"'
            if self.keeps(key):
                self.objects[key] = body, etag, self.now()
            self.puts.append((key, len(body), body.count(b"\n")))
            return 200, etag

    def _handler(self) -> type[BaseHTTPRequestHandler]:  # noqa: C901 - one class, which knows the stub
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle(self) -> None:
                try:
                    super().handle()
                except OSError:
                    self.close_connection = True

            def do_POST(self) -> None:
                request = json.loads(self._body())
                is_put = self.headers["X-Amz-Target"].endswith("PutRecords")
                self._answer(200, json.dumps(stub.put_records(request) if is_put else stub.list_shards()).encode())

            def do_PUT(self) -> None:
                key, body = self.path.split("?")[0].split("/", 2)[2], self._body()
                stub.delay("PUT", key)
                match, none_match = self.headers.get("If-Match"), self.headers.get("If-None-Match")
                status, etag = stub.put_object(key, body, match, none_match)
                if status == 200:
                    sent = etag if stub.etag is None else stub.etag
                    self._answer(200, b"", **({"ETag": sent} if sent else {}))
                else:
                    self._answer(412, b"<Error><Code>PreconditionFailed</Code></Error>")

            def do_GET(self) -> None:
                key = self.path.split("?")[0].split("/", 2)[2]
                stub.delay("GET", key)
                if key not in stub.objects:
                    self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
                    return
                body, etag, modified = stub.objects[key]
                self._answer(200, body, ETag=etag, Last_Modified=format_datetime(modified, usegmt=True))

            def _answer(self, status: int, body: bytes, **headers: str) -> None:
                self.send_response_only(status)
                self.send_header("Date", format_datetime(stub.now(), usegmt=True))
                self.send_header("Content-Length", str(len(body)))
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.end_headers()
                self.wfile.write(body)

            def _body(self) -> bytes:
                if "chunked" not in self.headers.get("Transfer-Encoding", ""):
                    body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                else:
                    parts = []
                    while size := int(self.rfile.readline().split(b";")[0], 16):
                        parts.append(self.rfile.read(size))
                        self.rfile.readline()
                    while self.rfile.readline().strip():
                        pass
                    body = b"".join(parts)
                if "aws-chunked" in self.headers.get("Content-Encoding", ""):
                    body = _unwrapped(body)
                return body

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


def _unwrapped(body: bytes) -> bytes:
    """Take away the framing in which S3's clients send a body with a checksum behind it."""
    plain = b""
    while True:
        size, _, body = body.partition(b"\r\n")
        length = int(size.split(b";")[0], 16)
        if not length:
            return plain
        plain, body = plain + body[:length], body[length + 2 :]
