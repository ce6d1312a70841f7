"""`record` against a server that breaks off: nothing missing, nothing twice, and a gzip file that is whole."""

from __future__ import annotations

import gzip
import json
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from feeds import recorder
from feeds.errors import FeedError
from feeds.recording_file import RecordingFile
from local.simulator.recording import Recording
from tests.support.scripted_stream import ScriptedStream

UPDATES = [
    b'{"target":{"icao_address":"%06X","timestamp":"2024-03-04T23:24:00Z","ingestion_time":"2024-03-04T23:24:%02dZ"}}'
    % (number, number)
    for number in range(9)
]


@pytest.fixture
def opened():
    """A function that opens the file, without rotation unless a test asks for it; what is open is closed at the end."""
    files = []

    def open_one(path, **options):
        settings = {"rotate_bytes": None, "rotate_seconds": None, "now": lambda: 0.0} | options
        files.append(RecordingFile(path, **settings))
        return files[-1]

    yield open_one
    for file in files:
        file._file.close()


def lines(path):
    """What a recording holds."""
    return gzip.decompress(path.read_bytes()).splitlines()


def recording(server, path, *options):
    """Start the command."""
    secret = path.with_name("token")
    secret.write_text("secret\n")
    command = [sys.executable, "-m", "feeds.recorder", "--url", server.url, "--token-file", str(secret)]
    return subprocess.Popen([*command, "--out", str(path), *options], stderr=subprocess.PIPE, text=True)


@pytest.fixture
def path(tmp_path):
    """Where it goes."""
    return tmp_path / "updates.ndjson.gz"


def test_what_no_token_follows_is_cut_off_when_it_goes_on(path, opened):
    """The stream sends it again; until then it is in a file that is whole."""
    file = opened(path)
    file.add(UPDATES[0])
    file.commit("one")
    file.add(UPDATES[1])
    file.close()
    assert lines(path) == UPDATES[:2]
    again = opened(path)
    assert (again.position_token, again.updates) == ("one", 1)
    for line in UPDATES[1:3]:
        again.add(line)
    again.commit("two")
    again.close()
    assert lines(path) == UPDATES[:3]
    assert len(Recording(path)) == 3


def test_without_a_token_what_came_stays(path, opened):
    """No server sends it again."""
    file = opened(path)
    file.add(UPDATES[0])
    file.go_back()
    file.add(UPDATES[1])
    file.close()
    again = opened(path)
    assert (again.position_token, again.updates) == (None, 2)
    again.add(UPDATES[2])
    again.commit("one")
    again.close()
    assert lines(path) == UPDATES[:3]


def test_from_the_beginning_what_no_token_follows_comes_again(path, opened):
    """After a broken connection and after a run: it is in the file once."""
    file = opened(path, is_from_beginning=True)
    file.add(b"one")
    file.go_back()
    file.add(b"one")
    file.close()
    file = opened(path, is_from_beginning=True)
    for line in (b"one", b"two"):
        file.add(line)
    file.commit("token")
    file.close()
    assert lines(path) == [b"one", b"two"]


def test_a_file_that_another_recording_writes_is_left_alone(path, opened):
    """Two at once would have everything twice, and cut one another's lines."""
    first = opened(path)
    first.add(b"one")
    first.commit("token")
    with pytest.raises(FeedError, match="another recording writes it"):
        opened(path)
    first.close()
    assert lines(path) == [b"one"]


def test_a_killed_run_leaves_a_file_that_goes_on(path, opened):
    """Half a member at its end, as a kill leaves it."""
    file = opened(path)
    file.add(UPDATES[0])
    file.commit("one")
    file._file.close()  # as the system does
    with path.open("ab") as broken:
        broken.write(gzip.compress(UPDATES[1])[:20])
    again = opened(path)
    again.add(UPDATES[1])
    again.close()
    assert lines(path) == UPDATES[:2]


def test_files_are_put_aside_at_tokens(path, opened):
    """By size or by age, under names that sort as they were begun; together they are the stream."""
    seconds = iter(range(1_709_594_640, 1_709_594_640 + 1_000, 60))
    file = opened(path, rotate_bytes=1, now=lambda: next(seconds))
    for number, line in enumerate(UPDATES):
        file.add(line)
        file.commit(f"token {number}")
    file.close()
    aside = sorted(one for one in path.parent.glob("updates-*"))
    assert [line for one in aside for line in lines(one)] == UPDATES
    assert aside[0].name == "updates-20240304T232400Z.ndjson.gz"
    assert opened(path).position_token == "token 8"


NOON, MINUTE = 1_709_553_600.0, 60.0


def test_a_file_that_goes_on_is_put_aside_by_the_age_that_it_has(path, opened):
    """A recorder that is started again every 50 minutes puts a file aside each hour, under when it was begun."""
    clock = [NOON]
    for number in range(2):
        file = opened(path, rotate_seconds=60 * MINUTE, now=lambda: clock[0])
        file.add(UPDATES[number])
        clock[0] += 40 * MINUTE
        file.commit(f"token {number}")
        file.close()
        clock[0] += 10 * MINUTE
    aside = path.with_name("updates-20240304T120000Z.ndjson.gz")
    assert lines(aside) == UPDATES[:2]
    assert opened(path).updates == 0


@pytest.mark.parametrize("is_started_again", [False, True])
def test_a_clock_that_is_set_back_keeps_no_file_for_longer(path, opened, is_started_again):
    """A small computer may believe for its first minutes that it is years ahead; an hour's file is an hour's."""
    clock = [NOON + 10 * 365 * 24 * 60 * MINUTE]
    file = opened(path, rotate_seconds=60 * MINUTE, now=lambda: clock[0])
    for number in range(3):
        file.add(UPDATES[number])
        file.commit(f"token {number}")
        clock[0] = NOON + number * 60 * MINUTE
        if is_started_again:
            file.close()
            file = opened(path, rotate_seconds=60 * MINUTE, now=lambda: clock[0])
    file.close()
    assert lines(path.with_name("updates-20240304T120000Z.ndjson.gz")) == UPDATES[:3]


def test_a_file_of_an_earlier_version_goes_on(path, opened):
    """Its position does not say when it was begun: it counts from now."""
    file = opened(path)
    file.add(UPDATES[0])
    file.commit("one")
    file.close()
    position = path.with_name(f"{path.name}.position")
    content = json.loads(position.read_bytes())
    del content["begun"]
    position.write_text(json.dumps(content))
    file = opened(path, rotate_seconds=60 * MINUTE, now=lambda: NOON)
    file.add(UPDATES[1])
    file.commit("two")
    file.close()
    assert lines(path) == UPDATES[:2]
    assert json.loads(position.read_bytes())["begun"] == NOON


def test_a_file_without_an_update_was_not_begun(path, opened):
    """What was opened yesterday, and got its first update today, has today's name."""
    opened(path).close()
    clock = iter([NOON, NOON + 61 * MINUTE])
    file = opened(path, rotate_seconds=60 * MINUTE, now=lambda: next(clock, NOON + 62 * MINUTE))
    file.add(UPDATES[0])
    file.commit("one")
    file.close()
    assert lines(path.with_name("updates-20240304T120000Z.ndjson.gz")) == UPDATES[:1]


def test_a_full_disk_ends_it_with_a_whole_file(path, opened):
    """As it was at the last token; the next run goes on from there."""
    file = opened(path)
    file.add(UPDATES[0])
    file.commit("one")
    with Path("/dev/full").open("wb", buffering=0) as full:
        real, file._file = file._file, full
        file.add(UPDATES[1])
        with pytest.raises(FeedError, match=r"No space left on device.+run the\s+command again"):
            file.commit("two")
    file._file = real
    assert lines(path) == UPDATES[:1]
    file.close()
    assert opened(path).position_token == "one"


@pytest.mark.parametrize("token", ["one", None])
def test_a_disk_that_fills_within_a_member_leaves_a_file_that_goes_on(path, opened, token):
    """What is on disk is what the position says, with and without a token; the file's length is limited for real."""
    file = opened(path)
    file.add(UPDATES[0])
    if token is None:
        file.go_back()  # as after a broken connection: what came stays
    else:
        file.commit(token)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 20, limits[1]))
    try:
        file.add(UPDATES[1])
        with pytest.raises(FeedError, match="cannot be written: File too large"):
            file.commit("two")
        file.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    again = opened(path)
    assert again.position_token == token
    again.add(UPDATES[1])
    again.close()
    assert (lines(path), again.updates) == (UPDATES[:2], 2)


@pytest.mark.parametrize("spoil", ["no position", "shorter", "no json"])
def test_a_file_that_is_not_its_own_is_left_alone(path, opened, spoil):
    """The message says what is wrong with which."""
    file = opened(path)
    file.add(UPDATES[0])
    file.commit("one")
    file.close()
    position = path.with_name(f"{path.name}.position")
    if spoil == "no position":
        position.unlink()
    elif spoil == "shorter":
        path.write_bytes(path.read_bytes()[:10])
    else:
        position.write_bytes(b"{")
    before = path.read_bytes()
    with pytest.raises(FeedError, match="position"):
        opened(path)
    assert path.read_bytes() == before


def test_a_broken_connection_is_made_again_from_the_last_token(path):
    """What came after the token comes again, and is in the file once."""
    token = b'{"position_token":"%s"}\n'
    position = path.with_name(f"{path.name}.position")
    asked, done = [], threading.Event()

    def first(exchange):
        asked.append(exchange.request.parameters["position_token"])
        exchange.begin(gzip=True)
        exchange.send(b"\xef\xbb\xbf" + b"\n".join(UPDATES[:2]) + b"\n" + token % b"A" + UPDATES[2] + b"\n")
        while not position.exists() or b'"A"' not in position.read_bytes():
            time.sleep(0.05)
        exchange.reset()

    def second(exchange):
        asked.append(exchange.request.parameters["position_token"])
        exchange.begin(gzip=True)
        exchange.send(b"not a message\n" + b"\n".join(UPDATES[2:5]) + b"\n" + token % b"B")
        exchange.send(UPDATES[5] + b"\n")
        done.set()
        exchange.stay()

    with ScriptedStream(first, second) as server, recording(server, path) as process:
        assert done.wait(60)
        while b'"B"' not in position.read_bytes():
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        _, output = process.communicate(timeout=60)
    assert process.returncode == 0, output
    assert asked == ["LATEST", "A"]
    assert lines(path)[:5] == UPDATES[:5]
    assert "1 lines left out" in output
    assert "secret" not in output


@pytest.mark.parametrize("start", ["LATEST", "BEGINNING"])
def test_a_stop_before_the_first_token_says_that_there_will_be_a_gap(path, start):
    """Unless the stream is read from its beginning, where nothing will be missing."""
    sent = threading.Event()

    def endless(exchange):
        exchange.begin()
        exchange.send(UPDATES[0] + b"\n")
        sent.set()
        exchange.stay()

    with ScriptedStream(endless) as server, recording(server, path, "--start", start) as process:
        assert sent.wait(60)
        process.send_signal(signal.SIGTERM)
        _, output = process.communicate(timeout=60)
    assert process.returncode == 0, output
    assert ("No position token has come: " in output) == (start == "LATEST")


@pytest.mark.parametrize("url", ["http://example.com/stream", "localhost:8080/stream", "http://127.0.0.1:99999/stream"])
def test_an_address_that_cannot_be_is_refused_before_a_file_is_made(path, url, capsys):
    """Nor is the token sent in the clear: plain HTTP is for this machine alone."""
    with pytest.raises(SystemExit, match="2"):
        recorder.main(["--url", url, "--token-file", str(path.with_name("token")), "--out", str(path)])
    assert "argument --url: got" in capsys.readouterr().err
    assert list(path.parent.iterdir()) == []


def test_a_token_that_is_refused_is_named_by_its_option(path):
    """Not by the deployed stack's secret."""
    with (
        ScriptedStream(lambda exchange: exchange.refuse(401)) as server,
        recording(server, path) as process,
    ):
        _, output = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "refuses the API token of --token-file (401)" in output
