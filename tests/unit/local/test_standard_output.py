"""Standard output that goes away."""

from __future__ import annotations

import errno
import subprocess
import sys

import pytest

SCRIPT = """
import sys
from local.standard_output import surviving
with surviving() as output:
    for number in range(100_000):
        print(number)
    output.flush()
    sys.exit(f"errno {output.lost.errno}" if output.lost else 0)
"""


@pytest.mark.parametrize(
    ("into", "number"),
    [("> /dev/full", errno.ENOSPC), ("| head -1 > /dev/null; exit ${PIPESTATUS[0]}", errno.EPIPE)],
)
def test_work_goes_on_without_it(repository, into, number):
    """No traceback, neither there nor at the interpreter's end; the loss is known."""
    command = ["bash", "-c", f'"$0" -c "$1" {into}', sys.executable, SCRIPT]
    ended = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr == f"errno {number}\n"


def test_what_can_be_written_is(repository):
    """Every line arrives."""
    ended = subprocess.run([sys.executable, "-c", SCRIPT], cwd=repository, capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines() == [str(number) for number in range(100_000)]
