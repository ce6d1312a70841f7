"""A webhook on loopback, and what EventBridge Pipes does between the alerts' queue and it."""

from __future__ import annotations

import json
import re
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_PLACE = re.compile(r"<\$\.body\.([\w.]+)>")


class Webhook:
    """Takes what is posted, in `posted`, or refuses it. Used as a context manager."""

    def __init__(self) -> None:
        self.posted: list[Any] = []
        self.refuses = False
        webhook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if not webhook.refuses:
                    webhook.posted.append(body)
                self.send_response(400 if webhook.refuses else 200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def attempt_all(sqs: SQSClient, queue: str, template: str, url: str) -> None:
    """Try to post each message of the queue once; one that is taken is removed, another waits for the next attempt."""
    tried: set[str] = set()
    while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
        for message in messages:
            tried.add(message["ReceiptHandle"])
            request = urllib.request.Request(url, _filled_in(template, json.loads(message["Body"])), method="POST")
            try:
                urllib.request.urlopen(request, timeout=10).close()
            except urllib.error.HTTPError:
                continue
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            tried.discard(message["ReceiptHandle"])
    for handle in tried:  # the minute until it is visible again
        sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=handle, VisibilityTimeout=0)


def _filled_in(template: str, body: Any) -> bytes:
    """Return what an input template makes of a message: texts are quoted where they go."""

    def value(match: re.Match[str]) -> str:
        found = body
        for name in match[1].split("."):
            found = found[name]
        return json.dumps(found)

    return _PLACE.sub(value, template).encode()
