"""`pipenv run chaos` and `pipenv run bench`, as a person runs and ends them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from local.faults import __main__ as chaos
from local.runtime import processes
from tests.support.conditions import wait_until
from tests.support.hostile_shell import HOSTILE


@pytest.mark.parametrize(
    ("command", "number"),
    [
        (["local.faults", "--schedules", "50", "--workers", "1"], signal.SIGTERM),
        (["local.faults", "--schedules", "50", "--workers", "1"], signal.SIGINT),
        (["benchmarks", "--only", "read_line_gzip", "--updates", "1000", "--runs", "500"], signal.SIGTERM),
    ],
    ids=["chaos-SIGTERM", "chaos-SIGINT", "bench-SIGTERM"],
)
def test_ended_in_the_middle_it_leaves_nothing(repository, tmp_path, command, number):
    """What it started ends with it, whatever that is doing, and its folders are gone."""
    command = [sys.executable, "-m", *command]
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

        def at_work():
            family.update(processes.descendants(running.pid))
            sides = {b"awslambdaric", b"benchmarks.harness.side"}
            return any(sides.intersection(processes.command_line(pid)) for pid in family)

        try:
            wait_until(at_work)
            running.send_signal(number)
            assert running.wait(60) == 128 + number
        finally:
            running.kill()
            running.wait()
    wait_until(lambda: not any(processes.alive(pid) for pid in family))
    assert "Traceback" not in (tmp_path / "output").read_text()
    assert [one.name for one in tmp_path.iterdir()] == ["output"]


def test_a_report_that_cannot_be_written_is_refused_before_the_first_schedule(capsys):
    """An hour's work does not end in a traceback."""
    assert chaos.main(["--schedules", "200", "--report", "/dev/full"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("chaos: error: --report: /dev/full: cannot be written: No space left on device")
