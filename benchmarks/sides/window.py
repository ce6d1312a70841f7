"""Windows: whole invocations in the middle of a window, with what Lambda's runtime does around them.

An invocation is the event's JSON text read, the handler called, and its answer written as JSON, by the marshaller of
the runtime interface client: its own one, or the one that the function has put in its place. Each invocation gets the
state that the one before handed back.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from awslambdaric.lambda_runtime_client import LambdaRuntimeClient  # type: ignore[import-untyped]  # it has no types

from benchmarks.harness.case import Measured
from benchmarks.harness.machine import cpu_time
from benchmarks.inputs import events

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Context:
    """What handlers and Powertools read of Lambda's context object."""

    function_name = "benchmark"
    function_version = "$LATEST"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:benchmark"
    aws_request_id = "00000000-0000-0000-0000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds that are left."""
        return 60_000


def ours(params: dict[str, Any]) -> Measured:
    """The aggregator's handler."""
    from aggregator.handler import handler  # noqa: PLC0415 - the peer's process must not pay for it

    return _fold(handler, params)


def peer(params: dict[str, Any]) -> Measured:
    """The usual handler. It knows single records only: where ours gets envelopes, it has its own events."""
    from benchmarks.peers.window import handler  # noqa: PLC0415 - ours must not pay for it

    return _fold(handler, params | params.get("peer", {}))


def write_envelopes(params: dict[str, Any]) -> Measured:
    """Write events of envelopes, as the consumer packs them, of the updates in the file `lines`."""
    from consumer.publish.envelope_writer import HeaderedUpdate, decode, pack  # noqa: PLC0415 - what is measured must not pay for it
    from consumer.publish.limits import MAX_RECORD_BYTES  # noqa: PLC0415 - likewise
    from consumer.stream.messages import MessageParser  # noqa: PLC0415 - likewise

    parse = MessageParser(decode).parse

    def envelope(lines: Sequence[bytes]) -> bytes:
        updates = [update for line in lines if isinstance(update := parse(line), HeaderedUpdate)]
        ((record, count, *_),) = pack(updates, events.SHARD_ID, MAX_RECORD_BYTES)
        if count != len(lines):
            raise ValueError(f"an envelope of {count} updates; expected {len(lines)}")
        return record

    lines = Path(params["lines"]).read_bytes().split(b"\n")
    events.write_envelopes(lines, Path(params["target"]), params["batch"], params["envelope"], envelope)
    return Measured(0, len(lines))


def last_event(params: dict[str, Any]) -> Measured:
    """Write the last of the events to the file `target`, with the state of ours that the others have built."""
    from aggregator.handler import handler  # noqa: PLC0415 - as above

    *building, last = Path(params["events"]).read_text(encoding="utf-8").splitlines()
    state = "{}"
    for event in building:
        state = json.dumps(handler(json.loads(with_state(event, state)), Context())["state"])  # type: ignore[arg-type]
    Path(params["target"]).write_text(with_state(last, state), encoding="utf-8")
    return Measured(0, len(building))


def with_state(event: str, state: str) -> str:
    """Return an event, as text, with a state in place of the empty one."""
    return event.replace('"state": {}', f'"state": {state}', 1)


def _fold(handler: Callable[[dict[str, Any], Any], dict[str, Any]], params: dict[str, Any]) -> Measured:
    """Fold the first batches to build the state, then measure the others."""
    marshaller, context = LambdaRuntimeClient.marshaller, Context()
    texts = Path(params["events"]).read_text(encoding="utf-8").splitlines()
    state, seconds = "{}", 0.0
    for number, event in enumerate(texts):
        body = with_state(event, state).encode()  # bytes are what the runtime interface client receives
        with cpu_time() as spent:
            answer, _ = marshaller.marshal_response(handler(marshaller.unmarshal_request(body), context))
        if number >= params["built_by"]:
            seconds += spent.seconds
        # The service cuts the state out of the answer's text; so does this, outside what is measured.
        state = json.dumps(json.loads(answer)["state"])
    return Measured(seconds, params["updates"])
