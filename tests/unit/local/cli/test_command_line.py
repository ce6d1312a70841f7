"""The options of `pipenv run local`."""

from __future__ import annotations

import io
import json
import time

import pytest

from local.cli.command_line import parse
from local.source.remote import RemoteSource
from local.source.simulated import SimulatedSource
from tools.operations.parameters import read_declared


def _message(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        parse(arguments)
    assert ended.value.code == 2
    return capsys.readouterr().err


@pytest.fixture
def short_recording(tmp_path):
    """A recording of one update."""
    path = tmp_path / "short.ndjson"
    update = {"icao_address": "4CA7B1", "timestamp": "2024-03-04T00:00:00Z", "ingestion_time": "2024-03-04T00:00:02Z"}
    path.write_text(json.dumps({"target": update}) + "\n")
    return path


def test_a_newcomer_gets_a_minute_of_generated_traffic_and_short_windows():
    """Without options the source is generated, lasts 60 s, and windows are 10 s."""
    options = parse([])
    assert (options.source.kind, options.duration, options.window) == ("generated", 60, 10)
    assert options.consumer_timeout is None


def test_the_table_of_latest_states_is_made_only_for_who_asks():
    """The map would wait for its writes: thousands at the end of each window."""
    assert not parse([]).latest_states
    assert parse(["--latest-state-table"]).latest_states


def test_a_run_of_a_script_is_not_listed():
    """`ops --local` finds what a person runs."""
    assert parse([]).listed
    assert not parse(["--unlisted"]).listed


def test_a_run_with_faults_has_a_consumer_that_times_out_soon():
    """A consumer that is frozen until its timeout must not hold the run up for the template's 900 s."""
    assert parse(["--chaos", "7", "--speed", "20"]).consumer_timeout == 15
    assert parse(["--chaos", "7"]).consumer_timeout == 25  # a run has to see a position token: they are 15 s apart
    assert parse(["--chaos", "7", "--consumer-timeout", "900"]).consumer_timeout == 900


def test_periodic_reading_needs_traffic_of_now(capsys, short_recording):
    """A run ends when it has what there was by its clock: times of another day would never let it, or at once."""
    options = parse(["--schedule", "15-minutes", "--stop-when-caught-up"])
    assert (options.schedule, options.stop_when_caught_up) == ("15-minutes", True)
    for of_another_day in (["--replay", str(short_recording)], ["--seed", "1"], ["--start", "2024-03-04T00:00:00Z"]):
        assert "--stop-when-caught-up: the consumer compares" in _message(
            capsys, "--stop-when-caught-up", *of_another_day
        )
    assert "--schedule: invalid choice" in _message(capsys, "--schedule", "rate(15 minutes)")


def test_a_late_stream_needs_traffic_of_now(capsys, short_recording):
    """Its start is the clock's, less the delay, which the stack gets, too."""
    options = parse(["--delay", "240"])
    assert (options.delay, options.source.is_of_now) == (240, True)
    assert isinstance(options.source, SimulatedSource)
    assert time.time() - options.source.traffic.start == pytest.approx(4 * 3600, abs=60)
    for of_another_day in (["--replay", str(short_recording)], ["--seed", "1"], ["--start", "2024-03-04T00:00:00Z"]):
        assert "--delay" in _message(capsys, "--delay", "240", *of_another_day)
    for wrong in ("-1", "721", "1.5", "four hours"):
        assert "--delay: got" in _message(capsys, f"--delay={wrong}")


def test_each_schedule_is_one_of_the_template(repository):
    """What the command line takes is what the stack takes."""
    for schedule in read_declared(repository / "template.yaml")["Schedule"]["AllowedValues"]:
        assert parse(["--schedule", schedule]).schedule == schedule


def test_a_recording_is_played_to_its_end(short_recording):
    """With --replay and no --duration nothing ends the source but itself."""
    options = parse(["--replay", str(short_recording)])
    assert (options.source.kind, options.duration) == ("replay", None)


def test_a_duration_of_zero_has_no_end():
    """--duration 0 runs until Ctrl-C."""
    assert parse(["--duration", "0"]).duration is None


def test_a_duration_is_time_on_the_wall():
    """Ten seconds at sixtyfold speed are ten minutes of the source."""
    assert parse(["--duration", "10", "--speed", "60"]).duration == 600


def test_a_duration_at_full_speed_is_time_of_the_source():
    """With --speed max there is no wall time to go by."""
    assert parse(["--duration", "10", "--speed", "max"]).duration == 10


@pytest.mark.parametrize(("speed", "interval"), [("0.1", 15), ("1", 15), ("60", 0.25), ("1000", 0.2), ("max", 0.2)])
def test_tokens_come_as_much_faster_as_the_source_but_not_endlessly(speed, interval):
    """The token interval is 15 s divided by the speed, at least 0.2 s, and never more than the API's 15 s."""
    assert parse(["--speed", speed]).source.token_interval == interval


def test_the_record_format_is_single_unless_it_is_given():
    """As in the template."""
    assert parse([]).record_format == "single"
    assert parse(["--record-format", "envelope"]).record_format == "envelope"


def test_a_given_token_interval_stands():
    """--token-interval is taken as it is."""
    assert parse(["--speed", "60", "--token-interval", "3"]).source.token_interval == 3


@pytest.mark.parametrize(
    ("arguments", "option", "got", "takes"),
    [
        (["--speed", "fast"], "--speed", "'fast'", "a number above 0, or max"),
        (["--rate", "-1"], "--rate", "'-1'", "a number above 0"),
        (["--aircraft", "many"], "--aircraft", "'many'", "a whole number from 1"),
        (["--duration", "-3"], "--duration", "'-3'", "a number from 0"),
        (["--token-interval", "0"], "--token-interval", "'0'", "a number above 0"),
        (["--consumer-timeout", "901"], "--consumer-timeout", "'901'", "a whole number of seconds from 1 to 900"),
        (["--consumer-timeout", "1"], "--consumer-timeout", "got 1;", "expected at least 17, or a shorter"),
        (["--consumer-timeout", "9" * 5000], "--consumer-timeout", "'9999", "a whole number of seconds"),
        (["--start", "9999-12-31T23:59:50Z"], "--start", "'9999-12-31T23:59:50Z'", "to 9998-12-31T23:59:59Z"),
        (["--rate", "1e308"], "--rate", "got 1e+308", "expected at most"),
        (["--window", "1.5"], "--window", "'1.5'", "a whole number of seconds from 1 to 900"),
        (["--shards", "0"], "--shards", "'0'", "a whole number of shards from 1 to 16"),
        (["--report", "/nowhere/at/all/r.json"], "--report", "'/nowhere/at/all/r.json'", "a folder that is there"),
        (["--replay", "missing.ndjson"], "--replay", "missing.ndjson", "expected a file of lines"),
        (["--rate", "100", "--aircraft", "10"], "--aircraft", "got 10", "at least 100"),
        (["--speed", "max", "--duration", "0"], "--duration", "got 0", "give seconds"),
    ],
)
def test_a_wrong_option_is_refused_by_name(capsys, arguments, option, got, takes):
    """The message names the option, what it got, and what it takes."""
    message = _message(capsys, *arguments)
    assert option in message
    assert got in message
    assert takes in message


def test_options_of_generated_traffic_do_not_go_with_a_recording(capsys, short_recording):
    """--rate with --replay is a misunderstanding, and said to be one."""
    assert "--rate is for generated traffic" in _message(capsys, "--replay", str(short_recording), "--rate", "5")


def test_options_may_not_be_cut_short(capsys):
    """--wind is no --window: what an abbreviation means changes with every new option."""
    assert "unrecognized arguments: --wind 5" in _message(capsys, "--wind", "5")


@pytest.fixture
def token_file(tmp_path):
    """An API token, with the line's end that editors add."""
    path = tmp_path / "token"
    path.write_text("s3cret-API-token\n")
    return path


def test_the_token_of_a_stream_served_by_others_comes_from_a_file(token_file):
    """It is read for as long as generated traffic is sent, and nothing that is printed of it shows the token."""
    options = parse(["--stream-url", "https://example.com/v2/targets/stream", "--token-file", str(token_file)])
    assert isinstance(options.source, RemoteSource)
    assert (options.source.kind, options.source.address.token, options.duration) == ("stream", "s3cret-API-token", 60)
    assert "s3cret" not in repr(options)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--replay", "x"],
        ["--rate", "5"],
        ["--seed", "1"],
        ["--emergency"],
        ["--speed", "2"],
        ["--token-interval", "3"],
        ["--chaos", "1"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_options_of_traffic_of_our_own_do_not_go_with_a_stream(capsys, token_file, arguments):
    """What it sends, and when, is not ours to say."""
    given = ["--stream-url", "https://example.com/stream", "--token-file", str(token_file), *arguments]
    assert f"argument {arguments[0]}: does not go together with --stream-url" in _message(capsys, *given)


def test_a_wrong_stream_or_token_is_refused_by_name(capsys, token_file, tmp_path, monkeypatch):
    """The token would travel in the clear, is not there, or is none; none of the messages shows it."""
    url = ["--stream-url", "https://example.com/stream"]
    assert "--stream-url: got 'http://example.com/stream'" in _message(
        capsys, "--stream-url", "http://example.com/stream", "--token-file", str(token_file)
    )
    assert "--token-file: is for --stream-url" in _message(capsys, "--token-file", str(token_file))
    assert "cannot be read" in _message(capsys, *url, "--token-file", str(tmp_path / "absent"))
    token_file.write_text("s3cret token")
    message = _message(capsys, *url, "--token-file", str(token_file))
    assert "holds spaces" in message
    assert "s3cret" not in message
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert "there is no terminal to ask" in _message(capsys, *url)
