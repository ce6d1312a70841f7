"""`pipenv run feeder`, the command itself: from a receiver to the real consumer, and to Kinesis."""

from __future__ import annotations

import json
import re
import signal
import time

import pytest
import requests

from feeds import feeder
from tests.integration.consumer.conftest import API_TOKEN, STREAM, Consumer, JumpingClock
from tests.support.conditions import wait_until
from tests.support.sbs_server import position, squawk


def _targets(state):
    return [json.loads(data) for _, data in state.records]


def _served(command, server):
    process = command(
        "feeder", "--sbs", f"127.0.0.1:{server.port}", "--serve", "0", "--token", API_TOKEN, "--token-interval", "0.2"
    )
    return process, re.search(r"http://\S+/v2/targets/stream", process.stdout.readline())[0]


def test_what_a_receiver_hears_is_read_by_the_consumer(state, sbs_server, command):
    """Lines on TCP 30003 are updates in Kinesis: by the feeder, its Tracking Stream and the real consumer."""
    server = sbs_server(
        [position("4CA2D6", 51.5), squawk("4CA2D6", "7700"), b"garbage\n"], [position("040172", -33.9, 151.2)]
    )
    process, url = _served(command, server)
    consumer = Consumer(state, url, JumpingClock())
    try:
        wait_until(lambda: len({one["icao_address"] for one in _targets(state)}) == 2 or not consumer.is_running)
    finally:
        summary = consumer.stop()
    assert summary.stopped == "requested"
    emergency = next(one for one in _targets(state) if one["icao_address"] == "4CA2D6")
    assert (emergency["latitude"], emergency["squawk"], emergency["altitude_baro"]) == (51.5, "7700", 37000.0)
    process.send_signal(signal.SIGTERM)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0
    assert output.endswith("Stopped: 2 updates made, 1 malformed lines or entries left out.\n")
    assert "malformed, left out: 1; the last one: neither MSG" in errors
    assert API_TOKEN not in errors


def test_the_stream_of_a_feeder_that_began_again_refuses_the_old_tokens(sbs_server, command):
    """Its updates are others: a client is refused, and takes what is there by BEGINNING or by times."""
    streams = []
    for _ in range(2):
        process, url = _served(command, sbs_server([position("4CA2D6", 51.5)]))
        streams.append((process, url))
    headers = {"Authorization": f"Bearer {API_TOKEN}"}
    with requests.get(
        f"{streams[0][1]}?position_token=BEGINNING", headers=headers, stream=True, timeout=30
    ) as response:
        lines = map(json.loads, response.iter_lines(chunk_size=None))
        assert next(one for one in lines if "target" in one)["target"]["icao_address"] == "4CA2D6"
        token = next(one for one in lines if "position_token" in one)["position_token"]
    refused = requests.get(f"{streams[1][1]}?position_token={token}", headers=headers, timeout=30)
    assert refused.status_code == 400
    day = "start=2024-03-04T00:00:00Z"
    assert "position_token" in refused.text
    assert requests.get(f"{streams[1][1]}?{day}", headers=headers, timeout=30).status_code == 400


@pytest.mark.parametrize("form", ["single", "envelope"])
def test_aircraft_json_goes_into_kinesis(state, json_server, command, form):
    """Polled, made into updates, and sent; a signal drains."""
    now = time.time()
    entry = {
        "hex": "4ca2d6",
        "flight": "DLH4AB  ",
        "lat": 51.5,
        "lon": 0.5,
        "alt_baro": "ground",
        "seen": 0.1,
        "seen_pos": 0.2,
    }
    server = json_server((200, json.dumps({"now": now, "aircraft": [entry]}).encode()))
    process = command("feeder", "--aircraft-json", server.url, "--to-kinesis", STREAM, "--record-format", form)
    wait_until(lambda: state.records or process.poll() is not None)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    (update,) = _targets(state)
    assert update["on_ground"] is True
    assert (update["callsign"], update["latitude"], update["source"]) == ("DLH4AB", 51.5, "ADSB")
    assert f"{STREAM}: 1 updates sent, 1 acknowledged" in output


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "one of the arguments --sbs --aircraft-json is required"),
        (["--sbs", "localhost"], "expected one of --serve PORT and --to-kinesis STREAM"),
        (["--sbs", "localhost", "--serve", "0", "--to-kinesis", "x"], "expected one of --serve PORT"),
        (["--sbs", "localhost:x", "--serve", "0"], "argument --sbs: got 'localhost:x'; expected HOST:PORT"),
        (["--sbs", ":30003", "--serve", "0"], "argument --sbs: got ':30003'"),
        (["--sbs", "a..b", "--serve", "0"], "argument --sbs: got 'a..b'"),
        (["--sbs", f"{'a' * 64}.example.com:30003", "--serve", "0"], "argument --sbs: got 'aaaa"),
        (["--sbs", "localhost:65536", "--serve", "0"], "argument --sbs: got 'localhost:65536'"),
        (["--sbs", "localhost:0", "--serve", "0"], "argument --sbs: got 'localhost:0'"),
        (["--sbs", "::1::2", "--serve", "0"], "argument --sbs: got '::1::2'"),
        (["--sbs", "http://localhost", "--serve", "0"], "argument --sbs: got 'http://localhost'"),
        (
            ["--aircraft-json", "data/aircraft.json", "--serve", "0"],
            "argument --aircraft-json: got 'data/aircraft.json'",
        ),
        (["--aircraft-json", "http://localhost:65536/", "--serve", "0"], "got 'http://localhost:65536/'; expected"),
        (["--aircraft-json", "http://[::1/", "--serve", "0"], "got 'http://[::1/'; expected"),
        (["--sbs", "localhost", "--serve", "0", "--region", "x"], "--region is not for updates that are served"),
        (["--sbs", "localhost", "--to-kinesis", "x", "--keep", "1"], "--keep is not for updates that are sent"),
    ],
)
def test_wrong_options(capsys, arguments, says):
    """Said with what they got and what they take."""
    with pytest.raises(SystemExit) as end:
        feeder.main(arguments)
    assert end.value.code == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("localhost", ("localhost", 30003)),
        ("192.168.1.7:30103", ("192.168.1.7", 30103)),
        ("::1", ("::1", 30003)),
        ("[::1]", ("::1", 30003)),
        ("[fe80::1%eth0]:30103", ("fe80::1%eth0", 30103)),
    ],
)
def test_a_receiver_has_a_name_or_an_address_and_perhaps_a_port(text, address):
    """The port is that of BaseStation lines where none is given."""
    assert feeder._parser().parse_args(["--sbs", text]).sbs == address


def test_what_cannot_be_served_or_sent(aws, sbs_server, capsys):
    """A port in use, an empty token, a stream that is not there."""
    del aws
    server = sbs_server()
    receiver = ["--sbs", f"127.0.0.1:{server.port}"]
    for more, says in (
        (["--serve", str(server.port)], f"--serve: {server.port} cannot be used: Address already in use"),
        (["--serve", "0", "--token", " "], "--token: got an empty one"),
        (["--to-kinesis", "absent"], "there is no such stream"),
    ):
        assert feeder.main([*receiver, *more]) == 1
        assert says in capsys.readouterr().err
