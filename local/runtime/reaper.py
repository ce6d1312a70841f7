"""Ends the processes of a run that was itself killed (SIGKILL, out of memory).

A separate process that is notified of each session that starts and ends. Its standard input is a pipe that only the run
writes to: when the run is gone, whatever the reason, the pipe ends, and the reaper ends the sessions that are left, and
removes their folders.

Not PR_SET_PDEATHSIG: that looks at the thread that started a child, and the threads here are gone long before the run.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Self

from local.runtime import processes

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_BEGAN, _ENDED = "+", "-"


class Reaper:
    """Watches over sessions, by their leaders' process ids, until `stop` or the end of `with`."""

    def __init__(self) -> None:
        # A separate session: Ctrl-C in the terminal passes it by.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "local.runtime.reaper"], stdin=subprocess.PIPE, text=True, start_new_session=True
        )
        self._lock = threading.Lock()

    def watch(self, leader: int, folder: Path) -> None:
        """Have a session ended with the run, and the folder removed that is its own."""
        self._tell(f"{_BEGAN}{leader} {folder}")

    def forget(self, leader: int) -> None:
        """Leave a session alone that has ended: somebody else may get its id once the leader is waited for."""
        self._tell(f"{_ENDED}{leader}")

    def stop(self) -> None:
        """End the reaper, and with it the sessions it still watches; return when they are gone."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _tell(self, what: str) -> None:
        stdin = self._process.stdin
        assert stdin is not None
        # Without its reaper a run still ends what it started, unless it is killed.
        with self._lock, contextlib.suppress(BrokenPipeError):
            stdin.write(f"{what}\n")
            stdin.flush()


def left_over(lines: Iterable[str]) -> dict[int, str]:
    """Return the sessions that began and did not end, and their folders."""
    watched: dict[int, str] = {}
    for line in lines:
        leader, _, folder = line[1:].rstrip("\n").partition(" ")
        if line[0] == _BEGAN:
            watched[int(leader)] = folder
        else:
            watched.pop(int(leader), None)
    return watched


def main() -> None:
    """Read until the run is gone; end what it left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    for leader, folder in left_over(sys.stdin).items():
        processes.kill_session(leader)
        shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


if __name__ == "__main__":
    main()
