"""Shards that split and merge under a mapping: order holds, and nothing of a child is skipped."""

from __future__ import annotations

import threading

from tests.integration.local.event_source_mapping.conftest import Function, drained, eventually


def test_a_split_shard_closes_its_window_and_its_children_are_polled(stream, mapping):
    """Resharding ends the parent's window long before its time, and the children are found at run time."""
    source = stream(1)
    function = Function(lambda _event: {"state": {}})
    running = mapping(source, function, TumblingWindowInSeconds=900)
    source.put("a", "b", "c")
    eventually(lambda: running.counters.consumed == 3)
    assert running.counters.windows_closed == 0
    (parent,) = source.shards()
    middle = int(parent["HashKeyRange"]["EndingHashKey"]) // 2
    source.client.split_shard(StreamName=source.name, ShardToSplit=parent["ShardId"], NewStartingHashKey=str(middle))
    eventually(lambda: running.counters.windows_closed >= 1)
    source.put("a", "b", "c", "d")
    eventually(lambda: running.counters.consumed == 7)
    assert drained(running)
    assert [one for one in function.ids() if one.startswith(parent["ShardId"])] == [
        f"{parent['ShardId']}:{number}" for number in (1, 2, 3)
    ]
    assert len(function.ids()) == 7


def test_children_are_read_after_both_their_parents_were_consumed(stream, mapping):
    """A merged shard's records come after the last record of its parents, even when one of these fails for long."""
    source = stream(2)
    refuse = threading.Event()
    refuse.set()

    def refuse_one_parent(event):
        if refuse.is_set() and event["Records"][0]["eventID"].startswith("shardId-000000000001"):
            raise ValueError("refused")

    function = Function(refuse_one_parent)
    source.put("one", "two", shard=0)
    source.put("three", shard=1)
    first, second = (shard["ShardId"] for shard in source.shards())
    source.client.merge_shards(StreamName=source.name, ShardToMerge=first, AdjacentShardToMerge=second)
    source.put("four", "five", "six")
    running = mapping(source, function)
    eventually(lambda: running.counters.function_errors >= 3)
    refuse.clear()
    assert drained(running)
    child = [one.startswith("shardId-000000000002") for one in function.ids()]
    assert child.count(True) == 3
    assert child == sorted(child)


def test_a_child_found_later_is_read_from_its_beginning_even_with_latest(stream, mapping):
    """What a child holds came after the mapping began, so LATEST must not skip it."""
    source, function = stream(2), Function()
    running = mapping(source, function, StartingPosition="LATEST")
    source.put("one", shard=0)
    source.put("two", shard=1)
    eventually(lambda: running.counters.consumed == 2)
    first, second = (shard["ShardId"] for shard in source.shards())
    source.client.merge_shards(StreamName=source.name, ShardToMerge=first, AdjacentShardToMerge=second)
    source.put("three", "four")
    assert drained(running)
    assert [one for one in function.ids() if one.startswith("shardId-000000000002")] == [
        "shardId-000000000002:1",
        "shardId-000000000002:2",
    ]
