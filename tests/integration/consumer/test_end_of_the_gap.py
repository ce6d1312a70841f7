"""A recovery that learns little of where the stream stands: what was ingested meanwhile is fetched all the same."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.integration.consumer.conftest import message, target, token
from tests.support.scripted_stream import ScriptedStream


def recovered(consume, clock, live, fetched, delay):
    """The server of a run whose token is refused: what its live stream says is given, the gap holds one update."""

    def batch(exchange):
        exchange.begin()
        exchange.send(message(fetched) + b"\n")
        exchange.end()

    def again(exchange):
        exchange.begin()
        clock.advance(seconds=31)
        exchange.send(token("t2") + token("t3"))
        exchange.stay()

    with ScriptedStream(*[lambda exchange: exchange.refuse(400)] * 3, live, batch, again) as server:
        consume(server.url, run_seconds=30, delay=delay).wait()
    return server


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
    server = recovered(consume, clock, live, fetched, delay)
    asked = server.requests[4].parameters
    assert datetime.fromisoformat(asked["end"]) > servers_time - timedelta(milliseconds=1)
    assert state.numbers == [1]


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

    server = recovered(consume, clock, live, target(1, there), delay)
    begun, ended = (datetime.fromisoformat(server.requests[4].parameters[name]) for name in ("start", "end"))
    assert begun < there < ended < there + timedelta(minutes=2)
    assert "position_token" in server.requests[5].parameters
