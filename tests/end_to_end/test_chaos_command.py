"""`python -m local.faults`, as a person runs it and ends it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from local.faults import __main__ as chaos
from local.runtime import processes
from tests.support.conditions import wait_until
from tests.support.hostile_shell import HOSTILE


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_ended_in_the_middle_it_leaves_nothing(repository, tmp_path, number):
    """Its workers, and what they started, end with it, whatever they are at: no schedule is waited for."""
    command = [sys.executable, "-m", "local.faults", "--schedules", "50", "--workers", "1"]
    with (tmp_path / "output").open("w+") as output:
        running = subprocess.Popen(
            command,
            cwd=repository,
            env=os.environ | HOSTILE | {"TMPDIR": str(tmp_path)},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        family = set()

        def emulators():
            family.update(processes.descendants(running.pid))
            return sum(b"aws-lambda-rie" in _command(pid) for pid in family) >= 2

        try:
            wait_until(emulators)
            running.send_signal(number)
            assert running.wait(60) == 128 + number
        finally:
            running.kill()
            running.wait()
    wait_until(lambda: not any(processes.alive(pid) for pid in family))
    assert "Traceback" not in (tmp_path / "output").read_text()
    assert [one.name for one in tmp_path.iterdir()] == ["output"]


def _command(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def test_a_report_that_cannot_be_written_is_told_before_the_first_schedule(capsys):
    """An hour's work does not end in a traceback."""
    assert chaos.main(["--schedules", "200", "--report", "/dev/full"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("chaos: error: --report: /dev/full: cannot be written: No space left on device")
