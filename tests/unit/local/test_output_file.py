"""Places for results, tried before the work."""

from __future__ import annotations

import json
import os
import resource
import stat
import threading
from pathlib import Path

import pytest

from local.output_file import OutputError, OutputFile

RESULT = {"lost": 0}


def test_a_result_is_written_whole_and_nothing_else_is_left(tmp_path):
    """The file holds the result alone, with the usual rights, and the folder nothing but the file."""
    path = tmp_path / "report.json"
    with OutputFile(path) as output:
        assert not path.exists()
        output.write(RESULT)
    assert json.loads(path.read_text()) == RESULT
    assert path.read_text().endswith("}\n")
    assert list(tmp_path.iterdir()) == [path]
    (tmp_path / "other").write_text("")
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE((tmp_path / "other").stat().st_mode)


def test_work_that_never_ends_leaves_the_last_result(tmp_path):
    """What stood there stays until something takes its place."""
    path = tmp_path / "report.json"
    path.write_text("the last one")
    with OutputFile(path):
        pass
    assert path.read_text() == "the last one"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_one(tmp_path):
    """The result goes to where the link points."""
    path, link = tmp_path / "report.json", tmp_path / "link"
    link.symlink_to(path)
    with OutputFile(link) as output:
        output.write(RESULT)
    assert link.is_symlink()
    assert json.loads(path.read_text()) == RESULT


@pytest.mark.parametrize("name", ["absent/report.json", "report.json/below", "."])
def test_a_place_that_takes_nothing_is_refused_before_the_work(tmp_path, name):
    """Its name, and what was expected."""
    (tmp_path / "report.json").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        OutputFile(tmp_path / name)


def test_a_full_device_is_refused_before_the_work():
    """Linux keeps one for tests."""
    with pytest.raises(OutputError, match="/dev/full: cannot be written: No space left on device"):
        OutputFile(Path("/dev/full"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_one_may_not_write_is_refused_before_the_work(tmp_path):
    """As on a read-only file system."""
    tmp_path.chmod(0o555)
    with pytest.raises(OutputError, match="Permission denied"):
        OutputFile(tmp_path / "report.json")


def test_a_disk_without_room_is_refused_before_the_work(tmp_path):
    """Room for a report is taken, and given back."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(OutputError, match="File too large"):
            OutputFile(tmp_path / "report.json")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []


def test_a_result_that_cannot_be_written_after_all_is_not_gone(tmp_path):
    """The error holds it: whoever worked for an hour gets to see it."""
    folder = tmp_path / "folder"
    folder.mkdir()
    output = OutputFile(folder / "report.json")
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    with pytest.raises(OutputError, match='"lost": 0'):
        output.write(RESULT)


def test_a_pipe_gets_the_result(tmp_path):
    """It is written to as it is: there is nothing to put in its place."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    with OutputFile(pipe) as output:
        output.write(RESULT)
    reader.join()
    assert json.loads(read[0]) == RESULT
