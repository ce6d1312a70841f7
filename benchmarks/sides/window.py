"""Windows: whole invocations in the middle of a window, with what Lambda's runtime does around them.

An invocation is the event's JSON text read, the handler called, and its answer written as JSON, by the runtime
interface client's own marshaller. Each invocation gets the state that the one before handed back.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from awslambdaric.lambda_runtime_marshaller import LambdaMarshaller  # type: ignore[import-untyped]  # it has no types

from benchmarks.case import Measured
from benchmarks.machine import cpu_time

if TYPE_CHECKING:
    from collections.abc import Callable


class _Context:
    """What handlers and Powertools read of Lambda's context object."""

    function_name = "benchmark"
    function_version = "$LATEST"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:benchmark"
    aws_request_id = "00000000-0000-0000-0000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


def ours(params: dict[str, Any]) -> Measured:
    """The aggregator's handler."""
    from aggregator.handler import handler  # noqa: PLC0415 - the peer's process must not pay for it

    return _fold(handler, params)


def peer(params: dict[str, Any]) -> Measured:
    """The usual handler."""
    from benchmarks.peers.window import handler  # noqa: PLC0415 - ours must not pay for it

    return _fold(handler, params)


def _fold(handler: Callable[[dict[str, Any], Any], dict[str, Any]], params: dict[str, Any]) -> Measured:
    """Fold the first batches to build the state, then measure the others."""
    marshaller, context = LambdaMarshaller(), _Context()
    events = Path(params["events"]).read_text(encoding="utf-8").splitlines()
    state, seconds = "{}", 0.0
    for number, event in enumerate(events):
        text = event.replace('"state": {}', f'"state": {state}', 1)
        with cpu_time() as spent:
            answer, _ = marshaller.marshal_response(handler(marshaller.unmarshal_request(text), context))
        if number >= params["built_by"]:
            seconds += spent.seconds
        # The service cuts the state out of the answer's text; so does this, outside what is measured.
        state = json.dumps(json.loads(answer)["state"])
    return Measured(seconds, params["updates"])
