"""What /proc says of processes, whatever they are called."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess

import pytest

from local.runtime import processes


@pytest.fixture
def running(tmp_path):
    """Start a program of any name, in a session of its own; gives its process id."""
    started = []

    def start(name):
        path = os.fsencode(tmp_path) + b"/" + name
        shutil.copy("/bin/sleep", path)
        started.append(subprocess.Popen([path, "300"], start_new_session=True))
        return started[-1].pid

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.mark.parametrize("name", [b"a name", b"a) S 1 1 (b", b"\xe9t\xe9", b"fifteen bytes \xc3\xa9 and more"])
def test_a_process_of_any_name_is_seen_and_ended(running, name):
    """The kernel cuts a name after 15 bytes, in the middle of a character if need be; no reader may trip over it."""
    pid = running(name)
    assert pid in processes.children(os.getpid())
    assert pid in processes.descendants(os.getpid())
    assert processes.session(pid) == [pid]
    assert processes.command_line(pid)[1:2] == [b"300"]
    assert not processes.catches_sigterm(pid)
    processes.kill_session(pid)
    assert not processes.alive(pid)


def test_of_a_process_that_has_ended_nothing_is_read(running):
    """Not even an error: between two looks any may end."""
    pid = running(b"ended")
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert not processes.alive(pid)
    assert processes.command_line(pid) == []
    assert not processes.catches_sigterm(pid)
    assert processes.listening_ports(pid) == set()
