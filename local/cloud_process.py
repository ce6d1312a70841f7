"""The process that plays AWS: a moto server on a free loopback port, with what moto needs to carry a whole stream.

Started by `local.cloud`. Writes one line of JSON to standard output once it listens, `{"port": ..., "types": [...]}`,
where `types` are the resource types its CloudFormation can make. It ends when its standard input is closed, so that
it cannot outlive the run that started it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

from moto.awslambda.models import LambdaBackend
from moto.cloudformation.parsing import get_model_map
from moto.kinesis.models import Shard
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from moto.kinesis.models import Record


class OneAtATime:
    """A WSGI application that lets one request at a time into moto.

    moto's models are not made for several threads: two PutRecords at once can give two records one sequence number,
    and the first is lost; a conditional put compares and writes in two steps. Under one interpreter lock nothing is
    slower for it.
    """

    def __init__(self, application: Callable[[dict[str, Any], Any], Iterable[bytes]]) -> None:
        self._application = application
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request."""
        with self._lock:
            return list(self._application(environ, start_response))


class QuietRequestHandler(MotoRequestHandler):
    """Serves without a line of log for each request."""

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 -- werkzeug's name
        """Say nothing."""

    def setup(self) -> None:
        """Switch off Nagle's algorithm: head and body are two writes, and would wait 40 ms for each other."""
        super().setup()
        self.connection.setsockopt(6, 1, 1)  # IPPROTO_TCP, TCP_NODELAY


def _last_sequence_number(shard: Shard) -> int:
    return next(reversed(shard.records), 0)


def _get_records(shard: Shard, last_sequence_id: str, limit: int | None) -> tuple[list[Record], int, int]:
    """Read on from a sequence number; they count 1, 2, ... within a shard, so the place is known without a search."""
    first = int(last_sequence_id) + 1
    last = min(_last_sequence_number(shard), first + (limit or 10_000) - 1)  # the API's own bound
    records = [shard.records[number] for number in range(first, last + 1) if number in shard.records]
    if not records:
        return [], int(last_sequence_id), 0
    behind = shard.records[_last_sequence_number(shard)].created_at - records[-1].created_at
    return records, records[-1].sequence_number, int(behind * 1000)


def _no_delivery(*_: Any, **__: Any) -> None:
    """Deliver nothing: `local.event_source_mapping` polls the stream, and moto would push each record, in Docker."""


def prepare_moto() -> None:
    """Make moto's Kinesis shards fast enough for a stream, and leave the event source mappings to us.

    As it is, a shard walks through all its records on every put and every read.
    """
    Shard.get_max_sequence_number = _last_sequence_number  # type: ignore[method-assign,assignment]
    Shard.get_records = _get_records  # type: ignore[method-assign,assignment]
    LambdaBackend.send_kinesis_message = _no_delivery  # type: ignore[method-assign]


def main() -> None:
    """Serve until standard input is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the run's to act on
    prepare_moto()
    application = OneAtATime(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=QuietRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(json.dumps({"port": server.server_port, "types": sorted(get_model_map())}) + "\n")
    sys.stdout.flush()
    sys.stdin.read()
    os._exit(0)  # its memory holds nothing that anybody wants: no cleaning up


if __name__ == "__main__":
    main()
