"""Whole runs against the simulator, a misbehaving stream and moto: nothing lost or doubled, every stop in time."""

from __future__ import annotations

import random
import threading
from datetime import timedelta

import pytest

from consumer.checkpoint.store import CheckpointStore
from consumer.errors import CheckpointError, PublishError, UnauthorizedError
from consumer.ingestion.handover import Handover
from consumer.ingestion.stop_request import StopRequest
from consumer.ingestion.summary import StopReason
from consumer.timing import LEASE_SECONDS, Timing
from local.simulator.body import ChunkedBody
from tests.integration.consumer.conftest import BUCKET, FailingWrites, every, message, target, token
from tests.support.conditions import wait_until
from tests.support.faulty_aws import Fault, FaultyProxy, PartlyFailingKinesis, client_error
from tests.support.scripted_stream import ScriptedStream


def updates(clock, numbers):
    """Return one part of a body: the updates of these numbers, a line each."""
    return b"".join(message(target(number, clock.now())) + b"\n" for number in numbers)


@pytest.mark.parametrize("compression", ["gzip", "none"])
def test_runs_follow_each_other_without_loss_or_repeat(consume, simulator, state, clock, compression):
    """A run that stops at a token, and the next that goes on from it, must publish every update once, in order."""
    server = simulator(every(0.002, 300, clock.now()))
    first = consume(server.url, compression=compression, owner="run-1").stop_after(100)
    second = consume(server.url, compression=compression, owner="run-2").stop_after(300 - first.published)
    assert (first.stopped, second.stopped) == (StopReason.REQUESTED, StopReason.REQUESTED)
    assert state.numbers == list(range(300))
    assert all(numbers == sorted(numbers) for numbers in state.numbers_by_key().values())
    assert first.published + second.published == 300
    assert first.duplicates_dropped == second.duplicates_dropped == 0
    assert state.checkpoint["lease"] is None


class Breaking(ChunkedBody):
    """A body that breaks off within or between lines, at a place chance chooses."""

    def __init__(self, connection, chance, *, gzip):
        left = [chance.randrange(100, 1000 if gzip else 8000)]

        def send(data):
            connection.sendall(data[: left[0]])
            left[0] -= len(data)
            if left[0] <= 0:
                raise BrokenPipeError("as planned")

        super().__init__(send, gzip=gzip)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("compression", ["gzip", "none"])
def test_disconnects_anywhere_lose_and_double_nothing(consume, simulator, state, clock, compression, seed):  # noqa: PLR0913, PLR0917 -- its fixtures
    """Wherever the server breaks off, within a line, a block or between lines, every update must arrive once."""
    chance = random.Random(seed)
    broken = []

    def body(connection, *, gzip):
        broken.append(connection)
        return (
            Breaking(connection, chance, gzip=gzip) if len(broken) <= 8 else ChunkedBody(connection.sendall, gzip=gzip)
        )

    server = simulator(every(0.001, 200, clock.now()), body=body, token_interval=0.02)
    # Waits between attempts take no real time here, so the lease must be renewed often to outlast them.
    summary = consume(server.url, compression=compression, timing=Timing(renewal=0.02)).stop_after(200)
    assert state.numbers == list(range(200))
    assert all(numbers == sorted(numbers) for numbers in state.numbers_by_key().values())
    assert summary.reconnects >= 3
    assert summary.stopped is StopReason.REQUESTED


def test_repeats_after_a_reconnect_are_dropped(consume, state, clock):
    """What the server sends again after a reconnect from a token must be recognised, though tokens fall elsewhere."""
    lines = [message(target(number, clock.now())) + b"\n" for number in range(8)]
    done = threading.Event()

    def first(exchange):
        exchange.begin()
        exchange.send(b"".join(lines[:2]) + token("t1") + b"".join(lines[2:5]))

    def again(exchange):
        exchange.begin(gzip=True)
        exchange.send(b"".join(lines[2:4]) + token("t2") + b"".join(lines[4:8]) + token("t3"))
        done.set()
        exchange.stay()

    with ScriptedStream(first, again) as server:
        run = consume(server.url)
        wait_until(lambda: run.committed is not None and run.committed.position_token == "t3")
        summary = run.stop_after(8) if not run.is_running else _stop_when_asked(run, server)
    assert [request.parameters["position_token"] for request in server.requests[:2]] == ["BEGINNING", "t1"]
    assert state.numbers == list(range(8))
    assert summary.duplicates_dropped == 3
    assert summary.reconnects == 1


def test_a_server_that_begins_earlier_takes_no_token_back(consume, state, clock):
    """Old tokens that it sends again are no progress: the next connection begins where reading has come."""
    lines = [message(target(number, clock.now())) + b"\n" for number in range(12)]

    def first(exchange):
        exchange.begin()
        for number in range(8):
            exchange.send(lines[number] + token(f"t{number}"))
        exchange.send(lines[8])

    def earlier(exchange):
        exchange.begin()
        for number in range(2, 6):
            exchange.send(lines[number] + token(f"t{number}"))

    def again(exchange):
        exchange.begin()
        exchange.send(lines[6] + token("t6") + b"".join(lines[7:]) + token("t11"))
        exchange.stay()

    with ScriptedStream(first, earlier, again) as server:
        run = consume(server.url)
        wait_until(lambda: run.committed is not None and run.committed.position_token == "t11")
        _stop_when_asked(run, server)
    assert [request.parameters["position_token"] for request in server.requests[:3]] == ["BEGINNING", "t7", "t7"]
    assert state.numbers == list(range(12))


@pytest.mark.parametrize("owner", ["run-1", "another process"])
def test_what_lies_before_the_committed_token_does_not_come_again_in_a_later_run(consume, state, clock, owner):
    """Though the server begins earlier than asked: the checkpoint names what came last, and the process knows more."""
    lines = [message(target(number, clock.now())) + b"\n" for number in range(8)]
    handover = Handover()

    def first(exchange):
        exchange.begin()
        for number in range(6):
            exchange.send(lines[number] + token(f"t{number}"))
        exchange.stay()

    def earlier(exchange):
        exchange.begin()
        exchange.send(b"".join(lines[3:5]) + token("t4") + lines[5] + token("t5") + b"".join(lines[6:]) + token("t7"))
        exchange.stay()

    with ScriptedStream(first) as server:
        run = consume(server.url, handover=handover)
        wait_until(lambda: run.committed is not None and run.committed.position_token == "t5")
        _stop_when_asked(run, server)
    with ScriptedStream(earlier) as server:
        run = consume(server.url, owner=owner, handover=handover if owner == "run-1" else None)
        wait_until(lambda: run.committed is not None and run.committed.position_token == "t7")
        _stop_when_asked(run, server)
    assert server.requests[0].parameters["position_token"] == "t5"
    assert state.numbers == list(range(8))


def _stop_when_asked(run, server):
    """Stop a run that waits for a silent server: it notices when the server goes."""
    run.stop_request.by_signal = True
    server._stopping.set()
    return run.wait()


def test_a_killed_run_is_taken_over_after_its_lease(consume, state, clock):
    """After a hard kill the next run must wait for the lease, and repeat no more than what followed the last token."""
    lines = updates(clock, range(10)) + token("t1")
    more = updates(clock, range(10, 20))

    def forever(exchange):
        exchange.begin()
        exchange.send(lines + more)
        exchange.stay()

    def rest(exchange):
        exchange.begin()
        exchange.send(more + updates(clock, range(20, 25)) + token("t2"))
        exchange.stay()

    with ScriptedStream(forever, rest) as server:
        killed = consume(server.url, owner="killed")
        wait_until(lambda: killed.committed is not None and killed.kinesis.acknowledged == 20)
        held = consume(server.url, owner="too-early").wait()
        assert (held.stopped, held.updates, len(server.requests)) == (StopReason.LEASE_HELD, 0, 1)
        assert state.checkpoint["lease"]["owner"] == "killed"
        clock.advance(seconds=LEASE_SECONDS + 1)
        successor = consume(server.url, owner="successor")
        wait_until(lambda: successor.committed is not None)
        _stop_when_asked(successor, server)
    assert server.requests[1].parameters["position_token"] == "t1"
    assert state.numbers == sorted([*range(25), *range(10, 20)])
    assert state.checkpoint["position_token"] == "t2"


def test_a_lease_lost_in_the_middle_ends_the_run(consume, state, clock):
    """A run that another took over must stop although its stream is silent, send nothing more and commit nothing."""

    def then_silent(exchange):
        exchange.begin()
        exchange.send(updates(clock, range(5)) + token("t1") + updates(clock, range(5, 7)))
        exchange.stay()

    with ScriptedStream(then_silent) as server:
        loser = consume(server.url, timing=Timing(renewal=0.02))
        wait_until(lambda: loser.committed is not None and loser.kinesis.acknowledged == 7)
        _take_over(state, clock)
        summary = loser.wait()
    assert summary.stopped is StopReason.LEASE_LOST
    assert not summary.as_json()["graceful"]
    assert state.checkpoint["lease"]["owner"] == "winner"
    assert state.checkpoint["position_token"] == "t1"


def _take_over(state, clock):
    """Write the checkpoint in another run's name, as one does that saw the lease run out."""
    body = state.checkpoint
    expires_at = (clock.now() + timedelta(seconds=LEASE_SECONDS)).isoformat()
    state.put_checkpoint(**body | {"lease": {"owner": "winner", "expires_at": expires_at}})


def test_a_lost_lease_does_not_wait_for_kinesis(consume, state, clock):
    """After a lost lease what Kinesis has not taken must be left to the winner, and not hold the run until its end."""
    kinesis = PartlyFailingKinesis(state.kinesis, fails=lambda *_: True)

    def then_silent(exchange):
        exchange.begin()
        exchange.send(updates(clock, range(5)) + token("t1"))
        exchange.stay()

    with ScriptedStream(then_silent) as server:
        loser = consume(server.url, kinesis=kinesis, seconds=3600, timing=Timing(renewal=0.02))
        wait_until(lambda: kinesis.calls)
        _take_over(state, clock)
        assert loser.wait().stopped is StopReason.LEASE_LOST
    assert state.checkpoint["position_token"] is None


def test_a_failing_checkpoint_ends_the_run_at_once(consume, state, clock):
    """A run that cannot commit must fail at once, not read and send on until its end."""
    failing = FailingWrites(state.s3, client_error("AccessDenied", 403, "PutObject"))

    def then_silent(exchange):
        exchange.begin()
        exchange.send(updates(clock, range(5)) + token("t1"))
        exchange.stay()

    with ScriptedStream(then_silent) as server, pytest.raises(CheckpointError, match="could not be written"):
        consume(server.url, s3=failing, seconds=3600).wait()


def test_a_stop_falls_right_after_a_token(consume, state, clock):
    """A stop must fall right behind a token though updates follow it in the same chunk: they are for the next run."""

    def never_pausing(exchange):
        exchange.begin()
        number = 0
        while True:
            exchange.send(token(f"t{number}") + updates(clock, [number]))
            number += 1
            exchange._stopping.wait(0.005)

    with ScriptedStream(never_pausing) as server:
        summary = consume(server.url).stop_after(3)
    assert summary.stopped is StopReason.REQUESTED
    assert state.numbers == list(range(int(state.checkpoint["position_token"].removeprefix("t"))))


def test_a_token_sent_again_is_no_place_to_stop(consume, state, clock):
    """A server may begin with the token it was asked for; what came since lies behind it, and would be sent twice."""
    stop_request = StopRequest(clock, None)

    def broken_off(exchange):
        exchange.begin()
        exchange.send(token("t1") + updates(clock, [0, 1]))
        wait_until(lambda: run.kinesis.acknowledged == 2)
        exchange.reset()

    def beginning_with_it(exchange):
        stop_request.by_signal = True
        exchange.begin()
        exchange.send(token("t1"))
        exchange._stopping.wait(0.2)
        exchange.send(updates(clock, [2]) + token("t2"))
        exchange.stay()

    with ScriptedStream(broken_off, beginning_with_it) as server:
        run = consume(server.url, stop_request=stop_request)
        summary = run.wait()
    assert summary.stopped is StopReason.REQUESTED
    assert state.checkpoint["position_token"] == "t2"
    assert state.numbers == [0, 1, 2]


def test_a_short_run_ends_at_a_token(consume, simulator, state, clock):
    """A run limited by its event must go on to the next token and stop there, leaving nothing to repeat."""
    server = simulator(every(0.002, 100, clock.now()))
    first = consume(server.url, run_seconds=0.1).wait()
    assert (first.stopped, first.as_json()["graceful"]) == (StopReason.RUN_SECONDS, True)
    consume(server.url, owner="run-2").stop_after(100 - first.published)
    assert state.numbers == list(range(100))


def test_a_run_near_its_deadline_stops_at_a_token(consume, simulator, state, clock):
    """A run must stop at the last token that fits, before its deadline, and leave nothing to repeat."""
    server = simulator(every(0.01, 400, clock.now()))
    first = consume(server.url, seconds=6).wait()
    assert (first.stopped, first.as_json()["graceful"]) == (StopReason.NEAR_DEADLINE, True)
    assert first.published == first.updates > 0
    consume(server.url, owner="run-2").stop_after(400 - first.published)
    assert state.numbers == list(range(400))


def test_keep_alives_alone_do_not_keep_a_connection(consume, state, clock):
    """A connection with only keep-alives and the token it sent before must be given up, and the stream go on."""
    keep_alive = b'{"status":{"level":"INFO","message":"keep-alive","code":101}}\n'

    def stale(exchange):
        exchange.begin()
        exchange.send(updates(clock, range(3)) + token("t1"))
        while True:
            exchange.send(keep_alive + token("t1"))

    def fresh(exchange):
        exchange.begin()
        exchange.send(updates(clock, range(3, 6)) + token("t2"))
        exchange.stay()

    with ScriptedStream(stale, fresh) as server:
        run = consume(server.url, timing=Timing(stale=0.1))
        wait_until(lambda: run.committed is not None and run.committed.position_token == "t2")
        summary = _stop_when_asked(run, server)
    assert server.requests[1].parameters["position_token"] == "t1"
    assert state.numbers == list(range(6))
    assert summary.reconnects == 1


def test_a_run_ends_in_time_though_kinesis_takes_nothing(consume, simulator, state, clock):
    """With Kinesis down a run must end before its deadline, commit nothing beyond, and cost no update."""
    server = simulator(every(0.002, 100, clock.now()), token_interval=0.02)
    down = PartlyFailingKinesis(state.kinesis, fails=lambda *_: True)
    ends_at = clock.monotonic() + 2.0
    first = consume(server.url, kinesis=down, seconds=2.0).wait()
    assert clock.monotonic() < ends_at
    assert first.stopped is StopReason.DEADLINE
    assert not first.as_json()["graceful"]
    assert first.published == 0
    assert state.checkpoint["position_token"] is None
    consume(server.url, owner="run-2").stop_after(100)
    assert state.numbers == list(range(100))


def test_back_pressure_does_not_hold_a_run_beyond_its_deadline(consume, state, clock):
    """A reader that waits for room at Kinesis must be freed when time is up."""
    big = b'{"target":' + target(0, clock.now())[:-1] + b',"x":"' + b"x" * 1_000_000 + b'"}}\n'

    def flood(exchange):
        exchange.begin()
        while True:
            exchange.raw(exchange.framed(big))

    down = PartlyFailingKinesis(state.kinesis, fails=lambda *_: True)
    ends_at = clock.monotonic() + 2.5
    with ScriptedStream(flood) as server:
        summary = consume(server.url, kinesis=down, seconds=2.5).wait()
    assert clock.monotonic() < ends_at
    assert summary.stopped is StopReason.DEADLINE
    assert state.numbers == []


def test_a_silent_stream_does_not_hold_a_run_beyond_its_deadline(consume, clock):
    """A reader blocked on a silent server must be woken when time is up."""

    def silent(exchange):
        exchange.begin()
        exchange.send(updates(clock, range(2)))
        exchange.stay()

    ends_at = clock.monotonic() + 2.0
    with ScriptedStream(silent) as server:
        summary = consume(server.url, seconds=2.0).wait()
    assert clock.monotonic() < ends_at
    assert summary.stopped is StopReason.DEADLINE


def test_retry_after_is_waited_for(consume, clock):
    """A server that names a time to wait must not be asked again before it has passed."""

    def stream(exchange):
        exchange.begin()
        exchange.send(updates(clock, range(1)) + token("t1"))
        exchange.stay()

    with ScriptedStream(lambda exchange: exchange.refuse(429, Retry_After="37"), stream) as server:
        run = consume(server.url, timing=Timing(stale=0.1))
        wait_until(lambda: run.committed is not None)
        assert sum(clock.slept) > 36
        _stop_when_asked(run, server)


def test_an_invalid_api_token_is_not_tried_again(consume, state):
    """401 must end the run with an error after one attempt, and give the lease back."""
    with ScriptedStream(lambda exchange: exchange.refuse(401, b"no")) as server, pytest.raises(UnauthorizedError):
        consume(server.url).wait()
    assert len(server.requests) == 1
    assert state.checkpoint["lease"] is None


def test_what_was_read_before_a_fatal_error_is_committed(consume, state, clock):
    """A run that fails must still commit what Kinesis had taken up to the last token."""

    def ends(exchange):
        exchange.begin()
        exchange.send(updates(clock, range(5)) + token("t1"))

    with ScriptedStream(ends, lambda exchange: exchange.refuse(401)) as server, pytest.raises(UnauthorizedError):
        consume(server.url).wait()
    assert state.numbers == list(range(5))
    assert state.checkpoint["position_token"] == "t1"
    assert state.checkpoint["lease"] is None


def test_a_missing_stream_fails_the_run(consume, state, clock):
    """A Kinesis stream that is not there must fail the run, say so, and commit nothing."""
    state.kinesis.delete_stream(StreamName="updates")

    def stream(exchange):
        exchange.begin()
        exchange.send(updates(clock, range(5)) + token("t1"))
        for number in range(5, 500):
            if exchange._stopping.wait(0.01):
                return
            exchange.send(updates(clock, [number]))

    with ScriptedStream(stream) as server, pytest.raises(PublishError, match="Kinesis stream updates"):
        consume(server.url).wait()
    assert state.checkpoint["position_token"] is None


def test_a_refusal_by_kinesis_does_not_wait_for_the_next_update(consume, state, clock):
    """Records refused for good must end the run at once, though the stream has gone silent meanwhile."""
    state.kinesis.delete_stream(StreamName="updates")
    ended = threading.Event()

    def then_silent(exchange):
        exchange.begin()
        exchange.send(updates(clock, [0]))
        ended.wait(20)

    with ScriptedStream(then_silent) as server:
        consumer = consume(server.url)
        wait_until(lambda: not consumer.is_running)
        ended.set()
        with pytest.raises(PublishError, match="Kinesis stream updates"):
            consumer.wait()


@pytest.mark.parametrize("fault", [Fault.LOST, Fault.ANSWER_LOST])
def test_a_bad_day_at_kinesis_loses_nothing(consume, simulator, state, clock, aws, fault):  # noqa: PLR0913, PLR0917 -- its fixtures
    """Refused entries and broken connections together must neither lose an update nor change an aircraft's order."""
    import boto3
    from botocore.config import Config

    chance = random.Random(3)
    lock = threading.Lock()

    def plan(*_):
        with lock:
            return fault if chance.random() < 0.2 else Fault.NONE

    with FaultyProxy(aws, plan) as proxy:
        client = boto3.client("kinesis", endpoint_url=proxy.url, config=Config(retries={"total_max_attempts": 1}))
        kinesis = PartlyFailingKinesis(client, fails=lambda *_: chance.random() < 0.2)
        server = simulator(every(0.002, 100, clock.now()))
        consume(server.url, kinesis=kinesis).stop_after(100)
        client.close()
    assert set(state.numbers) == set(range(100))
    for numbers in state.numbers_by_key().values():
        first = list(dict.fromkeys(numbers))
        assert first == sorted(first)


def test_the_legacy_token_is_where_the_first_run_begins(consume, simulator, state, clock):
    """A user of the sample client must move over without a gap: its token is the one asked for."""
    del simulator
    state.s3.put_object(Bucket=BUCKET, Key="last_position_token", Body=b"legacy")

    def stream(exchange):
        exchange.begin()
        exchange.send(updates(clock, range(2)) + token("t1"))
        exchange.stay()

    with ScriptedStream(stream) as server:
        run = consume(server.url, start="LATEST")
        wait_until(lambda: run.committed is not None)
        _stop_when_asked(run, server)
    assert server.requests[0].parameters["position_token"] == "legacy"


def test_the_store_is_released_for_the_next_run(consume, simulator, state, clock):
    """After a graceful stop another run must get the lease at once."""
    server = simulator(every(0.01, 5, clock.now()))
    consume(server.url).stop_after(5)
    assert CheckpointStore(state.s3, BUCKET, "next", clock).acquire() is not None
