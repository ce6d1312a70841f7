"""Shards that are split and merged on purpose, in the local Kinesis."""

from __future__ import annotations

import boto3
import pytest

from local.faults.timed.resharding import Reshard, Resharding, ReshardKind


@pytest.fixture
def kinesis(aws):  # noqa: ARG001 - the client talks to the server that this fixture gives
    """A client, and a stream of two shards."""
    client = boto3.client("kinesis")
    client.create_stream(StreamName="updates", ShardCount=2)
    return client


def change(kinesis, *changes):
    """Make changes one after the other; gives what was counted."""
    resharding = Resharding(changes, kinesis, "updates")
    resharding.start()
    resharding.join()
    return dict(resharding.injected)


def open_ranges(kinesis):
    """The hash ranges of the shards that take records, in order."""
    shards = kinesis.list_shards(StreamName="updates")["Shards"]
    found = [one["HashKeyRange"] for one in shards if "EndingSequenceNumber" not in one["SequenceNumberRange"]]
    return sorted((int(one["StartingHashKey"]), int(one["EndingHashKey"])) for one in found)


def covers_all(ranges):
    """Whether ranges cover every hash key once."""
    ends = [-1, *(last for _, last in ranges)]
    return [first for first, _ in ranges] == [end + 1 for end in ends[:-1]] and ends[-1] == 2**128 - 1


@pytest.mark.parametrize("where", [0.0, 0.3, 1.0])
def test_a_split_makes_two_shards_of_one(kinesis, where):
    """The open shards cover all hash keys once, wherever the shard is cut."""
    split = Reshard(kind=ReshardKind.SPLIT, at=0.0, which=0.99, where=where)
    assert change(kinesis, split) == {"shard_split": 1}
    assert len(open_ranges(kinesis)) == 3
    assert covers_all(open_ranges(kinesis))


def test_a_merge_makes_one_shard_of_two(kinesis):
    """The same, the other way round; and the last shard is left alone."""
    merge = Reshard(kind=ReshardKind.MERGE, at=0.0, which=0.5)
    assert change(kinesis, merge, merge) == {"shard_merge": 1}
    assert open_ranges(kinesis) == [(0, 2**128 - 1)]


def test_changes_follow_one_another(kinesis):
    """Each looks at the shards again: children are split and merged as well."""
    split = Reshard(kind=ReshardKind.SPLIT, at=0.0, which=0.0)
    merge = Reshard(kind=ReshardKind.MERGE, at=0.01, which=0.99)
    assert change(kinesis, split, split, merge) == {"shard_split": 2, "shard_merge": 1}
    assert len(open_ranges(kinesis)) == 3
    assert covers_all(open_ranges(kinesis))


def test_what_was_stopped_changes_nothing_more(kinesis):
    """The run's end must not wait for a change that is still to come."""
    resharding = Resharding([Reshard(kind=ReshardKind.SPLIT, at=3600.0, which=0.0)], kinesis, "updates")
    resharding.start()
    resharding.stop()
    assert len(open_ranges(kinesis)) == 2
