"""`live/status.json`: what a run says of itself while it reads, and that saying it never gets in the run's way."""

from __future__ import annotations

import json
import re
import threading
from datetime import datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from common.clock import rfc3339
from consumer.errors import UnauthorizedError
from consumer.ingestion.handover import Handover
from consumer.ingestion.status import _RATED_WRITES, STATUS_SECONDS
from consumer.ingestion.summary import StopReason
from consumer.timing import LEASE_SECONDS, Timing
from live import objects
from tests.integration.consumer.conftest import API_TOKEN, DATA_BUCKET, every, message, target, token
from tests.support.conditions import wait_until
from tests.support.faulty_aws import PartlyFailingKinesis
from tests.support.scripted_stream import ScriptedStream

OFTEN = 0.02
"""Seconds between two writes."""

TOKEN = "a-position-token-of-the-stream"


@pytest.fixture
def status(state):
    """A function that reads the object; None as long as there is none."""

    def read():
        try:
            found = state.s3.get_object(Bucket=DATA_BUCKET, Key=objects.STATUS)
        except ClientError as error:
            assert error.response["Error"]["Code"] == "NoSuchKey"  # noqa: PT017 - any other is an error of the test's
            return None
        assert found["ContentType"] == "application/json"
        return json.loads(found["Body"].read())

    return read


@pytest.fixture
def reading(clock):
    """A stream that sends eight updates and a token, and then is silent."""

    def eight(exchange):
        exchange.begin()
        lines = [message(target(number, clock.now())) + b"\n" for number in range(8)]
        exchange.send(b"".join(lines) + b"no message\n" + token(TOKEN))
        exchange.stay()

    with ScriptedStream(eight, eight) as server:
        yield server


class Bucket:
    """S3 for the status, which can be made to fail, or to hold every answer back."""

    def __init__(self, s3):
        self._s3 = s3
        self.fails = False
        self.says = "no"
        self.calls = 0
        self.may_answer = threading.Event()
        self.may_answer.set()

    def put_object(self, **request):
        self.calls += 1
        assert self.may_answer.wait(60)
        if self.fails:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": self.says}}, "PutObject")
        return self._s3.put_object(**request)


def failures(capsys):
    """How often a status was counted as not written, since the last look."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"StatusFailed"' in line]
    return sum(sum(line["StatusFailed"]) for line in lines)


def test_a_run_says_how_it_is_doing(consume, status, reading, clock):
    """While it reads, a reader finds rates, lag and ages of this moment, and neither of the two tokens."""
    run = consume(reading.url, tells=OFTEN)
    wait_until(lambda: "committed_token_age_seconds" in (status() or {}))
    said = status()
    assert not {"run_ended_at", "last_run", "run_failed", "recovering_gap"} & said.keys()
    assert datetime.fromisoformat(said["run_began_at"]) <= datetime.fromisoformat(said["written_at"]) <= clock.now()
    assert 0 <= said["committed_token_age_seconds"] <= said["source_lag_seconds"] < 60
    assert 0 < said["reading_share"] <= 1
    assert (said["updates_outstanding"], said["rejected"], said["reconnects"]) == (0, 1, 0)
    run.stop_request.by_signal = True
    reading._stopping.set()
    run.wait()
    assert not [secret for secret in (API_TOKEN, TOKEN) if secret in json.dumps(said) + json.dumps(status())]


def test_rates_are_those_of_the_last_seconds(consume, status, simulator, clock):
    """Updates that keep coming are a rate above zero while they come."""
    server = simulator(every(0.01, 400, clock.now()))
    run = consume(server.url, tells=OFTEN)
    wait_until(lambda: (status() or {}).get("received_per_second", 0) > 0 < (status() or {})["published_per_second"])
    run.stop()


def test_what_kinesis_has_not_taken_is_said(consume, status, reading, state):
    """Updates without an acknowledgement are outstanding, and no commit means no age and no lag."""
    kinesis = PartlyFailingKinesis(state.kinesis, fails=lambda *_: True)
    consume(reading.url, tells=OFTEN, kinesis=kinesis)
    wait_until(lambda: (status() or {}).get("updates_outstanding") == 8)
    assert not {"committed_token_age_seconds", "source_lag_seconds"} & status().keys()


def test_the_end_of_a_run_is_said_and_its_summary_kept(consume, status, simulator, clock):
    """After the run its summary is there, and during the next one of the same process still."""
    server, handover = simulator(every(0.002, 300, clock.now())), Handover()
    first = consume(server.url, tells=OFTEN, handover=handover).stop_after(100)
    said = status()
    assert said["last_run"] == first.as_json()
    assert datetime.fromisoformat(said["run_ended_at"]) <= clock.now()
    second = consume(server.url, tells=OFTEN, handover=handover, owner="run-2")
    wait_until(lambda: "run_ended_at" not in status())
    assert status()["last_run"] == first.as_json()
    summary = second.stop_after(300 - first.published)
    assert status()["last_run"] == summary.as_json()


def test_a_failed_run_is_said_to_have_failed(consume, status):
    """Whoever looks sees that it failed and by which class of error; its text, which may quote the stream, is not."""
    refusing = ScriptedStream(lambda exchange: exchange.refuse(401, b"who are you"))
    with refusing as server, pytest.raises(UnauthorizedError):
        consume(server.url, tells=OFTEN).wait()
    said = status()
    assert said["run_failed"] == "UnauthorizedError"
    assert "who are you" not in json.dumps(said)


def test_a_status_that_cannot_be_written_is_counted_and_fails_no_run(consume, state, simulator, clock, capsys):
    """S3 refuses each write of it: the run reads, publishes and commits everything, and says so in the metrics."""
    bucket = Bucket(state.s3)
    bucket.fails = True
    server = simulator(every(0.002, 100, clock.now()))
    summary = consume(server.url, tells=OFTEN, status_s3=bucket).stop_after(100)
    assert summary.stopped is StopReason.REQUESTED
    assert state.numbers == list(range(100))
    assert failures(capsys) == bucket.calls > 0


def test_what_s3_says_is_one_bounded_line_of_the_log(consume, state, reading, caplog):
    """A page of a proxy, or whatever answers in its place, neither fills the log nor reaches a terminal."""
    bucket = Bucket(state.s3)
    bucket.fails, bucket.says = True, "\x1b[31m" + "m" * 100_000
    run = consume(reading.url, tells=OFTEN, status_s3=bucket)
    wait_until(lambda: bucket.calls > 1)
    run.stop_request.by_signal = True
    reading._stopping.set()
    run.wait()
    reasons = [record.reason for record in caplog.records if "status was not written" in record.getMessage()]
    assert reasons
    assert all(len(reason) <= 500 and reason.isprintable() for reason in reasons)


def test_a_status_that_is_not_answered_delays_nothing(  # noqa: PLR0913, PLR0917 -- its fixtures
    consume, state, simulator, clock, capsys, monkeypatch
):
    """S3 takes the first write and never answers: the run reads on, and ends without waiting for it any longer."""
    monkeypatch.setattr("consumer.ingestion.status._ANSWER_SECONDS", 40.0)  # longer than the test waits
    bucket = Bucket(state.s3)
    bucket.may_answer.clear()
    server = simulator(every(0.002, 100, clock.now()))
    run = consume(server.url, tells=OFTEN, status_s3=bucket)
    wait_until(lambda: bucket.calls == 1)
    clock.advance(seconds=41)
    summary = run.stop_after(100)
    assert (summary.stopped, state.checkpoint["lease"]) == (StopReason.REQUESTED, None)
    assert state.numbers == list(range(100))
    assert failures(capsys) == 1
    bucket.may_answer.set()
    wait_until(lambda: not [thread for thread in threading.enumerate() if thread.name == "status"])
    assert bucket.calls == 1, "what comes after the run would be the next run's to say"


def test_a_run_that_lost_the_lease_says_nothing_more(consume, state, status, reading, clock):
    """The one that took over has the word: the loser's last status is no longer written."""
    run = consume(reading.url, tells=OFTEN, owner="loser", timing=Timing(renewal=0.05))
    wait_until(lambda: status() is not None and run.committed is not None)
    state.put_checkpoint(lease={"owner": "winner", "expires_at": rfc3339(clock.now() + timedelta(seconds=30))})
    assert run.wait().stopped is StopReason.LEASE_LOST
    assert not {"run_ended_at", "last_run", "run_failed"} & status().keys()


def test_a_run_whose_lease_has_run_out_is_silent(consume, state, status, reading, clock):
    """Frozen for longer than its lease it cannot know whether another is at work, and so writes nothing."""
    run = consume(reading.url, tells=3600, timing=Timing(renewal=3600))
    wait_until(lambda: run.committed is not None)
    writer = run.run._status_writer
    writer._write()
    assert status()["run_began_at"]
    clock.advance(seconds=LEASE_SECONDS + 1)
    state.s3.put_object(Bucket=DATA_BUCKET, Key=objects.STATUS, Body=b"{}", ContentType="application/json")
    writer._write()
    assert status() == {}


def test_a_run_that_finds_the_lease_held_says_nothing(consume, state, status, reading, clock):
    """It is the holder's to say."""
    state.put_checkpoint(lease={"owner": "other", "expires_at": rfc3339(clock.now() + timedelta(seconds=30))})
    assert consume(reading.url, tells=OFTEN).wait().stopped is StopReason.LEASE_HELD
    assert status() is None


def test_a_gap_that_is_being_recovered_is_said(consume, state, status, clock):
    """While batch mode fetches what an outage left, what is still to come is there; afterwards it is gone."""
    old = clock.now() - timedelta(hours=7)
    state.put_checkpoint(position_token="old", token_received_at=rfc3339(old), newest_ingestion_time=rfc3339(old))
    go_on = threading.Event()

    def live(exchange):
        exchange.begin()
        exchange.send(message(target(1, clock.now())) + b"\n" + token("live"))
        exchange.stay()

    def batch(exchange):
        exchange.begin()
        assert go_on.wait(30)
        exchange.send(message(target(0, old + timedelta(hours=1))) + b"\n")
        exchange.end()

    def answer(exchange):
        (batch if any("start" in name or "from" in name for name in exchange.request.parameters) else live)(exchange)

    with ScriptedStream(*[answer] * 200) as server:
        run = consume(server.url, tells=OFTEN)
        wait_until(lambda: "recovering_gap" in (status() or {}))
        gap = status()["recovering_gap"]
        assert (
            datetime.fromisoformat(gap["start"])
            <= old
            < datetime.fromisoformat(gap["end"])
            <= clock.now() + timedelta(hours=1)
        )
        go_on.set()
        wait_until(lambda: "recovering_gap" not in status())
        run.stop_request.by_signal = True
        server._stopping.set()
        run.wait()


def test_the_fields_are_those_of_the_design(consume, status, simulator, clock, repository):
    """Whoever reads the page finds every field that is written."""
    server = simulator(every(0.002, 100, clock.now()))
    consume(server.url, tells=OFTEN).stop_after(100)
    design = (repository / "docs/design.md").read_text()
    [paragraph] = re.findall(r"^`status.json` .*?\n\n", design, re.MULTILINE | re.DOTALL)
    assert status().keys() <= set(re.findall(r"`([a-z_]+)`", paragraph))
    assert f"(over the last {STATUS_SECONDS * _RATED_WRITES:g} s)" in paragraph
