"""A recovery that is told little of where the stream stands: what was ingested meanwhile is fetched all the same."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.integration.consumer.conftest import message, target, token
from tests.support.scripted_stream import ScriptedStream


@pytest.mark.parametrize("sent", ["nothing", "an old update"])
def test_the_gap_ends_at_the_servers_time(consume, state, clock, sent):
    """The gap must reach up to the server's time, not only to a slow clock's, nor to what was sent late or again."""
    now = clock.now()
    servers_time = now + timedelta(seconds=20)
    state.put_checkpoint(position_token="old", token_received_at=now.isoformat(), newest_ingestion_time=now.isoformat())

    def live(exchange):
        exchange.begin()
        exchange.send(b'{"status":{"timestamp":"%b","code":100}}\n' % servers_time.isoformat().encode())
        if sent == "an old update":
            exchange.send(message(target(0, now - timedelta(minutes=2))) + b"\n")
        exchange.send(token("t1"))
        exchange.stay()

    def batch(exchange):
        exchange.begin()
        exchange.send(message(target(1, servers_time - timedelta(seconds=5))) + b"\n")
        exchange.end()

    def again(exchange):
        exchange.begin()
        clock.advance(seconds=31)
        exchange.send(token("t2") + token("t3"))
        exchange.stay()

    with ScriptedStream(*[lambda exchange: exchange.refuse(400)] * 3, live, batch, again) as server:
        consume(server.url, run_seconds=30).wait()
    asked = server.requests[4].parameters
    assert datetime.fromisoformat(asked["end"]) > servers_time - timedelta(milliseconds=1)
    assert state.numbers == [1]
