"""What is changed in moto's Kinesis: reading by position, and resharding as Kinesis does it."""

from __future__ import annotations

import base64
from hashlib import md5

import pytest
from moto.kinesis.models import Shard, Stream

from local.aws import moto_kinesis

FIRST, SECOND, THIRD, FOURTH = (f"shardId-{number:012d}" for number in range(4))
MIDDLE = 2**127


@pytest.fixture(autouse=True)
def _prepared(monkeypatch):
    """Moto as the local run prepares it; for these tests alone, since others share the process."""
    for name in ("get_records", "get_max_sequence_number"):
        monkeypatch.setattr(Shard, name, getattr(Shard, name))
    for name in ("get_shard_for_key", "split_shard", "merge_shards"):
        monkeypatch.setattr(Stream, name, getattr(Stream, name))
    moto_kinesis.install()


@pytest.fixture
def shard():
    """A shard of 25 records."""
    shard = Shard(0, 0, 10)
    for number in range(25):
        assert shard.put_record("key", str(number), "") == str(number + 1)
    return shard


@pytest.fixture
def stream():
    """A stream of one shard that covers all hash keys, with a record at either end."""
    stream = Stream("updates", 1, None, None, "123456789012", "us-east-1")  # type: ignore[abstract] # moto makes it so, too
    for place in (0, 2**128 - 1):
        assert put(stream, place) == FIRST
    return stream


def put(stream, place):
    """Put a record at a hash key; gives the shard it went to."""
    return stream.put_record("key", str(place), str(place))[1]


def contents(stream, shard_id):
    """What a shard holds."""
    return [record.data for record in stream.shards[shard_id].records.values()]


def test_a_shard_is_read_on_from_where_the_last_read_ended(shard):
    """Every record once, in order, in pages of at most the limit."""
    read, last = [], "0"
    while page := shard.get_records(last, 10)[0]:
        assert len(page) <= 10
        read += [record.data for record in page]
        last = str(page[-1].sequence_number)
    assert read == [str(number) for number in range(25)]


def test_an_answer_holds_ten_megabytes_and_always_a_record():
    """The API's bound, of data and keys; a record alone is never larger, and what is left comes with the next read."""
    shard = Shard(0, 0, 10)
    for _ in range(12):
        shard.put_record("key", base64.b64encode(b"x" * 1_000_000).decode(), "")
    first, last, behind = shard.get_records("0", 10_000)
    assert (len(first), last) == (10, 10)
    assert behind > 0
    rest, _, behind = shard.get_records(str(last), 10_000)
    assert (len(rest), behind) == (2, 0)


def test_whoever_has_not_read_all_is_behind(shard):
    """Be it by less than a millisecond: who is not behind takes the shard for read."""
    for record in shard.records.values():
        record.created_at = 1_700_000_000.0
    assert shard.get_records("0", 24)[2] == 1
    assert shard.get_records("0", 25)[2] == 0


def test_reading_at_the_tip_gives_nothing_and_stays_there(shard):
    """The position is kept, so that the next record is found."""
    assert shard.get_records("25", 10) == ([], 25, 0)
    shard.put_record("key", "late", "")
    assert [record.data for record in shard.get_records("25", 10)[0]] == ["late"]


def test_an_empty_shard_has_nothing_to_read():
    """A stream is read before anything is put into it."""
    assert Shard(0, 0, 10).get_records("0", 10) == ([], 0, 0)


def test_a_split_shard_keeps_its_records_and_takes_no_more(stream):
    """What was put before the split stays in the parent; what comes after it goes to the child of its range."""
    stream.split_shard(FIRST, str(MIDDLE))
    assert [put(stream, place) for place in (0, MIDDLE - 1, MIDDLE, 2**128 - 1)] == [SECOND, SECOND, THIRD, THIRD]
    assert contents(stream, FIRST) == ["0", str(2**128 - 1)]
    assert not stream.shards[FIRST].is_open
    assert [stream.shards[child].to_json()["ParentShardId"] for child in (SECOND, THIRD)] == [FIRST, FIRST]


def test_merged_shards_keep_their_records_and_take_no_more(stream):
    """The same, with two parents and one child."""
    stream.split_shard(FIRST, str(MIDDLE))
    put(stream, 0)
    stream.merge_shards(SECOND, THIRD)
    assert put(stream, MIDDLE) == FOURTH
    assert (contents(stream, SECOND), contents(stream, THIRD), contents(stream, FOURTH)) == (["0"], [], [str(MIDDLE)])
    described = stream.shards[FOURTH].to_json()
    assert (described["ParentShardId"], described["AdjacentParentShardId"]) == (SECOND, THIRD)


def test_a_refused_split_leaves_the_shard_as_it_was(stream):
    """A hash key outside of the range: the records are still there, and the shard still takes some."""
    with pytest.raises(Exception, match="NewStartingHashKey"):
        stream.split_shard(FIRST, "0")
    assert put(stream, 5) == FIRST
    assert len(contents(stream, FIRST)) == 3


def test_without_an_explicit_hash_key_the_partition_key_s_md5_decides(stream):
    """As Kinesis says (API reference, PutRecord)."""
    stream.split_shard(FIRST, str(MIDDLE))
    for key in ("78121E", "040172", "A00001"):
        upper = int(md5(key.encode()).hexdigest(), 16) >= MIDDLE
        assert stream.put_record(key, None, "data")[1] == (THIRD if upper else SECOND)
