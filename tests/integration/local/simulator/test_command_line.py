"""`pipenv run simulator`: what it prints, what it refuses, and that it stops."""

from __future__ import annotations

import json
import math
import re
import signal
import subprocess
import sys
from itertools import islice

import pytest
import requests

from local.simulator.__main__ import main, parser
from local.simulator.options import source

KEY = ("icao_address", "timestamp", "ingestion_time")


@pytest.fixture
def simulator(repository):
    """A function that starts the simulator as its own process and returns it with the URL it prints."""
    processes = []

    def run(*arguments):
        process = subprocess.Popen(
            [sys.executable, "-m", "local.simulator", *arguments], cwd=repository, stdout=subprocess.PIPE, text=True
        )
        processes.append(process)
        return process, re.search(r"http://127\.0\.0\.1:\d+/v2/targets/stream", process.stdout.readline())[0]

    yield run
    for process in processes:
        process.kill()
        process.communicate()


def test_serves_until_ctrl_c(simulator):
    """The printed URL serves generated traffic with the given token, and Ctrl-C ends the process with code 0."""
    process, url = simulator("--token", "t0ken", "--seed", "1", "--speed", "max", "--duration", "10")
    assert "curl -N -H" in process.stdout.readline()
    response = requests.get(
        f"{url}?position_token=BEGINNING", headers={"Authorization": "Bearer t0ken"}, stream=True, timeout=30
    )
    lines = response.iter_lines(chunk_size=None)
    assert b'"code":100' in next(lines)
    first = next(line for line in lines if line.startswith(b'{"target"'))
    assert first.startswith(b'{"target":{"ingestion_time":"2024-03-04T00:00:0')
    response.close()
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
    assert re.search(r"Stopped: \d+ updates released, 1 streams served", process.stdout.read())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--speed", "0"], "argument --speed: got '0'; expected a number above 0, or max"),
        (["--speed", "fast"], "argument --speed: got 'fast'"),
        (["--rate", "-1"], "argument --rate: got '-1'"),
        (["--aircraft", "0"], "argument --aircraft: got '0'"),
        (["--port", "70000"], "argument --port: got '70000'"),
        (["--token-interval", "0"], "argument --token-interval: got '0'"),
        (["--start", "noon"], "argument --start: got 'noon'"),
        (["--duration", "-1"], "argument --duration: got '-1'"),
        (["--token", ""], "token: got an empty one"),
        (["--rate", "100", "--aircraft", "10"], "aircraft: got 10 for 100 updates a second"),
        (["--rate", "1e308"], "rate: got 1e+308 without --aircraft; expected at most"),
        (["--rate", "1e308", "--aircraft", "12000"], "aircraft: got 12000 for 1e+308 updates a second"),
        (["--aircraft", "9" * 5000], "argument --aircraft: got '9999"),
        (["--start", "9999-12-31T23:59:50Z"], "expected a time from 1970-01-01T00:00:00Z to 9998-12-31T23:59:59Z"),
        (["--keep", "0"], "argument --keep: got '0'"),
        (["--speed", "max"], "needs a duration"),
        (["--replay", "absent.ndjson"], "absent.ndjson: cannot be read"),
        (["--replay", "absent.ndjson", "--seed", "1"], "--seed is for generated traffic"),
        (["--replay", "absent.ndjson", "--emergency"], "--emergency is for generated traffic"),
    ],
)
def test_bad_options(capsys, arguments, message):
    """An option out of range ends the command with code 2, and says which, what it got and what it takes."""
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert message in capsys.readouterr().err


def test_a_taken_port(serve, capsys):
    """A port in use is named, with what to do."""
    port = serve([]).port
    with pytest.raises(SystemExit):
        main(["--port", str(port)])
    assert f"--port: {port} cannot be used" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "rate", "aircraft"),
    [([], 50, 300), (["--rate", "2000"], 2000, 10_000), (["--aircraft", "20"], 4, 20)],
)
def test_rate_and_aircraft_fit_each_other(arguments, rate, aircraft):
    """Where only one of them is given, the other one follows."""
    made = source(parser().parse_args(arguments), now=0.0)
    assert f"rate={float(rate)!r} aircraft={aircraft} " in made.identity


def test_the_world_can_be_played():
    """4,000 updates a second from 12,000 aircraft: each sends every three seconds, and no key comes twice."""
    made = source(parser().parse_args(["--rate", "4000", "--aircraft", "12000", "--seed", "1"]))
    lines = [line for _, line in islice(made.updates(), 30_000)]
    keys = {tuple(json.loads(line)["target"][name] for name in KEY) for line in lines}
    assert len(keys) == len(lines)


def test_speed_max_is_infinite():
    """`max` is a speed."""
    assert parser().parse_args(["--speed", "max"]).speed == math.inf
