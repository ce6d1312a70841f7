"""Recent History, the stream that is four hours late by design: its lag is none, and an outage is made up for."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest

from consumer.ingestion.summary import StopReason
from tests.integration.consumer.conftest import DATA_BUCKET, every, message, target
from tests.support.conditions import wait_until

DELAY = timedelta(hours=4)


def test_what_is_late_by_design_is_no_lag(consume, simulator, state, clock, capsys):
    """Summary, metric and what the status says are of how far behind that stream the consumer is."""
    server = simulator(every(0.005, 200, clock.now() - DELAY), delay=DELAY)
    run = consume(server.url, delay=DELAY, tells=0.02)
    bodies = []

    def status_has_lag():
        bodies[:] = [body for body in _statuses(state) if "source_lag_seconds" in body]
        return bodies

    wait_until(status_has_lag)
    summary = run.stop_after(200)
    assert state.numbers == list(range(200))
    assert 0 <= summary.source_lag_seconds < 60
    assert 0 <= bodies[0]["source_lag_seconds"] < 60
    written = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"SourceLag"' in line]
    lags = [lag for one in written for lag in one["SourceLag"]]
    assert lags
    assert all(0 <= lag < 60 for lag in lags)


def _statuses(state):
    found = state.s3.list_objects_v2(Bucket=DATA_BUCKET, Prefix="live/status.json").get("Contents", [])
    return [_json(state, one["Key"]) for one in found]


def _json(state, key):
    return json.loads(state.s3.get_object(Bucket=DATA_BUCKET, Key=key)["Body"].read())


@pytest.mark.parametrize("quiet", [False, True], ids=["updates-before", "nothing-before"])
def test_an_outage_of_seven_hours_is_made_up_for(consume, simulator, state, clock, quiet):
    """What was missed of the late stream is fetched up to where it stands, four hours ago, and nothing comes twice."""
    start = clock.now() - DELAY
    before = [] if quiet else [at for at, _ in every(0.005, 20, start)]
    meanwhile = [start + timedelta(minutes=10 * number) for number in range(1, 7 * 6)]
    later = [start + timedelta(hours=7, milliseconds=100 * number) for number in range(10)]
    times = before + meanwhile + later
    server = simulator([(at, message(target(number, at))) for number, at in enumerate(times)], jumps=True, delay=DELAY)
    first = consume(server.url, owner="before", delay=DELAY)
    wait_until(lambda: first.committed is not None and first.kinesis.acknowledged >= len(before))
    first.stop()
    clock.advance(hours=7)
    summary = consume(server.url, owner="after", delay=DELAY).stop_after(len(times) - len(before))
    assert state.numbers == list(range(len(times)))
    assert summary.stopped is StopReason.REQUESTED
    assert summary.recovered_gap is not None
    assert summary.unrecoverable_gap is None
    assert summary.recovered_gap.end < clock.now() - DELAY + timedelta(minutes=2)
    assert datetime.fromisoformat(state.checkpoint["token_received_at"]) > clock.now() - timedelta(minutes=1)


def test_a_visit_to_it_ends_when_it_has_what_there_was(consume, simulator, state, clock):
    """Read periodically, too, it is compared with its own time."""
    begun = clock.now() - DELAY
    seconds = [*range(0, 600, 10), *(600 + number / 10 for number in range(1, 80))]
    updates = [begun + timedelta(seconds=one) for one in seconds]
    server = simulator(
        [(at, message(target(number, at))) for number, at in enumerate(updates)],
        jumps=True,
        delay=DELAY,
        token_lines=10,
    )
    clock.advance(minutes=10)
    summary = consume(server.url, stop_when_caught_up=True, delay=DELAY).wait()
    assert summary.stopped is StopReason.CAUGHT_UP
    assert state.numbers == list(range(len(state.numbers)))
    assert len(state.numbers) >= 60
