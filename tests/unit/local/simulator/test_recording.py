"""A recording keeps its bytes; what is wrong with one is said with the line."""

from __future__ import annotations

import gzip

import pytest

from local.simulator import times
from local.simulator.recording import Recording, RecordingError


def _line(second, extra=b""):
    return b'{"target": {"ingestion_time":"2024-03-04T23:24:%02dZ" %b}}' % (second, extra)


@pytest.mark.parametrize("compress", [False, True])
def test_bytes_are_untouched(tmp_path, compress):
    """Lines come back byte for byte, whether the file is compressed or not, sorted by ingestion time."""
    lines = [_line(2, b',"a" : 1e3'), _line(1, b',"b":"\xc3\xa9"'), _line(2)]
    content = b"\n".join(lines)
    path = tmp_path / "recording.ndjson"
    path.write_bytes(gzip.compress(content) if compress else content)
    updates = list(Recording(path).updates())
    assert [line for _, line in updates] == [lines[1], lines[0], lines[2]]
    assert [ingested for ingested, _ in updates] == [times.parse(f"2024-03-04T23:24:0{s}Z") for s in (1, 2, 2)]


def test_a_saved_stream_can_be_replayed(tmp_path):
    """Position tokens, statuses, blank lines and line ends of another system are passed over."""
    path = tmp_path / "saved.ndjson"
    path.write_bytes(b'{"status":{"code":100}}\r\n' + _line(1) + b'\r\n\n{"position_token":"x"}\n')
    assert [line for _, line in Recording(path).updates()] == [_line(1)]


def test_identity_follows_content(tmp_path):
    """The same content has the same identity wherever it lies; other content has another."""
    for name, second in (("a", 1), ("b", 1), ("c", 2)):
        (tmp_path / name).write_bytes(_line(second))
    a, b, c = (Recording(tmp_path / name).identity for name in "abc")
    assert a == b != c


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (_line(1) + b"\n" + _line(2)[:-5], "line 2: .*expected"),
        (_line(1) + b'\n\n{"target":{}}', "line 3: .*ingestion_time"),
        (b'{"target":{"ingestion_time":"noon"}}', "line 1: ingestion_time: got 'noon'"),
        (b'{"flight":{}}', "line 1: not a message of the stream"),
        (b"[1]", "line 1: "),
        (_line(1, b',"c":"\xff"'), "line 1: "),
        (b"", "holds no target update"),
        (gzip.compress(_line(1) + b"\n")[:-9], "cannot be read"),
    ],
)
def test_errors_name_the_line(tmp_path, content, message):
    """A malformed or cut file is refused, with the file's name and where in it."""
    path = tmp_path / "bad.ndjson"
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=message) as refusal:
        Recording(path)
    assert "bad.ndjson" in str(refusal.value)


def test_an_absent_file_is_named(tmp_path):
    """A file that is not there is reported by its path."""
    with pytest.raises(RecordingError, match=r"absent\.ndjson: cannot be read"):
        Recording(tmp_path / "absent.ndjson")


def test_the_recording_of_real_updates(recording):
    """The 5,680 real updates load whole, in order."""
    source = Recording(recording)
    assert len(source) == 5680
    assert source.start == times.parse("2021-03-20T12:00:03.054Z")
