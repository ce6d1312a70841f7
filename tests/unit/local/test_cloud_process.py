"""What is put around moto so that it can carry a whole stream."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from moto.awslambda.models import LambdaBackend
from moto.kinesis.models import Shard

from local.cloud_process import OneAtATime, prepare_moto


def test_requests_go_into_moto_one_at_a_time():
    """While one is inside, another waits at the door, also while the answer is being made."""
    inside, most = 0, 0
    somebody_else = threading.Event()

    def answer():
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        somebody_else.wait(0.05)  # without the lock, all others would come in meanwhile
        inside -= 1
        yield b"done"

    application = OneAtATime(lambda _environ, _start_response: answer())
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: application({}, None), range(4))) == [[b"done"]] * 4
    assert most == 1


@pytest.fixture
def prepared_moto(monkeypatch):
    """Moto as the local run prepares it; for this test alone, since others share the process."""
    for owner, name in (
        (Shard, "get_records"),
        (Shard, "get_max_sequence_number"),
        (LambdaBackend, "send_kinesis_message"),
    ):
        monkeypatch.setattr(owner, name, getattr(owner, name))
    prepare_moto()


@pytest.fixture
def shard(prepared_moto):  # noqa: ARG001 -- it prepares
    """A shard of 25 records."""
    shard = Shard(0, 0, 10)
    for number in range(25):
        assert shard.put_record("key", str(number), "") == str(number + 1)
    return shard


def test_a_shard_is_read_on_from_where_the_last_read_ended(shard):
    """Every record once, in order, in pages of at most the limit."""
    read, last = [], "0"
    while page := shard.get_records(last, 10)[0]:
        assert len(page) <= 10
        read += [record.data for record in page]
        last = str(page[-1].sequence_number)
    assert read == [str(number) for number in range(25)]


def test_reading_at_the_tip_gives_nothing_and_stays_there(shard):
    """The position is kept, so that the next record is found."""
    assert shard.get_records("25", 10) == ([], 25, 0)
    shard.put_record("key", "late", "")
    assert [record.data for record in shard.get_records("25", 10)[0]] == ["late"]


@pytest.mark.usefixtures("prepared_moto")
def test_an_empty_shard_has_nothing_to_read():
    """A stream is read before anything is put into it."""
    assert Shard(0, 0, 10).get_records("0", 10) == ([], 0, 0)
