"""The hot loops under valgrind: none takes over 15 % more instructions an update than is recorded."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from benchmarks.harness import processes
from benchmarks.instructions import counting, loops, record


@pytest.fixture(scope="module")
def workloads(tmp_path_factory):
    """The loops' workloads: their folder, and the stream's address."""
    folder = tmp_path_factory.mktemp("instructions")
    with counting.workloads(folder) as url:
        yield folder, url


@pytest.mark.timeout(300)  # valgrind takes fifty times as long, on a busy machine more
@pytest.mark.parametrize("name", loops.names())
def test_a_hot_loop_has_not_grown(workloads, name):
    """What makes an update dearer is seen where it is made, whatever else the machine is doing."""
    if not counting.has_valgrind():
        pytest.skip("valgrind is not installed (apt-get install valgrind): the instructions were not counted")
    recorded = record.load()
    if (reason := record.incomparable(recorded)) is not None:
        pytest.skip(reason)
    count = counting.count(name, *workloads)
    assert record.complaint(recorded, name, count) is None


def test_a_loop_that_leaves_something_out_is_an_error(workloads, tmp_path, repository):
    """No loop takes fewer instructions by handling fewer updates."""
    folder, url = workloads
    lines = (folder / f"{loops.LINES}.ndjson").read_bytes().split(b"\n")
    (tmp_path / f"{loops.LINES}.ndjson").write_bytes(b"\n".join(lines[:3]))
    command = [sys.executable, "-m", "benchmarks.instructions.loop", "publishing", str(tmp_path), url]
    ended = subprocess.run(
        command, cwd=repository, env=os.environ | processes.ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert "publishing: handled 3 updates in a pass; expected 2000" in ended.stderr
