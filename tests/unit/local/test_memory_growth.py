"""What a run without an end takes of memory is said at its start."""

from __future__ import annotations

import math

import pytest

from local.cli.command_line import parse
from local.memory_growth import BYTES_AN_UPDATE, note

WORLD = ["--rate", "2400", "--aircraft", "12000"]


@pytest.mark.parametrize("record_format", BYTES_AN_UPDATE)
def test_generated_traffic_without_an_end_says_what_a_minute_takes(record_format):
    """By its rate, its speed and the record format."""
    options = parse(["--duration", "0", *WORLD, "--speed", "2", "--record-format", record_format])
    megabytes = BYTES_AN_UPDATE[record_format] * 2400 * 2 * 60 / 1e6
    assert f": some {megabytes:,.0f} MB a minute." in note(options)


def test_a_little_is_not_nothing():
    """One update every minute or two."""
    assert ": less than 1 MB a minute." in note(parse(["--duration", "0", "--rate", "0.01"]))


def test_a_stream_that_others_serve_says_what_a_million_updates_take(tmp_path):
    """Nobody here knows how fast they come."""
    token = tmp_path / "token"
    token.write_text("s3cret")
    options = parse(["--duration", "0", "--stream-url", "http://127.0.0.1:8080/stream", "--token-file", str(token)])
    assert f"some {BYTES_AN_UPDATE['single'] / 1e3:.1f} GB for each million updates" in note(options)


def test_a_run_with_an_end_says_nothing(tmp_path):
    """A duration, or a recording, which is in memory as a whole anyway."""
    recording = tmp_path / "updates.ndjson"
    time = "2024-03-04T00:00:00Z"
    recording.write_text(f'{{"target":{{"icao_address":"A","timestamp":"{time}","ingestion_time":"{time}"}}}}\n')
    assert note(parse([*WORLD, "--duration", "600"])) is None
    assert note(parse(["--duration", "0", "--replay", str(recording)])) is None


def test_the_rate_is_by_the_clock_on_the_wall():
    """Twice the speed is twice the updates a second; a recording's is not known."""
    assert math.isclose(parse(["--duration", "0", "--rate", "50", "--speed", "3"]).source.rate, 150)
