"""What a cold start loads: an invocation does not pay for the means to call whom it does not call."""

from __future__ import annotations

import json
import subprocess
import sys

SCRIPT = """
import json, sys
from aggregator.handler import handler
from aggregator.wiring import aggregator

class Context:
    function_name = invoked_function_arn = aws_request_id = "aggregator"
    memory_limit_in_mb = 512

answer = handler(json.loads(sys.argv[1]), Context())
used = aggregator()
made = [sink for sink in ("state_sink", "rows_sink") if getattr(used, sink)._client._client is not None]
print(json.dumps([answer["state"]["v"], made, "boto3" in sys.modules]))
"""


def test_a_batch_in_the_middle_of_a_window_makes_no_client_but_that_of_the_live_objects(
    make_event, monkeypatch, pytestconfig
):
    """Each client costs a cold start tens of milliseconds, and only an invocation that closes something needs it."""
    for name, value in {
        "WINDOW_ROWS_STREAM_NAME": "rows",
        "AIRCRAFT_TABLE_NAME": "aircraft",
        "DATA_BUCKET": "data",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",  # nobody listens there
        "PYTHONPATH": str(pytestconfig.rootpath / "src"),
    }.items():
        monkeypatch.setenv(name, value)
    event = make_event([{"icao_address": "040172", "timestamp": "2024-03-04T23:24:01Z"}])
    run = subprocess.run([sys.executable, "-c", SCRIPT, json.dumps(event)], capture_output=True, text=True, check=True)
    assert json.loads(run.stdout.splitlines()[-1]) == [4, [], False]
