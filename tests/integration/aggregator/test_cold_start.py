"""What a cold start loads: an invocation that calls nobody does not pay for the means to call."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from aggregator.sinks.aircraft_table import THREADS
from aggregator.wiring import DYNAMODB, LazyClient

SCRIPT = """
import json, sys
from aggregator.handler import handler

class Context:
    function_name = invoked_function_arn = aws_request_id = "aggregator"
    memory_limit_in_mb = 512

answer = handler(json.loads(sys.argv[1]), Context())
loaded = sorted({"boto3", "botocore.session", "botocore.client", "botocore.config"} & set(sys.modules))
print(json.dumps([answer["state"]["v"], loaded]))
"""


def test_a_batch_in_the_middle_of_a_window_loads_no_client(make_event, monkeypatch, pytestconfig):
    """An AWS client is two thirds of a cold start, and only an invocation that closes something needs it."""
    for name, value in {
        "WINDOW_ROWS_STREAM_NAME": "rows",
        "AIRCRAFT_TABLE_NAME": "aircraft",
        "PYTHONPATH": str(pytestconfig.rootpath / "src"),
    }.items():
        monkeypatch.setenv(name, value)
    event = make_event([{"icao_address": "040172", "timestamp": "2024-03-04T23:24:01Z"}])
    run = subprocess.run([sys.executable, "-c", SCRIPT, json.dumps(event)], capture_output=True, text=True, check=True)
    assert json.loads(run.stdout.splitlines()[-1]) == [4, []]


def test_a_client_is_made_once_whichever_thread_is_first(monkeypatch):
    """Making clients is not safe in several threads at once, and each has connections of its own."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    client = LazyClient("dynamodb", DYNAMODB)
    with ThreadPoolExecutor(8) as pool:
        metas = set(pool.map(lambda _: id(client.meta), range(32)))
    assert len(metas) == 1
    assert client.meta.config.max_pool_connections == THREADS


def test_a_lazy_client_is_the_client(monkeypatch):
    """What a client lacks, it lacks."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with pytest.raises(AttributeError):
        LazyClient("firehose", {}).no_such_call()
