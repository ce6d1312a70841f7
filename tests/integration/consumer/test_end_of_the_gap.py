"""A recovery that learns little of where the stream stands: what was ingested meanwhile is fetched all the same."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest

from tests.integration.consumer.conftest import message, target, token
from tests.support.scripted_stream import ScriptedStream


def recovered(consume, clock, live, fetched, delay):
    """What a run asks for whose token is refused: first the parts of the gap, which hold one update, then the stream.

    What its live stream says before is given.
    """

    def asked(exchange):
        exchange.begin()
        if "start" in exchange.request.parameters:
            exchange.send(message(fetched) + b"\n")
            exchange.end()
            return
        clock.advance(seconds=31)
        exchange.send(token("t2") + token("t3"))
        exchange.stay()

    with ScriptedStream(*[lambda exchange: exchange.refuse(400)] * 3, live, asked) as server:
        consume(server.url, run_seconds=30, delay=delay).wait()
    return [request.parameters for request in server.requests[4:]]


@pytest.mark.parametrize("hours_late", [0, 4], ids=["of-now", "recent-history"])
@pytest.mark.parametrize("sent", ["nothing", "an old update"])
def test_the_gap_ends_at_the_servers_time(consume, state, clock, sent, hours_late):
    """The gap must reach up to the server's time, not only to a slow clock's, nor to what was sent late or again."""
    delay = timedelta(hours=hours_late)
    now = clock.now() - delay
    servers_time = now + timedelta(seconds=20)
    state.put_checkpoint(
        position_token="old", token_received_at=clock.now().isoformat(), newest_ingestion_time=now.isoformat()
    )

    def live(exchange):
        exchange.begin()
        exchange.send(b'{"status":{"timestamp":"%b","code":100}}\n' % servers_time.isoformat().encode())
        if sent == "an old update":
            exchange.send(message(target(0, now - timedelta(minutes=2))) + b"\n")
        exchange.send(token("t1"))
        exchange.stay()

    fetched = target(1, servers_time - timedelta(seconds=5))
    *gap, _live = recovered(consume, clock, live, fetched, delay)
    assert datetime.fromisoformat(gap[-1]["end"]) > servers_time - timedelta(milliseconds=1)
    assert state.numbers == [1]


def test_what_no_slice_holds_is_kept_from_the_live_stream(consume, state, clock):
    """A server that goes by an update's own time has one that is ahead, or has none, in no answer of batch mode."""
    now = clock.now()
    state.put_checkpoint(position_token="old", token_received_at=now.isoformat(), newest_ingestion_time=now.isoformat())
    without = json.loads(target(2, now))
    del without["ingestion_time"]

    def live(exchange):
        exchange.begin()
        updates = [target(0, now), target(1, now + timedelta(hours=2)), json.dumps(without).encode()]
        exchange.send(b"".join(message(data) + b"\n" for data in updates) + token("t1"))
        exchange.stay()

    recovered(consume, clock, live, target(0, now), timedelta())
    assert state.numbers == [0, 1, 2]
    assert state.checkpoint["gap"] is None


@pytest.mark.parametrize("sent", ["nothing", "an update"])
def test_a_late_streams_gap_does_not_reach_up_to_now(consume, state, clock, sent):
    """The server's messages may be of now: what lies between is the live stream's, and would come twice."""
    delay = timedelta(hours=4)
    there = clock.now() - delay
    state.put_checkpoint(
        position_token="old", token_received_at=clock.now().isoformat(), newest_ingestion_time=there.isoformat()
    )

    def live(exchange):
        exchange.begin()
        exchange.send(b'{"status":{"timestamp":"%b","code":100}}\n' % clock.now().isoformat().encode())
        if sent == "an update":
            exchange.send(message(target(0, there + timedelta(seconds=1))) + b"\n")
        exchange.send(token("t1"))
        exchange.stay()

    *gap, live_again = recovered(consume, clock, live, target(1, there), delay)
    begun, ended = (datetime.fromisoformat(time) for time in (gap[0]["start"], gap[-1]["end"]))
    assert begun < there < ended < there + timedelta(minutes=2)
    assert "position_token" in live_again
