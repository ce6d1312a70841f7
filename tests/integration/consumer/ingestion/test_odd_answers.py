"""What the server answers is not always what was asked for: such answers are neither believed nor rushed at."""

from __future__ import annotations

import json
import threading
from collections import Counter
from datetime import timedelta
from itertools import count

import pytest

from consumer.errors import UnauthorizedError
from consumer.ingestion.summary import StopReason
from tests.integration.consumer.conftest import API_TOKEN, answering, message, quiet, target, token
from tests.support.conditions import wait_until
from tests.support.raw_server import RawServer
from tests.support.scripted_stream import Exchange, ScriptedStream


def lines(clock, numbers):
    """Updates of these numbers, a line each."""
    return b"".join(message(target(number, clock.now())) + b"\n" for number in numbers)


def refusing(status):
    """A script that answers with this status."""
    return lambda exchange: exchange.refuse(status, b"odd")


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("status", [400, 403, 404, 410, 414, 425, 431, 451])
def test_a_token_that_is_refused_once_is_asked_for_again(consume, state, clock, status, times):
    """A fault of the moment must not begin a recovery: the same token is sent again, after a wait."""
    up_to_a_token = answering(lines(clock, range(3)) + token("t1"))
    with ScriptedStream(up_to_a_token, *[refusing(status)] * times, quiet) as server:
        run = consume(server.url)
        wait_until(lambda: len(server.requests) == times + 2)
        run.stop()
        asked = [request.parameters["position_token"] for request in server.requests]
    assert asked == ["BEGINNING", *["t1"] * (times + 1)]
    assert state.numbers == [0, 1, 2]


def test_a_server_that_refuses_every_token_is_asked_ever_more_slowly(consume, state, clock):
    """400 to whatever it gave out itself, 200 to LATEST: an hour of that is some hundred requests, not thousands."""
    tokens = count(1)

    def odd(exchange):
        if exchange.request.parameters.get("position_token") == "LATEST":
            answering(token(f"live{next(tokens)}"), Exchange.stay)(exchange)
        elif "start" in exchange.request.parameters:
            answering(b'{"status":{"code":100}}\n', Exchange.end)(exchange)
        else:
            exchange.refuse(400)

    state.put_checkpoint(position_token="t0", token_received_at=clock.now().isoformat())
    with ScriptedStream(odd) as server:
        summary = consume(server.url, seconds=3600.0).wait()
        requests = len(server.requests)
    assert summary.stopped is StopReason.NEAR_DEADLINE
    assert 20 < requests < 1500, "LATEST and batch mode are two more for every three"
    assert sum(clock.slept) > 3000


def test_a_server_that_breaks_off_at_the_same_place_is_asked_ever_more_slowly(consume, clock):
    """What comes again is no progress: ten minutes of it are some fifty requests, not thousands."""
    with ScriptedStream(answering(lines(clock, range(3)))) as server:
        summary = consume(server.url, seconds=600.0).wait()
        requests = len(server.requests)
    assert summary.stopped is StopReason.DEADLINE
    assert 20 < requests < 200


NOT_AN_ANSWER = {
    "a page": answering(b"<html>\n<body>maintenance</body>\n</html>\n", Exchange.end),
    "a page that says so": lambda exchange: (
        exchange.head(200, "OK", {"Content-Type": "text/html", "Content-Length": "8"}),
        exchange.raw(b"<html>\n\n"),
    ),
    "an empty body": lambda exchange: exchange.begin(framing="length", length=0),
    "a body without an end": lambda exchange: (exchange.begin(framing="close"), exchange.send(b'{"status":{}}\n')),
    "no content": lambda exchange: exchange.head(204, "No Content", {}),
    "a part": lambda exchange: exchange.refuse(206),
    "accepted": lambda exchange: exchange.refuse(202),
}


@pytest.mark.parametrize("odd", NOT_AN_ANSWER.values(), ids=NOT_AN_ANSWER)
def test_a_batch_answer_that_is_none_closes_no_gap(consume, state, clock, odd):
    """What was missed is fetched when the server answers; until then nothing counts as fetched."""
    begun = lines(clock, [0]) + token("t1")
    live = answering(token("t2"), Exchange.stay)
    whole = answering(lines(clock, [1, 2]), Exchange.end)
    with ScriptedStream(answering(begun), *[refusing(400)] * 3, live, odd, odd, whole, quiet) as server:
        consume(server.url).stop_after(3)
        asked = [request.parameters for request in server.requests]
    assert asked[5] == asked[6] == asked[7]
    assert "start" in asked[5]
    assert sorted(state.numbers) == [0, 1, 2]


def test_an_empty_answer_after_others_is_not_believed(consume, state, clock):
    """Updates came before the connection broke, or a page: only three empty answers in a row say that there is none."""
    begun = lines(clock, [0]) + token("t1")
    live = answering(token("t2"), Exchange.stay)
    first = lines(clock, [1])
    part, empty = answering(first), answering(b"", Exchange.end)
    whole = answering(first + lines(clock, [2]), Exchange.end)
    page = NOT_AN_ANSWER["a page"]
    gap = [part, part, empty, empty, part, empty, empty, page, empty, whole]
    with ScriptedStream(answering(begun), *[refusing(400)] * 3, live, *gap, quiet) as server:
        consume(server.url).stop_after(3)
        asked = {request.parameters.get("start") for request in server.requests[5:15]}
    assert len(asked) == 1
    assert state.numbers == [0, 1, 2]


def test_a_time_range_in_which_nothing_was_ingested_is_believed_in_the_end(consume, state, clock):
    """A filter may let nothing pass: three empty answers to one range are believed, and the stream is taken up."""
    begun = lines(clock, [0]) + token("t1")
    live = answering(token("t2"), Exchange.stay)

    def asked(exchange):
        is_batch = "start" in exchange.request.parameters
        (answering(b"", Exchange.end) if is_batch else quiet)(exchange)

    with ScriptedStream(answering(begun), *[refusing(400)] * 3, live, asked) as server:
        run = consume(server.url)
        wait_until(lambda: server.requests and server.requests[-1].parameters.get("position_token") == "t2")
        run.stop()
        *gap, _live = [request.parameters for request in server.requests[5:]]
    ranges = Counter(parameters["start"] for parameters in gap)
    assert set(ranges.values()) == {3}
    assert state.checkpoint["gap"] is None
    assert state.numbers == [0]


def test_a_quiet_gap_is_not_waited_for_ever_longer(consume, state, clock):
    """Each empty answer is asked for again after a wait; in a gap of seven hours those are half a minute in all."""
    seven_hours_ago = (clock.now() - timedelta(hours=7)).isoformat()
    state.put_checkpoint(position_token="t1", token_received_at=seven_hours_ago, newest_ingestion_time=seven_hours_ago)
    live = answering(token("t2"), Exchange.stay)

    def asked(exchange):
        is_batch = "start" in exchange.request.parameters
        (answering(b"", Exchange.end) if is_batch else quiet)(exchange)

    with ScriptedStream(live, asked) as server:
        run = consume(server.url)
        wait_until(lambda: server.requests and server.requests[-1].parameters.get("position_token") == "t2")
        run.stop()
    assert state.checkpoint["gap"] is None
    assert sum(clock.slept) < 30


def test_statuses_without_end_fill_no_log(consume, state, clock, caplog):
    """Some are logged, each in one bounded line, and it is said how many were not."""
    status = b'{"status":{"level":"WARN","message":"%b","code":7}}\n' % (b"\\u001b[31mslow " + b"x" * 5000)
    body = lines(clock, [0]) + status * 3000 + token("t1")
    with ScriptedStream(answering(body, Exchange.stay)) as server:
        consume(server.url).stop_after(1)
    warnings = [record for record in caplog.records if record.message == "the stream says"]
    assert 1 <= len(warnings) <= 20
    assert all(record.text.isprintable() and len(record.text) <= 300 for record in warnings)
    left_out = [vars(record).get("left_out_before", vars(record).get("left_out", 0)) for record in caplog.records]
    assert sum(left_out) + len(warnings) == 3000
    assert state.numbers == [0]


def test_a_run_that_ends_in_a_gap_says_what_was_left_out_of_its_log(consume, state, clock, caplog):
    """What a recovery's server says is logged as rarely as the live stream's, and counted as well."""
    seven_hours_ago = (clock.now() - timedelta(hours=7)).isoformat()
    state.put_checkpoint(position_token="t1", token_received_at=seven_hours_ago, newest_ingestion_time=seven_hours_ago)
    status = b'{"status":{"level":"WARN","message":"slow","code":7}}\n' * 300
    live = answering(token("t2"), Exchange.stay)
    first = answering(status + lines(clock, [0]), Exchange.end)
    with ScriptedStream(live, first, refusing(401)) as server, pytest.raises(UnauthorizedError):
        consume(server.url).wait()
    left_out = [vars(record).get("left_out", 0) for record in caplog.records]
    assert sum(record.message == "the stream says" for record in caplog.records) + sum(left_out) == 300


def test_the_api_token_is_kept_nowhere(consume, state, clock, caplog):
    """Not in the log, nor with the rejected lines, as often as the server repeats it."""
    odd = b'{"echo":"Bearer %b"}\n{"status":{"level":"ERROR","message":"%b"}}\n' % ((API_TOKEN.encode(),) * 2)
    body = lines(clock, [0]) + odd + b"\xff" + API_TOKEN.upper().encode() + b"\n" + token("t1")
    with ScriptedStream(answering(body, Exchange.stay)) as server:
        consume(server.url).stop_after(1)
    kept = b"".join(json.dumps(entry).encode() for entry in state.rejected)
    assert b"echo" in kept
    assert API_TOKEN.encode()[:12].lower() not in kept.lower()
    assert API_TOKEN[:12].lower() not in "".join(str(vars(record)) for record in caplog.records).lower()


def test_the_position_token_is_in_no_line_of_the_log(consume, state, clock, caplog):
    """Though a status quotes the one that was just sent."""
    position = "eyJzaGFyZCI6ICJhYmNkZWZnaGlqIn0"
    status = b'{"status":{"level":"%b","message":"at ' + position.encode() + b' now"}}\n'
    body = lines(clock, [0]) + token(position) + status % b"WARN" + status % b"ERROR" + lines(clock, [1]) + token("t2")
    with ScriptedStream(answering(body, Exchange.stay)) as server:
        consume(server.url).stop_after(2)
    logged = "".join(str(vars(record)) for record in caplog.records)
    assert logged.count("at *** now") >= 2
    assert position[4:20] not in logged
    assert state.numbers == [0, 1]


DRIPS = {
    "a head in drops": b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 9999,
    "interim answers without end": b"HTTP/1.1 100 Continue\r\n\r\n",
    "an error in drops": b"HTTP/1.1 503 Busy\r\nContent-Length: 99999\r\n\r\n" + b"x" * 9999,
}


@pytest.mark.parametrize("how", ["SIGTERM", "deadline"])
@pytest.mark.parametrize("drip", DRIPS.values(), ids=DRIPS)
def test_a_run_ends_though_the_server_draws_everything_out(consume, state, drip, how):
    """Whatever comes a byte at a time, a stop and the deadline are noticed, and the lease is given back."""
    reached = threading.Event()

    def serve(peer):
        peer.read_head()
        reached.set()
        peer.drip(drip)

    with RawServer(serve) as server:
        run = consume(server.url, seconds=3.0 if how == "deadline" else 600.0)
        assert reached.wait(30)
        summary = run.stop() if how == "SIGTERM" else run.wait()
    assert summary.stopped is (StopReason.REQUESTED if how == "SIGTERM" else StopReason.NEAR_DEADLINE)
    assert state.checkpoint["lease"] is None
