"""The event as the aggregator's own marshaller reads it, beside the runtime's."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace

import pytest
from awslambdaric.lambda_runtime_exception import FaultException  # type: ignore[import-untyped]
from awslambdaric.lambda_runtime_marshaller import LambdaMarshaller  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.events import runtime_marshaller
from aggregator.events.runtime_marshaller import EventMarshaller
from common import kinesis_event


@pytest.fixture
def marshaller():
    """The marshaller, with the runtime's behind it."""
    return EventMarshaller(LambdaMarshaller())


def test_a_real_event_is_read_alike(marshaller, repository):
    """What the aggregator reads of an event is the same, whoever parsed it; what nobody reads is left out."""
    paths = [path for path in (repository / "events").rglob("*.json") if b'"window"' in path.read_bytes()]
    assert paths
    for path in paths:
        body = path.read_bytes()
        lean, whole = marshaller.unmarshal_request(body), LambdaMarshaller().unmarshal_request(body)
        assert list(kinesis_event.blocks(lean["Records"])) == list(kinesis_event.blocks(whole["Records"]))
        assert kinesis_event.tumbling_window(lean) == kinesis_event.tumbling_window(whole)
        assert len(json.dumps(lean)) < len(json.dumps(whole))


@pytest.mark.parametrize(
    "event",
    [
        {"Records": None},
        {"Records": [{"kinesis": {"data": 5}}]},
        {"Records": {}, "window": {"start": 5}},
        {"state": None, "shardId": None},
        [1, 2],
        "text",
        None,
    ],
)
def test_an_event_of_another_shape_is_left_to_the_runtime(marshaller, event):
    """Whoever invokes the function with something else gets what the runtime would have given the handler."""
    assert marshaller.unmarshal_request(json.dumps(event).encode()) == event


def test_what_is_no_json_fails_as_the_runtime_fails_it(marshaller):
    """The error is the runtime's own."""
    with pytest.raises(FaultException, match="Unable to unmarshal input"):
        marshaller.unmarshal_request(b'{"Records": [')


@settings(max_examples=50)
@given(
    state=st.dictionaries(
        st.text(max_size=5), st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20)
    )
)
def test_an_answer_is_the_same_document(state):
    """The service reads the same answer, whoever wrote it."""
    answer = {"state": state, "batchItemFailures": []}
    ours, kind = EventMarshaller(LambdaMarshaller()).marshal_response(answer)
    assert json.loads(ours) == json.loads(LambdaMarshaller().marshal_response(answer)[0])
    assert kind == "application/json"


def test_an_answer_it_cannot_write_fails_as_the_runtime_fails_it(marshaller):
    """The error is the runtime's own."""
    with pytest.raises(FaultException, match="Unable to marshal response"):
        marshaller.marshal_response({"state": object()})


def test_it_takes_the_place_of_the_runtimes_once(monkeypatch):
    """Installed twice, it stands before the runtime's own, not before itself."""
    usual = LambdaMarshaller()
    client = SimpleNamespace(marshaller=usual)
    monkeypatch.setitem(sys.modules, "awslambdaric.lambda_runtime_client", SimpleNamespace(LambdaRuntimeClient=client))
    runtime_marshaller.install()
    runtime_marshaller.install()
    assert isinstance(client.marshaller, EventMarshaller)
    assert client.marshaller._other is usual


@pytest.mark.parametrize("module", [None, SimpleNamespace(), SimpleNamespace(LambdaRuntimeClient=object)])
def test_without_such_a_client_nothing_is_replaced(monkeypatch, module):
    """Another runtime, or another version of it, works as it is."""
    monkeypatch.setitem(sys.modules, "awslambdaric.lambda_runtime_client", module)
    runtime_marshaller.install()
