"""AWS on a bad day: a proxy before moto that loses requests and answers, and a Kinesis client that fails in parts."""

from __future__ import annotations

import http.client
import threading
from contextlib import closing
from enum import Enum
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from tests.support.http_server import LoopbackServer

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_kinesis import KinesisClient


_one_at_a_time = threading.Lock()
"""moto gives two calls at the same moment the same sequence number, and keeps one of the two records."""


class Fault(Enum):
    """What happens to one request."""

    NONE = "it is carried out and answered"
    LOST = "the connection breaks before it is carried out"
    ANSWER_LOST = "it is carried out, and the connection breaks before the answer"
    SERVER_ERROR = "it is answered 500"


class FaultyProxy(LoopbackServer):
    """Stands before moto; `plan(method, path, target)` chooses each request's fate by its X-Amz-Target too."""

    def __init__(  # noqa: C901 -- one handler class, made here because it needs the plan
        self, upstream: str, plan: Callable[[str, str, str], Fault]
    ) -> None:
        host, port = urlsplit(upstream).hostname, urlsplit(upstream).port

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle(self) -> None:
                try:
                    super().handle()
                except ConnectionError:
                    self.close_connection = True

            def _pass_on(self) -> None:
                body = self._body()
                fault = plan(self.command, self.path, self.headers.get("X-Amz-Target", ""))
                if fault is Fault.LOST:
                    self.close_connection = True
                    return
                if fault is Fault.SERVER_ERROR:
                    self.send_response(500)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                connection = http.client.HTTPConnection(str(host), port)
                with _one_at_a_time, closing(connection):
                    headers = {
                        name: value
                        for name, value in self.headers.items()
                        if name.lower() not in ("expect", "transfer-encoding", "connection")
                    }
                    connection.request(self.command, self.path, body, headers | {"Content-Length": str(len(body))})
                    answer = connection.getresponse()
                    content = answer.read()
                if fault is Fault.ANSWER_LOST:
                    self.close_connection = True
                    return
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("transfer-encoding", "connection", "content-length", "server", "date"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def _body(self) -> bytes:
                if "chunked" not in self.headers.get("Transfer-Encoding", ""):
                    return self.rfile.read(int(self.headers.get("Content-Length", "0")))
                parts = []
                while size := int(self.rfile.readline().split(b";")[0], 16):
                    parts.append(self.rfile.read(size))
                    self.rfile.readline()
                while self.rfile.readline().strip():
                    pass
                return b"".join(parts)

            do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _pass_on  # noqa: N815 -- http.server's names

            def log_message(self, *_: Any) -> None:
                pass

        super().__init__(Handler, name="faulty-proxy")


class PartlyFailingKinesis:
    """A Kinesis client of which `fails(call, index, entry)` refuses single entries, and `raises(call)` whole calls.

    What is not refused is carried out by the real client. Calls are counted from 1. `calls` holds, for each call, the
    entries as they were sent.
    """

    def __init__(
        self,
        kinesis: KinesisClient,
        *,
        fails: Callable[[int, int, dict[str, Any]], bool] = lambda *_: False,
        raises: Callable[[int], Exception | None] = lambda _: None,
    ) -> None:
        self.calls: list[list[dict[str, Any]]] = []
        self.acknowledged = 0
        self._kinesis = kinesis
        self._fails = fails
        self._raises = raises
        self._lock = threading.Lock()
        self._turn = threading.Lock()

    def put_records(self, *, StreamName: str, Records: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 -- boto3's
        with self._lock:
            self.calls.append(Records)
            call = len(self.calls)
        if (error := self._raises(call)) is not None:
            raise error
        is_refused = [self._fails(call, index, entry) for index, entry in enumerate(Records)]
        taken = [entry for entry, refused in zip(Records, is_refused, strict=True) if not refused]
        with self._turn:  # moto again
            answers = iter(self._kinesis.put_records(StreamName=StreamName, Records=taken)["Records"] if taken else ())
        with self._lock:
            self.acknowledged += len(taken)
        refusal = {"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "Rate exceeded"}
        return {
            "FailedRecordCount": sum(is_refused),
            "Records": [refusal if refused else next(answers) for refused in is_refused],
        }


def client_error(code: str, status: int, operation: str = "PutRecords") -> ClientError:
    """Return the exception boto3 raises for an error answer."""
    return ClientError(
        {"Error": {"Code": code, "Message": "as planned"}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item]
        operation,
    )
