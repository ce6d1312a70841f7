"""`pipenv run simulator --to-kinesis` against a real moto server: all of it, in order, and errors as sentences."""

from __future__ import annotations

import json
import random
import signal
import threading
from datetime import UTC, datetime, timedelta

import pytest

from feeds import simulator
from feeds.kinesis import Kinesis
from feeds.kinesis_sender import KinesisSender
from tests.integration.consumer.conftest import STREAM, message, target
from tests.support.conditions import wait_until
from tests.support.faulty_aws import PartlyFailingKinesis


def _updates(state):
    return [(key, json.loads(data)) for key, data in state.records]


@pytest.mark.parametrize("form", ["single", "envelope"])
def test_generated_traffic_is_in_the_stream(state, capsys, form):
    """Every update, in either format, each aircraft in order; an emergency among them; the summary adds up."""
    options = ["--duration", "30", "--speed", "max", "--emergency", "--record-format", form]
    assert simulator.main(["--to-kinesis", STREAM, *options]) == 0
    updates = _updates(state)
    output = capsys.readouterr().out
    assert f"{STREAM}: {len(updates):,} updates sent, {len(updates):,} acknowledged; 0 retries, 0 throttled; " in output
    assert len(updates) > 1000
    assert all(key == update["icao_address"] for key, update in updates)
    assert "7700" in {update.get("squawk") for _, update in updates}
    of_each = {}
    for key, update in updates:
        of_each.setdefault(key, []).append(update["ingestion_time"])
    assert all(times == sorted(times) for times in of_each.values())


def test_delayed_traffic_is_in_the_stream(state):
    """As late as Recent History is: the first update was ingested four hours ago."""
    began = datetime.now(UTC)
    options = ["--duration", "10", "--speed", "max", "--delay", "240"]
    assert simulator.main(["--to-kinesis", STREAM, *options]) == 0
    first = datetime.fromisoformat(min(update["ingestion_time"] for _, update in _updates(state)))
    assert timedelta(0) <= first - (began - timedelta(minutes=240)) < timedelta(minutes=1)


def test_a_recording_is_in_the_stream(state, tmp_path, capsys):
    """Its lines as they are; its position tokens and status messages are no updates."""
    lines = [
        b'{"status":{}}',
        *(message(target(number, _at(number))) for number in range(40)),
        b'{"position_token":"x"}',
    ]
    (tmp_path / "recording.ndjson").write_bytes(b"\n".join(lines) + b"\n")
    assert (
        simulator.main(["--to-kinesis", STREAM, "--replay", str(tmp_path / "recording.ndjson"), "--speed", "max"]) == 0
    )
    assert state.numbers == list(range(40))
    assert "40 updates sent, 40 acknowledged" in capsys.readouterr().out


def _at(number):
    return datetime(2024, 3, 4, 23, 24, tzinfo=UTC) + timedelta(seconds=number)


def test_what_is_throttled_is_sent_again_in_order(state):
    """Throttles are counted, and none of it is lost or overtaken."""
    chance = random.Random(7)
    kinesis = Kinesis(STREAM, region=None, endpoint=None)
    throttling = PartlyFailingKinesis(state.kinesis, fails=lambda *_: chance.random() < 0.3)
    setattr(kinesis._client, "put_records", throttling.put_records)  # noqa: B010 -- mypy takes no method assigned
    sender = KinesisSender(kinesis, STREAM, "single")
    sender.start()
    try:
        sender.send([message(target(number, _at(number))) for number in range(60)])
        assert sender.drain(60, threading.Event())
    finally:
        sender.close()
    assert state.numbers == list(range(60))
    assert all(numbers == sorted(numbers) for numbers in state.numbers_by_key().values())
    assert (sender.sent, sender.acknowledged) == (60, 60)
    assert sender.throttled == sender.retries > 0


def test_what_is_never_taken_is_given_up_at_a_second_signal(state):
    """An end that is asked for twice comes, and it is known that something is missing."""
    kinesis = Kinesis(STREAM, region=None, endpoint=None)
    refusing = PartlyFailingKinesis(state.kinesis, fails=lambda *_: True)
    setattr(kinesis._client, "put_records", refusing.put_records)  # noqa: B010 -- mypy takes no method assigned
    sender, hurry = KinesisSender(kinesis, STREAM, "single"), threading.Event()
    sender.start()
    try:
        sender.send([message(target(0, _at(0)))])
        wait_until(lambda: sender.throttled)
        hurry.set()
        assert not sender.drain(3600, hurry)
    finally:
        sender.close()
    assert (sender.sent, sender.acknowledged) == (1, 0)
    assert sender.trouble == "ProvisionedThroughputExceededException"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_drains_in_order(state, command, number):
    """What was sent is acknowledged before the command ends, with its summary and code 0."""
    process = command("simulator", "--to-kinesis", STREAM, "--rate", "200")
    wait_until(lambda: state.records or process.poll() is not None)
    process.send_signal(number)
    output, errors = process.communicate(timeout=90)
    assert (process.returncode, errors) == (0, "")
    count = len(state.records)
    assert f"{count:,} updates sent, {count:,} acknowledged" in output


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize(
    ("environment", "arguments", "says"),
    [
        ({}, ["--to-kinesis", "absent"], "Kinesis stream absent in us-east-1: there is no such stream"),
        ({}, ["--to-kinesis", ""], "'' is not a stream's name"),
        ({"AWS_REGION": "", "AWS_DEFAULT_REGION": ""}, ["--to-kinesis", STREAM], "no AWS region is set"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, ["--to-kinesis", STREAM], "cannot be reached"),
        ({"AWS_PROFILE": "absent"}, ["--to-kinesis", STREAM], "The config profile (absent) could not be found"),
    ],
)
def test_what_cannot_be_sent_is_said_in_a_sentence(monkeypatch, capsys, environment, arguments, says):
    """What is wrong, and what to do; never a traceback."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert simulator.main([*arguments, "--duration", "1"]) == 1
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--to-kinesis", STREAM, "--port", "8080"], "--port is not for updates that are sent"),
        (["--region", "eu-west-1"], "--region is not for updates that are served"),
        (["--to-kinesis", STREAM, "--speed", "max"], "expected a --duration beside it"),
        (["--to-kinesis", STREAM, "--seed", "1", "--delay", "240"], "--delay is for traffic of now"),
    ],
)
def test_options_that_do_not_go_together(capsys, arguments, says):
    """An option that would do nothing is refused."""
    with pytest.raises(SystemExit) as end:
        simulator.main(arguments)
    assert end.value.code == 2
    assert says in capsys.readouterr().err
