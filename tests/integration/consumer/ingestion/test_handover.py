"""Runs of one process that end between two tokens: the next sends what Kinesis lacks, and only that."""

from __future__ import annotations

import pytest

from consumer.errors import CheckpointError, UnauthorizedError
from consumer.ingestion.handover import Handover
from local.simulator.tokens import Position
from tests.integration.consumer.conftest import FailingWrites, every, message, target, token
from tests.support.conditions import wait_until
from tests.support.faulty_aws import PartlyFailingKinesis, client_error
from tests.support.scripted_stream import ScriptedStream


def lines(clock, numbers):
    """Return one part of a body: the updates of these numbers, a line each."""
    return b"".join(message(target(number, clock.start)) + b"\n" for number in numbers)


@pytest.fixture
def moment(clock):
    """The clock, with the time at which the test began: the same update must have the same bytes each time."""
    clock.start = clock.now()
    return clock


def refused(exchange):
    """Answer that the API token is not valid, which ends a run between two tokens."""
    exchange.refuse(401)


@pytest.fixture
def end_the_short_run(state, moment):
    """A function for a server: once Kinesis has so many updates, time passes, and the next token ends the run."""

    def end(exchange, count):
        wait_until(lambda: len(set(state.numbers)) >= count)
        moment.advance(seconds=31)
        exchange.send(token("the last"))

    return end


def test_what_kinesis_has_is_not_sent_again_after_a_refusal(consume, state, moment, end_the_short_run):
    """A run that ends by a 401 between two tokens must leave no update doubled once the token is valid again."""
    handover = Handover()

    def first(exchange):
        exchange.begin()
        exchange.send(lines(moment, range(3)) + token("t1") + lines(moment, range(3, 9)))
        wait_until(lambda: len(state.numbers) == 9)

    def again(exchange):
        exchange.begin()
        exchange.send(lines(moment, range(3, 12)) + token("t2"))
        end_the_short_run(exchange, 12)

    with ScriptedStream(first, refused, again) as server:
        with pytest.raises(UnauthorizedError):
            consume(server.url, handover=handover).wait()
        assert state.checkpoint["position_token"] == "t1"
        summary = consume(server.url, owner="run-2", handover=handover, run_seconds=30).wait()
    assert server.requests[2].parameters["position_token"] == "t1"
    assert state.numbers == list(range(12))
    assert summary.duplicates_dropped == 6


def test_what_kinesis_lacks_is_sent_by_the_next_run(consume, state, moment, end_the_short_run):
    """A run that ends while Kinesis refuses some records must have its successor send just these."""
    handover = Handover()
    kinesis = PartlyFailingKinesis(state.kinesis, fails=lambda _call, _index, entry: b'"number":5' in entry["Data"])

    def first(exchange):
        exchange.begin()
        exchange.send(lines(moment, range(8)))
        wait_until(lambda: len(state.numbers) == 7)

    def again(exchange):
        exchange.begin()
        exchange.send(lines(moment, range(8)) + token("t1"))
        end_the_short_run(exchange, 8)

    with ScriptedStream(first, refused, again) as server:
        with pytest.raises(UnauthorizedError):
            consume(server.url, handover=handover, kinesis=kinesis, seconds=5).wait()
        assert 5 not in state.numbers
        consume(server.url, owner="run-2", handover=handover, run_seconds=30).wait()
    assert state.numbers == list(range(8))


def test_a_checkpoint_that_fails_doubles_nothing(consume, state, moment, end_the_short_run):
    """A run that ends since S3 takes no checkpoint must leave no update doubled when S3 is well again."""
    handover = Handover()

    failing = FailingWrites(state.s3, client_error("InternalError", 500, "PutObject"))

    def first(exchange):
        exchange.begin()
        exchange.send(lines(moment, range(5)))
        wait_until(lambda: len(state.numbers) == 5)
        exchange.send(token("t1"))
        exchange.stay()

    def again(exchange):
        exchange.begin()
        exchange.send(lines(moment, range(7)) + token("t1"))
        end_the_short_run(exchange, 7)

    with ScriptedStream(first, again) as server:
        with pytest.raises(CheckpointError):
            consume(server.url, handover=handover, s3=failing).wait()
        moment.advance(seconds=60)  # the lease of the failed run has run out
        consume(server.url, owner="run-2", handover=handover, run_seconds=30).wait()
    assert state.numbers == list(range(7))


def test_a_run_of_a_few_seconds_recovers_too(consume, simulator, state, clock):
    """A recovery must get on in runs shorter than a slice is first calculated to take."""
    begun_at = clock.now()
    server = simulator(every(0.01, 40, begun_at))
    wait_until(lambda: server.feed.count == 40)
    gap = {"start": begun_at.isoformat(), "end": clock.now().isoformat()}
    state.put_checkpoint(
        position_token=server._sealer.issue(Position(server.feed.count, server.feed.now())),
        token_received_at=clock.now().isoformat(),
        gap=gap,
    )
    summary = consume(server.url, seconds=6).wait()
    assert summary.recovered_gap is not None
    assert state.numbers == list(range(40))
