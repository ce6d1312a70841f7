"""`ops status` on the live objects: what is counted after a reshard."""

from __future__ import annotations

import json
import time

from live import objects
from ops.command_line import main
from tests.integration.ops.test_commands import snapshot

CLOSED, OPEN, GONE, DAMAGED = (f"shardId-{number:012}" for number in range(4))


def test_shards_that_a_reshard_closed_are_not_counted(local_stack, capsys):
    """Nothing was written of one for five minutes, and the lifecycle has removed the other; both stay listed."""
    listed = {"window_seconds": 60, "shards": {shard: {} for shard in (CLOSED, OPEN, GONE, DAMAGED)}}
    local_stack.put("DataBucket", objects.SHARDS, json.dumps(listed).encode())
    now = int(time.time() * 1_000)
    local_stack.put("DataBucket", objects.open_window(CLOSED), snapshot(CLOSED, now - 301_000))
    local_stack.put("DataBucket", objects.open_window(OPEN), snapshot(OPEN, now))
    local_stack.put("DataBucket", objects.open_window(DAMAGED), b"LIVE")

    main(["status", "--json", "--local", local_stack.endpoint])

    answer = json.loads(capsys.readouterr().out)
    (found,) = (one for one in answer["parts"] if one["part"] == "live objects")
    assert (found["facts"]["shards"], found["facts"]["unreadable"]) == (1, 1)
    assert "in the open windows of 1 shard," in found["text"]
