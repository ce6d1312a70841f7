"""A recording keeps its bytes; what is wrong with one is said with the line."""

from __future__ import annotations

import gzip
import os
import threading

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
    """Position tokens, statuses, blank lines and line ends of another system are skipped."""
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
        (_line(1)[:-5], "line 1: .*expected"),
        (_line(1) + b"\n" + _line(2)[:-5] + b"\n", "line 2: .*expected"),
        (_line(1) + b"\n" + _line(2)[:-5] + b"\n" + _line(3), "line 2: .*expected"),
        (_line(1) + b'\n\n{"target":{}}', "line 3: .*ingestion_time"),
        (b'{"target":{"ingestion_time":"noon"}}', "line 1: ingestion_time: got 'noon'"),
        (b'{"flight":{}}', "line 1: not a message of the stream"),
        (b"[1]", "a JSON array; expected lines"),
        (b"PK\x03\x04...", "a zip archive; expected lines"),
        (b"\x28\xb5\x2f\xfd...", "a zstd file; expected lines"),
        (_line(1).decode().encode("utf-16"), "a text in UTF-16; expected lines"),
        (b'{"target":{"ingestion_time":"9999-99-99T00:00:00Z"}}', "line 1: ingestion_time: got"),
        (_line(1, b',"c":"\xff"'), "line 1: "),
        (b"", "holds no target update"),
        (gzip.compress(_line(1) + b"\n", mtime=0)[:12], "cannot be read"),
    ],
)
def test_errors_name_the_line(tmp_path, content, message):
    """A malformed file is refused, with the file's name and where in it."""
    path = tmp_path / "bad.ndjson"
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=message) as refusal:
        Recording(path)
    assert "bad.ndjson" in str(refusal.value)


@pytest.mark.parametrize(
    ("content", "note"),
    [
        (_line(1) + b"\n" + _line(2) + b"\n" + _line(3)[:-5], "line 3 is cut, and left out"),
        (gzip.compress(_line(1) + b"\n" + _line(2) + b"\n", mtime=0)[:-4], "after line 2: the rest cannot be read"),
    ],
)
def test_a_recording_that_was_cut_is_read_as_far_as_it_goes(tmp_path, content, note):
    """Whoever records an endless stream ends it somewhere; what is left out is said."""
    path = tmp_path / "cut.ndjson"
    path.write_bytes(content)
    source = Recording(path)
    assert [line for _, line in source.updates()] == [_line(1), _line(2)]
    assert len(source.notes) == 1
    assert note in source.notes[0]
    assert "cut.ndjson" in source.notes[0]


@pytest.mark.parametrize("compress", [False, True])
def test_a_pipe_is_read_to_its_last_line(tmp_path, compress):
    """It cannot be looked at twice; the first write ends where a line does."""
    lines = [_line(second) for second in range(1, 50)]
    content = b"".join(line + b"\n" for line in lines)
    content = gzip.compress(content) if compress else content
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    def write():
        with pipe.open("wb", buffering=0) as file:
            for part in (content[:1], content[1 : len(lines[0]) + 1], content[len(lines[0]) + 1 :]):
                file.write(part)

    writer = threading.Thread(target=write)
    writer.start()
    read = Recording(pipe)
    writer.join()
    assert [line for _, line in read.updates()] == lines
    assert read.notes == []


@pytest.mark.parametrize("compress", [False, True])
def test_a_byte_order_mark_is_skipped(tmp_path, compress):
    """Editors of some systems put one before the first line."""
    path = tmp_path / "marked.ndjson"
    content = b"\xef\xbb\xbf" + _line(1) + b"\n"
    path.write_bytes(gzip.compress(content) if compress else content)
    assert [line for _, line in Recording(path).updates()] == [_line(1)]


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00"])
def test_the_ends_of_the_calendar(tmp_path, moment):
    """Times in the first and the last year, and what their zones make of them, are read and written."""
    path = tmp_path / "recording.ndjson"
    path.write_bytes(b'{"target":{"ingestion_time":"%b"}}\n' % moment.encode())
    written = times.with_milliseconds(round(Recording(path).start * 1000))
    assert written[:4] in {"0001", "9999"}
    assert times.parse(written) == pytest.approx(times.parse(moment), abs=5 * 3600)


def test_an_absent_file_is_named(tmp_path):
    """A file that is not there is reported by its path."""
    with pytest.raises(RecordingError, match=r"absent\.ndjson: cannot be read"):
        Recording(tmp_path / "absent.ndjson")


def test_the_recording_of_real_updates(recording):
    """The 5,680 real updates load whole, in order."""
    source = Recording(recording)
    assert len(source) == 5680
    assert source.start == times.parse("2021-03-20T12:00:03.054Z")
