"""The reaper: what a killed run leaves is ended, and what has ended is left alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from local.runtime import processes
from local.runtime.reaper import Reaper, left_over
from tests.support.conditions import wait_until


@pytest.fixture
def session():
    """Start a session that stays, with a child of its leader in it; gives the leader."""
    started = []

    def start():
        leader = subprocess.Popen(["sh", "-c", "sleep 300 & wait"], start_new_session=True)
        started.append(leader)
        return leader

    yield start
    for leader in started:
        processes.kill_session(leader.pid)
        leader.wait()


@pytest.fixture
def folder(tmp_path):
    """A session's folder, with something in it."""
    made = tmp_path / "of a session"
    made.mkdir()
    (made / "left").touch()
    return made


def test_a_session_and_its_folder_end_when_the_pipe_ends(session, folder):
    """That is what the system does for a run that was killed: leader, child and what they wrote are gone."""
    leader = session()
    reaper = Reaper()
    reaper.watch(leader.pid, folder)
    reaper.stop()
    leader.wait(20)
    assert processes.session(leader.pid) == []
    assert not folder.exists()


def test_a_folder_that_was_not_made_is_no_obstacle(session, folder):
    """The run may be killed before it is; what began after it ends as well."""
    first, second = session(), session()
    with Reaper() as reaper:
        reaper.watch(first.pid, folder / "not made")
        reaper.watch(second.pid, folder)
    first.wait(20)
    second.wait(20)
    assert not folder.exists()


def test_a_session_that_was_forgotten_is_left_alone(session, folder):
    """Its id may be somebody else's by then."""
    leader = session()
    with Reaper() as reaper:
        reaper.watch(leader.pid, folder)
        reaper.forget(leader.pid)
    assert leader.poll() is None
    assert folder.exists()


KILLED_BEFORE_THE_REAPER_HEARS_OF_IT = """
import os, pathlib, signal, time
from local.runtime.emulator import Emulator

class Late:
    def watch(self, leader, folder):
        print(leader, flush=True)
        time.sleep(1)  # for an emulator that does not wait: it listens by then
        os.kill(os.getpid(), signal.SIGKILL)

Emulator("throwaway.handler", pathlib.Path.cwd(), 5, dict(os.environ), print, reaper=Late()).start()
"""


def test_an_emulator_that_the_reaper_has_not_heard_of_does_not_start(repository):
    """A run may be killed at any moment, the one between a process and the word of it included."""
    command = [sys.executable, "-c", KILLED_BEFORE_THE_REAPER_HEARS_OF_IT]
    killed = subprocess.run(command, cwd=repository, stdout=subprocess.PIPE, text=True, check=False)
    wait_until(lambda: not processes.alive(int(killed.stdout)))


def test_a_guardian_that_is_gone_stops_nothing():
    """A run goes on without it, unprotected."""
    reaper = Reaper()
    reaper._process.kill()
    reaper._process.wait()
    reaper.watch(1, Path("/nowhere"))
    reaper.forget(1)
    reaper.stop()


def test_what_is_left_is_what_began_and_did_not_end():
    """In whatever order they come and go."""
    lines = ["+1 /tmp/a\n", "+2 /tmp/b\n", "-1\n", "+3 /tmp/with a blank\n", "-2\n", "+1 /tmp/d\n"]
    assert left_over(lines) == {1: "/tmp/d", 3: "/tmp/with a blank"}
