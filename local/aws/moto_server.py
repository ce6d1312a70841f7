"""The moto server process, on a free loopback port, with the patches that a whole stream needs.

Started by `local.aws.moto`, with the offset of its clock. Writes one line of JSON to standard output once it listens,
`{"port": ..., "types": [...]}`, where `types` are the resource types its CloudFormation can make. It ends when its
standard input is closed, so that it cannot outlive the run that started it.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import signal
import sys
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from local import clock
from local.quick_imports import quick_imports

with quick_imports():
    from moto import backends
    from moto.core import responses
    from moto.core.base_backend import AccountSpecificBackend
    from moto.core.utils import get_service_model, method_names_from_class
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
    from werkzeug.serving import make_server

    from local.aws import moto_firehose, moto_kinesis
    from local.aws.moto import REGION
    from local.aws.moto_imports import without_tables

    with without_tables():
        from moto.awslambda.models import LambdaBackend
        from moto.cloudformation.models import Stack
        from moto.cloudformation.parsing import get_model_map
        from moto.dynamodb.comparisons import ConditionExpressionParser
        from moto.sns.models import Subscription

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


_MODELS = ("dynamodb", "firehose", "kinesis", "s3", "secretsmanager", "sns", "sqs")
"""Services whose models moto would look for, through all of botocore's folders, at the first call in a run."""


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

    protocol_version = "HTTP/1.1"
    """With it a connection serves many requests; without, each has its own connection and thread."""

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 -- werkzeug's name
        """Say nothing."""

    def setup(self) -> None:
        """Switch off Nagle's algorithm: head and body are two writes, and would wait 40 ms for each other."""
        super().setup()
        self.connection.setsockopt(6, 1, 1)  # IPPROTO_TCP, TCP_NODELAY


def _no_delivery(*_: Any, **__: Any) -> None:
    """Deliver nothing: `local.event_source_mapping` polls the stream, and moto would push each record, in Docker."""


def _as_json(template: str) -> dict[str, Any] | None:
    """Read a template that is JSON, as the local stack's is; moto reads it as YAML, a hundred times slower."""
    with contextlib.suppress(json.JSONDecodeError):
        return dict(json.loads(template))
    return None


_lex = ConditionExpressionParser._lex_condition_expression  # noqa: SLF001 -- there is no other way in


@functools.cache
def _lexed(expression: str) -> tuple[Any, ...]:
    """Take a condition apart, once for all puts that have the same: a fifth of what one costs."""
    return tuple(_lex(ConditionExpressionParser(expression, {}, {})))


def _lex_cached(parser: ConditionExpressionParser) -> deque[Any]:
    return deque(_lexed(parser.condition_expression))


def prepare_moto() -> None:
    """Make moto's Kinesis fit for a stream, leave the event source mappings to us, and look things up once.

    For each request moto lists the folders of its own package and the methods of a class: a fifth of what one costs.
    For each topic it makes a key to sign with, in a tenth of a second.
    """
    moto_kinesis.install()
    moto_firehose.install()
    modules = frozenset(backends.list_of_moto_modules())
    backends.list_of_moto_modules = lambda: modules
    responses.method_names_from_class = functools.cache(method_names_from_class)  # type: ignore[attr-defined]
    sign_with = functools.cache(functools.partial(Subscription.private_key.__wrapped__, None))
    Subscription.private_key = lambda _: sign_with()  # type: ignore[method-assign,assignment]
    LambdaBackend.send_kinesis_message = _no_delivery  # type: ignore[method-assign]
    ConditionExpressionParser._lex_condition_expression = _lex_cached  # type: ignore[method-assign,assignment]  # noqa: SLF001
    parse = Stack.parse_template
    Stack.parse_template = staticmethod(lambda template: _as_json(template) or parse(template))  # type: ignore[method-assign]


def main() -> None:
    """Serve until standard input is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the run's to act on
    clock.take_over(float(sys.argv[1]))
    prepare_moto()
    # Everything here is in one region; moto would read, by botocore's models, which regions each service has.
    AccountSpecificBackend._generate_regions = lambda *_: [REGION]  # type: ignore[method-assign,assignment]  # noqa: SLF001
    for service in _MODELS:
        get_service_model(service)
    application = OneAtATime(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=QuietRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(json.dumps({"port": server.server_port, "types": sorted(get_model_map())}) + "\n")
    sys.stdout.flush()
    sys.stdin.read()
    os._exit(0)  # its memory holds nothing that anybody wants: no cleaning up


if __name__ == "__main__":
    main()
