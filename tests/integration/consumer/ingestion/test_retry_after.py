"""Retry-After: a server that names a time is not asked before it, by this run or by those that follow."""

from __future__ import annotations

from datetime import timedelta
from email.utils import format_datetime

import pytest

from consumer.ingestion.handover import Handover
from consumer.ingestion.summary import StopReason
from consumer.timing import LONGEST_RETRY_SECONDS, Timing
from tests.integration.consumer.conftest import message, target, token
from tests.support.conditions import wait_until
from tests.support.scripted_stream import ScriptedStream

OFTEN_RENEWED = Timing(renewal=0.1)
"""The test's clock jumps over the lease; renewals are by the real one."""


@pytest.fixture
def sends(clock):
    """Makes a script that sends updates of these numbers and a token, then updates without one, and stays or ends."""
    at = clock.now()

    def script(numbers, then=(), *, name="t1", stays=False):
        def play(exchange):
            exchange.begin()
            lines = {each: message(target(each, at)) + b"\n" for each in (*numbers, *then)}
            exchange.send(b"".join(lines[each] for each in numbers) + token(name))
            exchange.send(b"".join(lines[each] for each in then))
            if stays:
                exchange.stay()

        return play

    return script


def refuses(header, status=503):
    """A script that answers 503 or 429 with this Retry-After."""
    return lambda exchange: exchange.refuse(status, Retry_After=header)


@pytest.mark.parametrize("answer", ["429: 1800", "503: 1800.5", "503: a date"])
def test_a_wait_beyond_the_end_of_the_run_is_kept_to_by_the_next(consume, state, clock, sends, answer):
    """The run ends at once, in order; another process's run asks nobody; one after that time reads on."""
    status, header = answer.split(": ")
    header = format_datetime(clock.now() + timedelta(minutes=30), usegmt=True) if header == "a date" else header
    scripts = sends(range(3)), refuses(header, int(status)), sends(range(3, 6), name="t2", stays=True)
    with ScriptedStream(*scripts) as server:
        summary = consume(server.url).wait()
        assert (summary.stopped, summary.updates, len(server.requests)) == (StopReason.RETRY_LATER, 3, 2)
        assert state.checkpoint["lease"] is None
        for number in range(2):
            clock.advance(minutes=9)
            summary = consume(server.url, owner=f"early-{number}", seconds=500.0).wait()
            assert (summary.stopped, summary.as_json()["graceful"]) == (StopReason.RETRY_LATER, True)
        assert len(server.requests) == 2
        assert sum(clock.slept) < 60, "waiting would be paid for in vain"
        clock.advance(minutes=12, seconds=1)
        consume(server.url, owner="late").stop_after(3)
        assert server.requests[2].parameters["position_token"] == "t1"
    assert state.numbers == list(range(6))
    assert state.checkpoint["retry_at"] is None


def test_the_next_run_waits_for_the_rest_of_it(consume, state, clock, sends):
    """A run that is asked to stop while it waits leaves the rest to the next, which has the time."""
    runs = []

    def refuse_and_stop(exchange):
        runs[0].stop_request.by_signal = True
        refuses("500")(exchange)

    with ScriptedStream(refuse_and_stop, sends(range(3), stays=True)) as server:
        runs.append(consume(server.url))
        assert runs[0].wait().stopped is StopReason.REQUESTED
        assert sum(clock.slept) < 60
        consume(server.url, owner="run-2", timing=OFTEN_RENEWED).stop_after(3)
    assert sum(clock.slept) > 400
    assert state.numbers == [0, 1, 2]


def test_a_run_that_asks_nobody_keeps_what_the_process_knows(consume, state, sends):
    """What Kinesis has past the committed token does not come twice after a run that only saw that it is too early."""
    handover = Handover()
    scripts = sends(range(3), range(3, 6)), refuses("700"), sends(range(3, 6), name="t2", stays=True)
    with ScriptedStream(*scripts) as server:
        first = consume(server.url, handover=handover).wait()
        second = consume(server.url, owner="run-2", seconds=60.0, handover=handover).wait()
        third = consume(server.url, owner="run-3", seconds=900.0, handover=handover, timing=OFTEN_RENEWED)
        wait_until(lambda: third.committed is not None and third.committed.position_token == "t2")
        assert third.stop().duplicates_dropped == 3
    assert (first.stopped, second.stopped) == (StopReason.DEADLINE, StopReason.RETRY_LATER)
    assert state.numbers == list(range(6))


@pytest.mark.parametrize("header", ["Fri, 31 Dec 9999 23:59:59 GMT", "9" * 21, "9" * 400])
def test_a_server_that_errs_is_asked_after_an_hour(consume, state, clock, sends, header):
    """A date in the year 9999, or more seconds than that, does not keep the stream away for so long."""
    with ScriptedStream(refuses(header), sends(range(3), stays=True)) as server:
        assert consume(server.url).wait().stopped is StopReason.RETRY_LATER
        clock.advance(seconds=LONGEST_RETRY_SECONDS + 1)
        consume(server.url, owner="run-2").stop_after(3)
    assert state.numbers == [0, 1, 2]


@pytest.mark.parametrize("retry_at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "+2h", "-1s"])
def test_a_time_that_no_run_wrote_or_that_has_passed_is_no_wait(consume, state, clock, sends, retry_at):
    """A wrong clock wrote it, or a hand: the server is asked at once."""
    relative = {"+2h": timedelta(hours=2), "-1s": timedelta(seconds=-1)}
    if retry_at in relative:
        retry_at = (clock.now() + relative[retry_at]).isoformat()
    state.put_checkpoint(retry_at=retry_at)
    with ScriptedStream(sends(range(3), stays=True)) as server:
        consume(server.url).stop_after(3)
    assert sum(clock.slept) < 60
    assert (state.numbers, state.checkpoint["retry_at"]) == ([0, 1, 2], None)
