"""Periodic reading: visits that each fetch what there is since the last token, with nothing lost or doubled between."""

from __future__ import annotations

from datetime import timedelta

import pytest

from consumer.ingestion.handover import Handover
from consumer.ingestion.summary import StopReason
from consumer.timing import Timing
from tests.integration.consumer.conftest import every, message, target, token
from tests.support.scripted_stream import ScriptedStream

VISITS = 3
BETWEEN = timedelta(minutes=15)


def hours_of(begun):
    """An update every 20 s, and while a visit is there, for some seconds, ten a second."""
    seconds = [20.0 * number for number in range(int(VISITS * BETWEEN.total_seconds() / 20))]
    for visit in range(1, VISITS + 1):
        seconds += [visit * BETWEEN.total_seconds() + 0.1 * number for number in range(1, 80)]
    times = [begun + timedelta(seconds=one) for one in sorted(seconds)]
    return [(at, message(target(number, at))) for number, at in enumerate(times)]


@pytest.mark.parametrize(
    ("envelopes", "same_process"), [(False, True), (True, False)], ids=["single-warm", "envelope-cold"]
)
def test_visits_follow_each_other_without_loss_or_duplicate(  # noqa: PLR0913, PLR0917 -- its fixtures
    consume, simulator, state, clock, same_process, envelopes
):
    """Each run ends by itself at a token, caught up; a quarter of an hour later the next one goes on there."""
    begun = clock.now()
    server = simulator(hours_of(begun), jumps=True, token_lines=10)
    handover = Handover() if same_process else None
    for visit in range(1, VISITS + 1):
        clock.advance(seconds=(begun + visit * BETWEEN - clock.now()).total_seconds())
        began = clock.now()
        run = consume(
            server.url, owner=f"visit-{visit}", stop_when_caught_up=True, handover=handover, envelopes=envelopes
        )
        summary = run.wait()
        assert summary.stopped is StopReason.CAUGHT_UP
        assert summary.as_json()["graceful"]
        assert state.numbers == list(range(len(state.numbers)))
        assert len(state.numbers) >= server.feed.position_at(began.timestamp())
        assert summary.source_lag_seconds < 60
        assert state.checkpoint["lease"] is None


def test_a_visit_to_a_silent_stream_ends(consume, state):
    """Where no update passes the filter, tokens alone end the visit, and the newest of them is committed."""

    def tokens(exchange):
        exchange.begin()
        number = 0
        while not exchange._stopping.wait(0.02):
            exchange.send(token(f"t{number}"))
            number += 1

    with ScriptedStream(tokens) as server:
        summary = consume(server.url, stop_when_caught_up=True, timing=Timing(quiet=0.1)).wait()
    assert (summary.stopped, summary.updates) == (StopReason.CAUGHT_UP, 0)
    assert int(state.checkpoint["position_token"].removeprefix("t")) >= 3


def test_a_visit_goes_on_through_a_disconnect(consume, state, clock):
    """What is broken off before it has caught up is read to its end."""
    old = [message(target(number, clock.now() - timedelta(minutes=10))) + b"\n" for number in range(6)]

    def broken(exchange):
        exchange.begin()
        exchange.send(b"".join(old[:3]) + token("t1"))
        exchange.end()

    def rest(exchange):
        exchange.begin()
        new = message(target(6, clock.now())) + b"\n"
        exchange.send(b"".join(old[3:]) + token("t2") + new + token("t3"))
        exchange.stay()

    with ScriptedStream(broken, rest) as server:
        summary = consume(server.url, stop_when_caught_up=True).wait()
    assert [request.parameters["position_token"] for request in server.requests] == ["BEGINNING", "t1"]
    assert summary.stopped is StopReason.CAUGHT_UP
    assert state.numbers == list(range(7))
    assert state.checkpoint["position_token"] == "t3"


@pytest.mark.parametrize("ahead", [timedelta(seconds=5), timedelta(hours=20)], ids=["5 s", "20 h"])
def test_one_wrong_clock_does_not_end_a_visit(consume, state, clock, ahead):
    """A time ahead of ours, alone in its interval, says nothing of the stream, which is far behind."""

    def hours_ago(exchange):
        exchange.begin()
        old = [message(target(number, clock.now() - timedelta(hours=2))) + b"\n" for number in range(2)]
        exchange.send(old[0] + token("t1") + message(target(2, clock.now() + ahead)) + b"\n" + token("t2"))
        exchange.send(old[1] + token("t3") + message(target(3, clock.now())) + b"\n" + token("t4"))
        exchange.stay()

    with ScriptedStream(hours_ago) as server:
        summary = consume(server.url, stop_when_caught_up=True).wait()
    assert (summary.stopped, state.checkpoint["position_token"]) == (StopReason.CAUGHT_UP, "t4")
    assert state.numbers == list(range(4))


def test_a_run_that_reads_all_the_time_is_not_ended(consume, simulator, state, clock):
    """Without the parameter being caught up is the usual state, and no reason to stop."""
    server = simulator(every(0.005, 200, clock.now()))
    assert consume(server.url).stop_after(200).stopped is StopReason.REQUESTED
    assert state.numbers == list(range(200))
