"""Calls to Kinesis: a few at a time, each with its answer or what it raised."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from consumer.publish.calls import CALLS_IN_FLIGHT, Calls


class Kinesis:
    """Answers once it may; `fails` is raised instead."""

    def __init__(self) -> None:
        self.may_answer = threading.Event()
        self.fails: BaseException | None = None

    def send(self, batch: Any) -> list[str | None]:
        assert self.may_answer.wait(20)
        if self.fails is not None:
            raise self.fails
        return [None for _ in batch]

    def close(self) -> None:
        """Nothing was left out of a log."""


@pytest.fixture
def kinesis():
    """Kinesis, as far as calls see it."""
    return Kinesis()


@pytest.fixture
def answered():
    """Released once for each answer that is there."""
    return threading.Semaphore(0)


@pytest.fixture
def calls(kinesis, answered):
    """The calls of one publisher."""
    calls = Calls(kinesis, answered.release)
    yield calls
    kinesis.may_answer.set()
    calls.close()


def taken(calls, answered, count):
    """So many answers, as they come."""
    for _ in range(count):
        assert answered.acquire(timeout=20)
    return list(calls.answers())


def test_no_more_calls_are_under_way_than_may_be(calls, kinesis, answered):
    """Until an answer is taken: what is answered and not looked at is in flight to whoever keeps the order."""
    batches: list[Any] = [[number] for number in range(CALLS_IN_FLIGHT)]
    for batch in batches:
        assert calls.may_send_more
        calls.send(batch)
    assert not calls.may_send_more
    kinesis.may_answer.set()
    answers = taken(calls, answered, CALLS_IN_FLIGHT)
    assert sorted(batch for batch, _ in answers) == batches
    assert calls.may_send_more
    assert calls.in_flight == 0


def test_a_batch_is_unsettled_until_somebody_says_what_became_of_it(calls, kinesis, answered):
    """An answer alone does not: some of its records may have to be sent again."""
    batch: Any = [1, 2]
    calls.send(batch)
    kinesis.may_answer.set()
    taken(calls, answered, 1)
    assert calls.unsettled == [batch]
    calls.settled(batch)
    assert calls.unsettled == []


@pytest.mark.parametrize("error", [ValueError("odd"), SystemExit()])
def test_what_a_call_raises_is_its_answer(calls, kinesis, answered, error):
    """Whatever it is: it must not be lost on a thread nobody waits for."""
    kinesis.fails = error
    kinesis.may_answer.set()
    calls.send([1])
    assert taken(calls, answered, 1) == [([1], error)]
