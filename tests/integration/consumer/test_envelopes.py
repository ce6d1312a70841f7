"""Whole runs that publish envelopes, against moto: nothing lost or doubled, through failures and resharding."""

from __future__ import annotations

import random
from hashlib import md5

import pytest

from common import envelope
from consumer.errors import PublishError
from consumer.publish.shard_map import ListShards
from tests.integration.consumer.conftest import STREAM, every
from tests.support.conditions import wait_until
from tests.support.faulty_aws import PartlyFailingKinesis, client_error


def test_runs_follow_each_other_in_envelopes(consume, simulator, state, clock):
    """Two runs must publish every update once and in order, in fewer records than updates, each in its own shard."""
    server = simulator(every(0.01, 400, clock.now()))
    first = consume(server.url, envelopes=True, owner="run-1").stop_after(2)
    second = consume(server.url, envelopes=True, owner="run-2", run_seconds=2).wait()
    assert state.numbers == list(range(first.published + second.published))
    assert second.published > 0
    assert all(numbers == sorted(numbers) for numbers in state.numbers_by_key().values())
    shards = {
        shard["ShardId"]: shard["HashKeyRange"] for shard in state.kinesis.list_shards(StreamName=STREAM)["Shards"]
    }
    records = state.kinesis_records
    assert len(records) < len(state.numbers)
    for shard_id, key, data in records:
        assert key == shard_id
        for line in envelope.lines(data, shard_id)[0].splitlines():
            digest = int.from_bytes(md5(line.partition(b'"icao_address":"')[2][:6]).digest())
            assert int(shards[shard_id]["StartingHashKey"]) <= digest <= int(shards[shard_id]["EndingHashKey"])


@pytest.mark.parametrize("seed", range(2))
def test_envelopes_that_kinesis_refuses_are_sent_again_in_order(consume, simulator, state, clock, seed):
    """Whatever entries fail, each aircraft's updates must come once and in order."""
    chance = random.Random(seed)
    kinesis = PartlyFailingKinesis(state.kinesis, fails=lambda *_: chance.random() < 0.3)
    server = simulator(every(0.005, 400, clock.now()))
    summary = consume(server.url, envelopes=True, kinesis=kinesis, run_seconds=3).wait()
    assert state.numbers == list(range(summary.published))
    assert summary.published > 0
    assert all(numbers == sorted(numbers) for numbers in state.numbers_by_key().values())


def test_resharding_in_the_middle_of_a_run_misplaces_nothing(consume, simulator, state, clock):
    """A shard that is split while the run goes on must lose and double nothing and keep each aircraft in order."""
    server = simulator(every(0.005, 600, clock.now()))
    consumer = consume(server.url, envelopes=True, run_seconds=4)
    wait_until(lambda: consumer.kinesis.acknowledged >= 2)
    state.kinesis.split_shard(StreamName=STREAM, ShardToSplit="shardId-000000000000", NewStartingHashKey=str(2**126))
    summary = consumer.wait()
    assert state.numbers == list(range(summary.published))
    assert all(numbers == sorted(numbers) for numbers in state.numbers_by_key().values())
    found_in = {shard_id for shard_id, _, _ in state.kinesis_records}
    assert found_in & {"shardId-000000000002", "shardId-000000000003"}


def test_shards_are_listed_page_by_page(state):
    """A stream of many shards is listed in several answers; all of them are known."""
    first, second = state.kinesis.list_shards(StreamName=STREAM)["Shards"]

    class Paged:  # moto takes no token without the name, which Kinesis refuses beside one
        def list_shards(self, **request):
            pages = {"StreamName": {"Shards": [first], "NextToken": "more"}, "NextToken": {"Shards": [second]}}
            (asked,) = request
            return pages[asked]

    shards = ListShards(Paged(), STREAM)().shards
    assert [shard.shard_id for shard in shards] == ["shardId-000000000000", "shardId-000000000001"]
    assert shards[0].hash_key == "0"


def test_shards_that_cannot_be_listed_now_are_asked_for_again(state):
    """A throttled ListShards is no end of the run."""

    class Throttled:
        def list_shards(self, **_):
            raise client_error("LimitExceededException", 400)

    assert ListShards(Throttled(), STREAM)() is None
    assert ListShards(state.kinesis, STREAM)() is not None


def test_the_error_for_shards_that_may_not_be_listed_names_the_permission(state):
    """A missing permission ends the run, and the text says which."""

    class Refused:
        def list_shards(self, **_):
            raise client_error("AccessDeniedException", 400)

    del state
    with pytest.raises(PublishError, match=r"updates.*kinesis:ListShards"):
        ListShards(Refused(), STREAM)()
