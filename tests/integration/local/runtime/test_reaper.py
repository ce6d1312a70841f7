"""The reaper: what a killed run leaves is ended, and what has ended is left alone."""

from __future__ import annotations

import subprocess
import sys

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


def test_a_session_ends_when_the_pipe_ends(session):
    """That is what the system does for a run that was killed: leader and child are gone."""
    leader = session()
    reaper = Reaper()
    reaper.watch(leader.pid)
    reaper.stop()
    leader.wait(20)
    assert processes.session(leader.pid) == []


def test_a_session_that_was_forgotten_is_left_alone(session):
    """Its id may be somebody else's by then."""
    leader = session()
    with Reaper() as reaper:
        reaper.watch(leader.pid)
        reaper.forget(leader.pid)
    assert leader.poll() is None


KILLED_BEFORE_THE_REAPER_HEARS_OF_IT = """
import os, pathlib, signal, time
from local.runtime.emulator import Emulator

class Late:
    def watch(self, leader):
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
    reaper.watch(1)
    reaper.forget(1)
    reaper.stop()


def test_what_is_left_is_what_began_and_did_not_end():
    """In whatever order they come and go."""
    assert left_over(["+1\n", "+2\n", "-1\n", "+3\n", "-2\n", "+1\n"]) == {1, 3}
