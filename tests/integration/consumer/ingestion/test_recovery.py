"""Recovery of a long outage, whole runs against the simulator: what can be fetched is, and the rest is reported."""

from __future__ import annotations

import json
import threading
from datetime import datetime, timedelta

import pytest

from common.clock import rfc3339
from consumer.errors import RequestRefusedError, UnauthorizedError
from consumer.ingestion import recovery_plan
from consumer.ingestion.stop_request import StopRequest
from consumer.ingestion.summary import StopReason
from local.simulator.body import ChunkedBody
from tests.integration.consumer.conftest import BUCKET, answering, every, message, quiet, target, token
from tests.support.conditions import wait_until
from tests.support.faulty_aws import PartlyFailingKinesis
from tests.support.scripted_stream import Exchange, ScriptedStream

BEFORE = 20


@pytest.fixture
def outage(clock):
    """A function that gives a feed's updates: some at once, one every ten minutes for so many hours, some after it."""

    def make(hours):
        start = clock.now()
        meanwhile = [start + timedelta(minutes=10 * number) for number in range(1, hours * 6)]
        later = [start + timedelta(hours=hours, milliseconds=100 * number) for number in range(10)]
        times = [at for at, _ in every(0.005, BEFORE, start)] + meanwhile + later
        return [(at, message(target(number, at))) for number, at in enumerate(times)]

    return make


def stop_before_the_outage(consume, server):
    """Run until the updates before the outage are committed."""
    assert consume(server.url, owner="before").stop_after(BEFORE).published == BEFORE


def printed_metrics(capsys):
    """Return the metrics written since the last look: name to values."""
    found = {}
    for line in capsys.readouterr().out.splitlines():
        entry = json.loads(line)
        for described in entry.get("_aws", {}).get("CloudWatchMetrics", ()):
            for metric in described["Metrics"]:
                found.setdefault(metric["Name"], []).extend(entry[metric["Name"]])
    return found


@pytest.mark.parametrize("compression", ["gzip", "none"])
def test_an_outage_of_seven_hours_is_made_up_for(consume, simulator, state, clock, outage, capsys, compression):  # noqa: PLR0913, PLR0917 -- its fixtures
    """After seven hours everything missed must be fetched in batch mode and the stream taken up: no loss, no double."""
    updates = outage(7)
    server = simulator(updates, jumps=True)
    stop_before_the_outage(consume, server)
    clock.advance(hours=7)
    summary = consume(server.url, owner="after", compression=compression).stop_after(len(updates) - BEFORE)
    assert state.numbers == list(range(len(updates)))
    assert summary.stopped is StopReason.REQUESTED
    assert summary.recovered_gap is not None
    assert summary.unrecoverable_gap is None
    assert "UnrecoverableGapSeconds" not in printed_metrics(capsys)
    checkpoint = state.checkpoint
    assert checkpoint["gap"] is None
    assert clock.now() - datetime.fromisoformat(checkpoint["token_received_at"]) < timedelta(minutes=1)


def test_after_a_recovery_the_next_run_goes_on_as_usual(consume, simulator, state, clock, outage):
    """Once a gap is closed the next run must go on from the token, without batch mode."""
    updates = outage(7)
    server = simulator(updates, jumps=True)
    stop_before_the_outage(consume, server)
    clock.advance(hours=6, minutes=59)
    recovering = consume(server.url, owner="after")
    wait_until(lambda: recovering.committed is not None and recovering.committed.gap is None)
    first = recovering.stop_after(len(updates) - BEFORE - 10)
    clock.advance(minutes=2)
    second = consume(server.url, owner="next").stop_after(len(updates) - BEFORE - first.published)
    assert second.recovered_gap is None
    assert state.numbers == list(range(len(updates)))


def test_what_lies_beyond_batch_mode_is_reported(consume, simulator, state, clock, outage, capsys, caplog):  # noqa: PLR0913, PLR0917 -- its fixtures
    """After thirty hours 24 of them must be fetched, and the rest reported in summary, log and metric."""
    updates = outage(30)
    server = simulator(updates, jumps=True)
    stop_before_the_outage(consume, server)
    clock.advance(hours=30)
    oldest = clock.now() - timedelta(hours=24) + timedelta(minutes=2)
    reachable = [number for number, (at, _) in enumerate(updates) if at >= oldest]
    capsys.readouterr()
    summary = consume(server.url, owner="after").stop_after(len(reachable))
    recovered = [number for number in state.numbers if number >= BEFORE]
    assert set(reachable) <= set(recovered)
    assert len(recovered) == len(set(recovered)) <= len(reachable) + 1
    lost = summary.unrecoverable_gap
    assert lost.end - lost.start == pytest.approx(timedelta(hours=6), abs=timedelta(minutes=2))
    assert summary.as_json()["unrecoverable_gap"].keys() == {"start", "end"}
    assert lost.end == summary.recovered_gap.start
    assert [record.levelname for record in caplog.records if "beyond the reach" in record.getMessage()] == ["ERROR"]
    assert printed_metrics(capsys)["UnrecoverableGapSeconds"] == [(lost.end - lost.start).total_seconds()]


def test_a_recovery_longer_than_a_run_goes_on_in_the_next(consume, simulator, state, clock, outage, monkeypatch):  # noqa: PLR0913, PLR0917 -- its fixtures
    """A recovery that outlives its run must go on where it stopped, slice by slice, losing and doubling nothing."""
    monkeypatch.setattr(recovery_plan, "_LARGEST_SLICE", timedelta(minutes=30))
    updates, opened, stop_request = outage(7), [], StopRequest(clock)

    def body(connection, *, gzip):
        opened.append(connection)
        stop_request.by_signal = len(opened) >= slices_until_stop + 3  # after the first run, and the look at LATEST
        return ChunkedBody(connection.sendall, gzip=gzip)

    slices_until_stop = 6
    server = simulator(updates, jumps=True, body=body)
    stop_before_the_outage(consume, server)
    clock.advance(hours=7)
    summary = consume(server.url, owner="partly", stop_request=stop_request).wait()
    gap = state.checkpoint["gap"]
    assert summary.stopped is StopReason.REQUESTED
    assert 0 < summary.published < len(updates) - BEFORE
    assert datetime.fromisoformat(gap["start"]) == summary.recovered_gap.end
    rest = consume(server.url, owner="rest").stop_after(len(updates) - BEFORE - summary.published)
    assert rest.recovered_gap.start == datetime.fromisoformat(gap["start"])
    assert state.numbers == list(range(len(updates)))
    assert state.checkpoint["gap"] is None


def test_a_refused_token_is_recovered_from_though_it_is_young(consume, simulator, state, clock, outage):
    """A server that no longer knows a token, however young, must not stop the consumer: the gap is fetched."""
    updates = outage(2)
    server = simulator(updates, jumps=True, token_lifetime=1800.0)
    stop_before_the_outage(consume, server)
    clock.advance(hours=2)
    summary = consume(server.url, owner="after").stop_after(len(updates) - BEFORE)
    assert state.numbers == list(range(len(updates)))
    assert summary.recovered_gap is not None


def test_updates_of_one_moment_are_not_doubled_by_a_recovery(consume, simulator, state, clock):
    """Updates that share the newest committed ingestion time are distinguished: the known ones are left out."""
    start = clock.now()
    together = start + timedelta(milliseconds=10)
    updates = [(together, message(target(number, together))) for number in range(5)]
    updates += [(start + timedelta(hours=7, seconds=number), message(target(number, start))) for number in (5, 6)]
    server = simulator(updates, jumps=True)
    consume(server.url, owner="before").stop_after(5)
    clock.advance(hours=7, seconds=10)
    wait_until(lambda: server.feed.count == 7)  # or the last two would be sent on the live stream, before its token
    consume(server.url, owner="after").stop_after(2)
    assert state.numbers == list(range(7))


def test_a_recovery_that_is_refused_says_why(consume, simulator, state, clock, outage):
    """A server that refuses the recovery itself must fail the run with its own words, and move nothing."""
    server = simulator(outage(7), jumps=True)
    stop_before_the_outage(consume, server)
    before = state.checkpoint["position_token"]
    clock.advance(hours=7)
    refused = consume(server.url.replace("/stream", "/elsewhere"), owner="after")
    with pytest.raises(RequestRefusedError, match="no such resource"):
        refused.wait()
    assert state.checkpoint["position_token"] == before


def lines(begun_at, numbers):
    """Updates of these numbers, a second apart."""
    return b"".join(message(target(number, begun_at + timedelta(seconds=number))) + b"\n" for number in numbers)


def refusing(exchange):
    """Refuse the request: a token counts as refused after the third time."""
    exchange.refuse(400)


def test_a_gap_begins_where_reading_has_come_though_it_is_not_committed(consume, state, clock):
    """A plan made while answers are out must not take back what is committed before the plan is."""
    begun_at, open_again = clock.now() - timedelta(seconds=20), threading.Event()
    kinesis = PartlyFailingKinesis(state.kinesis, fails=lambda *_: not open_again.is_set())
    up_to_a_token = answering(lines(begun_at, range(5)) + token("t1"))
    live = answering(lines(begun_at, [9]) + token("t2"), Exchange.stay)

    def gap(exchange):
        open_again.set()
        answering(lines(begun_at, range(10)), Exchange.end)(exchange)

    with ScriptedStream(up_to_a_token, *[refusing] * 3, live, gap, quiet) as server:
        consume(server.url, kinesis=kinesis).stop_after(10)
        requests = [request.parameters for request in server.requests]
    assert requests[1]["position_token"] == "t1"
    assert requests[5]["start"] == rfc3339(begun_at + timedelta(seconds=4) - recovery_plan.LATENCY)
    assert state.numbers == list(range(10))


def test_what_was_read_behind_a_refused_token_does_not_come_twice(consume, state, clock):
    """It lies in the gap: a run in another process, which fetches that, knows of it from the checkpoint alone."""
    begun_at, stop_request = clock.now() - timedelta(seconds=20), StopRequest(clock)
    behind_the_token = answering(lines(begun_at, range(5)) + token("t1") + lines(begun_at, range(5, 8)))
    live = answering(lines(begun_at, [9]) + token("t2"), Exchange.stay)

    def unfetched(exchange):
        stop_request.by_signal = True
        exchange.stay()

    with ScriptedStream(behind_the_token, *[refusing] * 3, live, unfetched) as server:
        summary = consume(server.url, stop_request=stop_request).wait()
    assert summary.stopped is StopReason.REQUESTED
    assert state.checkpoint["gap"] is not None
    assert state.numbers == list(range(8))
    with ScriptedStream(answering(lines(begun_at, range(10)), Exchange.end), quiet) as server:
        consume(server.url, owner="another").stop_after(2)
    assert state.numbers == list(range(10))


def test_after_a_refused_token_of_the_sample_client_no_hour_is_left_out(consume, state, clock):
    """The client stopped long before its object was copied: what it missed is fetched, and the run goes on as ever.

    A first run that got nowhere makes no token of our own of it.
    """
    begun_at = clock.now() - timedelta(hours=7)
    state.s3.put_object(Bucket=BUCKET, Key="last_position_token", Body=b"legacy")
    live = answering(lines(begun_at, [4]) + token("t2"), Exchange.stay)
    with ScriptedStream(lambda exchange: exchange.refuse(401)) as server, pytest.raises(UnauthorizedError):
        consume(server.url, start="LATEST").wait()
    with ScriptedStream(*[refusing] * 3, live, answering(lines(begun_at, range(5)), Exchange.end), quiet) as server:
        consume(server.url, start="LATEST", owner="next").stop_after(5)
        asked = [request.parameters for request in server.requests]
    assert asked[0]["position_token"] == "legacy"
    reach = clock.now() - recovery_plan.BATCH_REACH
    assert reach < datetime.fromisoformat(asked[4]["start"]) < reach + timedelta(minutes=2)
    assert state.numbers == list(range(5))


def test_a_batch_response_that_reports_an_error_is_asked_for_again(consume, state, clock):
    """It ends as a whole one does, and lacks what the server could not read: nothing may be taken for fetched."""
    begun_at = clock.now()
    error = b'{"status":{"level":"ERROR","message":"no archive today","code":300}}\n'
    up_to_a_token = answering(lines(begun_at, [0]) + token("t1"))
    live = answering(lines(begun_at, [3]) + token("t2"), Exchange.stay)
    failing = answering(lines(begun_at, [1]) + error, Exchange.end)
    whole = answering(lines(begun_at, [0, 1, 2, 3]), Exchange.end)

    with ScriptedStream(up_to_a_token, *[refusing] * 3, live, failing, whole, quiet) as server:
        consume(server.url).stop_after(4)
        requests = [request.parameters for request in server.requests]
    assert requests[5] == requests[6]
    assert sorted(state.numbers) == [0, 1, 2, 3]
