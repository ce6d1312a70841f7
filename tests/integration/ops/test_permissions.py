"""docs/ops.md says what each command may do in AWS: no command asks for more than its row."""

from __future__ import annotations

import json
import re
import time

import pytest

from live import objects
from local import running
from ops import command_line, drain
from ops.failures import PREFIX
from ops.stack import Stack
from tests.integration.ops.test_commands import snapshot
from tests.integration.ops.test_examples import HurriedClock

ACTIONS = {"s3:ListObjectsV2": ("s3:ListBucket",), "s3:HeadBucket": ("s3:ListBucket",)} | {
    f"s3:{name}": (f"s3:{name}", "s3:ListBucket") for name in ("GetObject", "HeadObject")
}
"""What an operation needs that is not called as it is: whoever may not list is refused what is not there."""

COMMANDS = [
    ["status"],
    *(["tail", what, "--once"] for what in ("updates", "windows", "alerts", "rejected", "failures")),
    ["redrive"],
    ["redrive", "--confirm", "--yes"],
    ["redrive", "--confirm", "--yes", "--again", "--delete"],
    ["drain", "--yes", "--timeout", "2m"],
    ["drain", "--resume"],
    ["doctor"],
    ["repair", "--yes"],
]


@pytest.fixture(scope="module")
def documented(repository):
    """The actions of each row, by command."""
    rows = re.findall(r"^\| `(\w+)` \| (`\w+:.+) \|$", (repository / "docs/ops.md").read_text(), re.MULTILINE)
    found = {command: set(re.findall(r"`(\w+:\w+)`", cell)) for command, cell in rows}
    assert found.keys() == command_line._OF_A_STACK.keys()
    return found


@pytest.fixture
def asked(local_stack, monkeypatch):
    """The operations of AWS that commands ask for, on a stack in which something lies everywhere."""
    kinesis, stream = local_stack.client("kinesis"), local_stack.resources["UpdatesStream"]
    put = kinesis.put_record(StreamName=stream, PartitionKey="a", Data=b"1")
    shard = put["ShardId"]
    local_stack.put("DataBucket", objects.SHARDS, json.dumps({"shards": {shard: {}}}).encode())
    now = int(time.time() * 1_000)
    local_stack.put("DataBucket", objects.open_window(shard), snapshot(shard, now, put["SequenceNumber"]))
    event = {
        "requestContext": {"functionArn": "arn:aws:lambda:::f", "condition": "RetryAttemptsExhausted"},
        "payload": {"Records": [{"eventID": f"{shard}:1", "kinesis": {"partitionKey": "a", "data": "MQ=="}}]},
    }
    local_stack.put("FailuresBucket", f"{PREFIX}uuid/{shard}/one", json.dumps(event).encode())
    note, operations = running.read_note(local_stack.endpoint), set()

    def client(service):
        made = note.client(service)
        made.meta.events.register("before-call", lambda model, **_: operations.add(f"{service}:{model.name}"))
        return made

    monkeypatch.setattr(command_line, "find", lambda _: Stack(note.name, note.resources, client))
    monkeypatch.setattr(drain, "SystemClock", HurriedClock)
    yield operations
    local_stack.client("events").enable_rule(Name=note.resources["ConsumerSchedule"].rpartition("/")[2])


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_command_asks_for_no_more_than_its_row_allows(asked, documented, command):
    """Whoever gets just that gets an answer, also where an object is not there."""
    assert command_line.main([*command, "--stack", "deployed"]) in {0, 1}
    needed = {action for one in asked for action in ACTIONS.get(one, (one,))}
    assert needed
    assert needed <= documented[command[0]]
